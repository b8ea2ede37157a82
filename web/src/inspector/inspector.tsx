import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { Tabs } from "../ui/tabs.tsx";

const FailoverPanel = lazy(async () => (await import("../failover/panel.tsx")).FailoverPanel);
const EniPanel = lazy(async () => (await import("./eni.tsx")).EniPanel);
const InstancePanel = lazy(async () => (await import("./instance.tsx")).InstancePanel);
const Path = lazy(async () => (await import("./path.tsx")).Path);
const BuildPanel = lazy(async () => (await import("../build/panel.tsx")).BuildPanel);
const About = lazy(async () => (await import("../ask/about.tsx")).About);
const NetworkPanel = lazy(async () => (await import("./network.tsx")).NetworkPanel);

export function Inspector() {
  const tab = state.inspectorTab.value;
  return (
    <aside class={`inspector ${state.inspectorOpen.value ? "open" : ""}`} aria-label={t("inspector.label")}>
      <div class="inspector-head">
        <Tabs
          label={t("inspector.label")}
          tabs={(["failover", "eni", "instance", "network", "path", "build"] as const).map((id) => ({
            id,
            label: t(`inspector.${id}`),
          }))}
          current={tab}
          onChange={(id) => {
            state.inspectorTab.value = id;
          }}
        />
        <button
          type="button"
          class="icon drawer-close"
          aria-label={t("action.close")}
          onClick={() => {
            state.inspectorOpen.value = false;
          }}
        >
          <Icon name="close" />
        </button>
      </div>
      <div
        class="tab-panel scroll"
        role="tabpanel"
        id={`panel-${tab}`}
        aria-labelledby={`tab-${tab}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
        tabIndex={0}
      >
        {tab === "failover" && <FailoverPanel />}
        {tab === "eni" && <EniPanel />}
        {tab === "instance" && <InstancePanel />}
        {tab === "network" && <NetworkPanel />}
        {(tab === "eni" || tab === "instance" || tab === "network") && state.selection.value && <About />}
        {tab === "path" && <Path />}
        {tab === "build" && <BuildPanel />}
      </div>
    </aside>
  );
}
