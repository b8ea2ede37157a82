import { clock, language, setLanguage, short, t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { busy, fail, recover } from "./drill.ts";
import { togglePalette } from "./palette-open.ts";
import { screen } from "./router.ts";
import * as state from "./state.ts";
import { theme, toggleTheme } from "./theme.ts";
import { regionShown, regions, show, viewVpc, vpcsOfRegion } from "./view.ts";

const ModeSwitch = lazy(async () => (await import("../packet/switch.tsx")).ModeSwitch);

export function TopBar() {
  return (
    <header class="topbar">
      <h1>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <rect x="1" y="4" width="7" height="12" rx="2" class="logo-a" />
          <rect x="12" y="4" width="7" height="12" rx="2" class="logo-b" />
          <path d="M5 10h10" class="logo-c" />
        </svg>
        enilab
      </h1>
      <Crumb />
      <span class="spacer" />
      <Rates />
      <ModeSwitch />
      <LinkBadge />
      <div class="topbar-tools">
        <button
          type="button"
          class="icon palette-button"
          aria-label={t("palette.open")}
          title={`${t("palette.open")} (Ctrl K, ⌘ K)`}
          aria-haspopup="dialog"
          onClick={togglePalette}
        >
          <Icon name="search" />
        </button>
        <button
          type="button"
          class="quiet-button"
          title={t("action.languageTitle")}
          lang={language.value === "en" ? "ko" : "en"}
          onClick={() => void setLanguage(language.value === "en" ? "ko" : "en")}
        >
          {t("action.language")}
        </button>
        <button
          type="button"
          class="icon"
          aria-pressed={theme.value === "light"}
          aria-label={t("action.theme")}
          title={`${t("action.theme")} (T)`}
          onClick={toggleTheme}
        >
          <Icon name="theme" />
        </button>
        {screen.value === "live" && (
          <button
            type="button"
            class="icon drawer-open"
            aria-label={t("action.inspector")}
            aria-expanded={state.inspectorOpen.value}
            onClick={() => {
              state.inspectorOpen.value = !state.inspectorOpen.value;
            }}
          >
            <Icon name="panel" />
          </button>
        )}
      </div>
      <MainButton />
    </header>
  );
}

/** The region and the VPC that are shown, each to be changed if there is another. */
function Crumb() {
  const region = regionShown.value;
  const vpcs = vpcsOfRegion.value;
  const one = vpcs.find((v) => v.id === viewVpc.value) ?? (vpcs.length === 1 ? vpcs[0] : undefined);
  return (
    <div class="crumb">
      {regions.value.length > 1 ? (
        <select
          class="switcher"
          aria-label={t("view.region")}
          value={region}
          onChange={(e) => show(e.currentTarget.value, "")}
        >
          {regions.value.map((r) => (
            <option key={r} value={r} selected={r === region}>
              {r}
            </option>
          ))}
        </select>
      ) : (
        <span>{region}</span>
      )}
      {vpcs.length > 0 && <span class="sep">/</span>}
      {vpcs.length > 1 ? (
        <select
          class="switcher"
          aria-label={t("view.vpc")}
          value={viewVpc.value}
          onChange={(e) => show(region, e.currentTarget.value)}
        >
          <option value="" selected={!viewVpc.value}>
            {t("view.all")}
          </option>
          {vpcs.map((v) => (
            <option key={v.id} value={v.id} selected={v.id === viewVpc.value}>
              {`${v.tags?.Name ?? (v.default ? "default" : v.id)} · ${v.cidr}`}
            </option>
          ))}
        </select>
      ) : (
        one && (
          <>
            <span>{one.tags?.Name ?? one.id}</span>
            <code>{one.cidr}</code>
          </>
        )
      )}
    </div>
  );
}

function Rates() {
  const r = state.rates.value;
  const old = state.offline.value;
  const total = r.accept + r.reject + r.lost + r.control;
  return (
    <dl
      class={`rates ${old ? "old" : ""}`}
      title={old ? t("link.asOf", { time: clock(state.lastData.value).slice(0, 8) }) : undefined}
    >
      <div>
        <dt>{t("stat.rate")}</dt>
        <dd>{short(total)}</dd>
      </div>
      {(["accept", "reject", "lost"] as const).map((v) => (
        <div key={v} class={`rate-${v}`}>
          <dt>{t("stat.each", { what: t(`stat.${v}`) })}</dt>
          <dd class={r[v] > 0 ? `text-${v}` : "quiet"}>{short(r[v])}</dd>
        </div>
      ))}
    </dl>
  );
}

function LinkBadge() {
  const { state: s } = state.link.value;
  const factor = state.reducedFactor.value;
  // While it tries again it is offline still: words that change with each try would blink.
  const shown = s === "connecting" && state.offline.value ? "down" : s;
  return (
    <span class={`link-state ${shown}`}>
      {t(`link.${shown}`)}
      {shown === "live" && factor > 1 && (
        <span class="reduced" role="status" title={t("link.reduced", { factor })}>
          {" "}
          1:{factor}
          <span class="hidden"> {t("link.reduced", { factor })}</span>
        </span>
      )}
    </span>
  );
}

/** The one primary action: fail who serves, or bring back who has failed. */
function MainButton() {
  const active = state.activeInstance.value;
  const failed = state.faulted.value[0];
  return (
    <div class="main-action">
      {failed && (
        <button
          type="button"
          disabled={state.offline.value || busy.value.has(`recover:${failed.id}`)}
          onClick={() => recover(failed)}
        >
          <span class="main-label">{t("action.recover", { name: state.instanceName(failed.id) })}</span>{" "}
          <kbd>R</kbd>
        </button>
      )}
      {active && !active.fault && (
        <button
          type="button"
          class="danger"
          disabled={state.offline.value || busy.value.has(`fail:${active.id}`)}
          onClick={() => fail(active)}
        >
          <span class="main-label">{t("action.fail", { name: state.instanceName(active.id) })}</span>{" "}
          <kbd>F</kbd>
        </button>
      )}
    </div>
  );
}
