import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { Inspector } from "../inspector/inspector.tsx";
import { stepping } from "../packet/mode.ts";
import { shown } from "../packet/shown.ts";
import { Stage } from "../topology/stage.tsx";
import { Dock } from "../traffic/dock.tsx";
import { Ask as Question } from "../ui/ask.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { Said } from "../ui/said.tsx";
import { Toasts } from "../ui/toast.tsx";
import { Banner } from "./banner.tsx";
import { confirmFail, fail } from "./drill.ts";
import { exerciseUnderWay } from "./exercise.ts";
import { helpOpen, onKey, onKeyUp } from "./keys.ts";
import { paletteOpen } from "./palette-open.ts";
import { follow, ids, lossesOf, pathOf, type Screen, screen } from "./router.ts";
import { changed } from "./session.ts";
import * as state from "./state.ts";
import { TopBar } from "./topbar.tsx";

// Nothing of these is needed for the first picture.
const OutageChip = lazy(async () => (await import("../failover/panel.tsx")).OutageChip);
const EmptyLab = lazy(async () => (await import("../build/files.tsx")).EmptyLab);
const Captures = lazy(async () => (await import("../captures/screen.tsx")).Captures);
const Drills = lazy(async () => (await import("../drills/screen.tsx")).Drills);
const Learn = lazy(async () => (await import("../learn/screen.tsx")).Learn);
const Coach = lazy(async () => (await import("../learn/coach.tsx")).Coach);
const Rules = lazy(async () => (await import("../rules/screen.tsx")).Rules);
const Ask = lazy(async () => (await import("../ask/screen.tsx")).Ask);
const AssertionWatch = lazy(async () => (await import("../ask/watch.tsx")).Watch);
const Losses = lazy(async () => (await import("../ask/losses.tsx")).Losses);
const Predicted = lazy(async () => (await import("../ask/predicted.tsx")).Predicted);
const PacketView = lazy(async () => (await import("../packet/view.tsx")).PacketView);
const PacketScreen = lazy(async () => (await import("../packet/screen.tsx")).PacketScreen);
const StepBar = lazy(async () => (await import("../packet/stepbar.tsx")).StepBar);
const CapturePackets = lazy(async () => (await import("../packet/captured.tsx")).CapturePackets);
const Settings = lazy(async () => (await import("../settings/screen.tsx")).Settings);
const Quiet = lazy(async () => (await import("./quiet.tsx")).Quiet);
const Help = lazy(async () => (await import("./help.tsx")).Help);
const Palette = lazy(async () => (await import("../palette/palette.tsx")).Palette);
const Failovers = lazy(async () => (await import("../failover/screen.tsx")).Failovers);

export function App() {
  useEffect(() => {
    addEventListener("keydown", onKey);
    addEventListener("keyup", onKeyUp);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("keyup", onKeyUp);
    };
  }, []);
  return (
    <>
      <TopBar />
      <Rail />
      <div class={`content ${state.offline.value ? "is-stale" : ""}`}>
        <Banner />
        {screen.value === "live" && <Live />}
        {screen.value === "drills" && <Drills />}
        {screen.value === "learn" && <Learn />}
        {screen.value === "failovers" && <Failovers />}
        {screen.value === "captures" && (ids.value[0] ? <CapturePackets /> : <Captures />)}
        {screen.value === "packets" && <PacketScreen />}
        {(screen.value === "sg" || screen.value === "rtb" || screen.value === "acl") && <Rules />}
        {screen.value === "ask" && <Ask />}
        {screen.value === "settings" && <Settings />}
      </div>
      {helpOpen.value && <Help />}
      {paletteOpen.value && <Palette />}
      <ConfirmFail />
      {lossesOf.value && <Losses />}
      {state.topology.value && <AssertionWatch />}
      <Question />
      <Toasts />
      <div id="say" class="hidden" role="status" aria-live="polite" />
      <div id="say-now" class="hidden" role="alert" aria-live="assertive" />
    </>
  );
}

const screens = [
  { id: "live", icon: "live" },
  { id: "drills", icon: "drills" },
  { id: "learn", icon: "learn" },
  { id: "failovers", icon: "failovers" },
  { id: "captures", icon: "captures" },
  { id: "sg", icon: "rules" },
  { id: "ask", icon: "ask" },
  { id: "settings", icon: "settings" },
] as const;

const rulesScreens: ReadonlySet<Screen> = new Set(["rtb", "acl"]);

function Rail() {
  return (
    <nav class="rail" aria-label={t("nav.main")}>
      {screens.map((s) => (
        <a
          key={s.id}
          href={pathOf(s.id)}
          aria-current={
            screen.value === s.id || (s.id === "sg" && rulesScreens.has(screen.value)) ? "page" : undefined
          }
          onClick={(e) => follow(e, s.id)}
        >
          <Icon name={s.icon} />
          <span>{t(`nav.${s.id}`)}</span>
          {s.id === "ask" && state.redAssertions.value > 0 && (
            <b class="rail-count">{state.redAssertions.value}</b>
          )}
        </a>
      ))}
      <span class="spacer" />
      <button
        type="button"
        title={`${t("action.help")} (?)`}
        onClick={() => {
          helpOpen.value = true;
        }}
      >
        <Icon name="help" />
        <span>{t("nav.help")}</span>
      </button>
    </nav>
  );
}

function Live() {
  const now = state.topology.value;
  // An EC2 client's first call gives a region its default VPC: with nothing in it there is still no laboratory.
  const empty = now !== null && now.instances.length === 0 && now.vpcs.every((v) => v.default);
  return (
    <div
      class={`live-screen ${shown.value ? "with-packet" : ""} ${stepping.value ? "stepping" : ""}`}
      data-shows={phoneShows.value}
    >
      <PhoneSwitch />
      <main class="stage-cell" id="main">
        <Stage />
        <OutageChip />
        {exerciseUnderWay.value && <Coach />}
        {state.predicted.value && <Predicted />}
        <Quiet />
        {empty && state.inspectorTab.value !== "build" && <EmptyLab />}
        {!now && state.topologyError.value && (
          <div class="empty-card over">
            <p>
              {t("empty.failed")} <Said text={state.topologyError.value} />
            </p>
            <button type="button" onClick={changed}>
              {t("action.retry")}
            </button>
          </div>
        )}
      </main>
      {stepping.value && <StepBar />}
      <Dock />
      <Inspector />
      {shown.value && <PacketView />}
    </div>
  );
}

/** What a phone shows of the live screen: there is not the height for both. */
const phoneShows = signal<"map" | "table">("map");

function PhoneSwitch() {
  return (
    <nav class="phone-switch" aria-label={t("phone.shows")}>
      {(["map", "table"] as const).map((x) => (
        <button
          key={x}
          type="button"
          aria-pressed={phoneShows.value === x}
          onClick={() => (phoneShows.value = x)}
        >
          {t(`phone.${x}`)}
        </button>
      ))}
    </nav>
  );
}

function ConfirmFail() {
  const i = confirmFail.value;
  if (!i) return null;
  const close = (): void => {
    confirmFail.value = null;
  };
  return (
    <Dialog title={t("confirm.fail", { name: state.instanceName(i.id) })} onClose={close}>
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" onClick={close}>
          {t("action.cancel")}
        </button>
        <button
          type="button"
          class="danger"
          data-autofocus
          onClick={() => {
            fail(i, "freeze", true);
            close();
          }}
        >
          {t("confirm.yes")}
        </button>
      </div>
    </Dialog>
  );
}
