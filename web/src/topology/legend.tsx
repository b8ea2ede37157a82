import * as state from "../app/state.ts";
import { short, t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { dotScale } from "./scene.ts";
import { fitStage, zoomStage } from "./sight.ts";

// Not needed for the first picture.
const Tools = lazy(async () => (await import("./tools.tsx")).Tools);

export function Legend() {
  const n = dotScale.value;
  const still = state.reducedMotion.value;
  const paused = state.dotsPaused.value;
  return (
    <div class="legend">
      {(["accept", "reject", "lost", "control"] as const).map((v) => (
        <span key={v} class={`mark ${v}`}>
          {t(`verdict.${v}`)}
        </span>
      ))}
      {!still && (
        <span class="scale">
          {paused
            ? t("topology.paused")
            : n === 1
              ? t("topology.legendOne")
              : t("topology.legend", { count: short(n) })}
        </span>
      )}
      <span class="legend-tools">
        <Tools />
        {!still && (
          <button
            type="button"
            class="icon"
            aria-pressed={paused}
            aria-label={paused ? t("topology.resumeDots") : t("topology.pauseDots")}
            title={paused ? t("topology.resumeDots") : t("topology.pauseDots")}
            onClick={() => {
              state.dotsPaused.value = !paused;
            }}
          >
            <Icon name={paused ? "play" : "pause"} />
          </button>
        )}
        <button type="button" class="icon" aria-label={t("topology.zoomOut")} onClick={() => zoomStage(0.8)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="icon" aria-label={t("topology.zoomIn")} onClick={() => zoomStage(1.25)}>
          <Icon name="plus" />
        </button>
        <button
          type="button"
          class="icon"
          aria-label={t("topology.fit")}
          title={t("topology.fit")}
          onClick={fitStage}
        >
          <Icon name="fit" />
        </button>
      </span>
    </div>
  );
}
