import { signal } from "@preact/signals";
import { put } from "../api/client.ts";
import { act } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { count, millis, t } from "../i18n/i18n.ts";
import { lazy } from "../ui/lazy.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Tabs } from "../ui/tabs.tsx";

const Packets = lazy(async () => (await import("./packets.tsx")).Packets);
const RecordedFlows = lazy(async () => (await import("../packet/flows.tsx")).RecordedFlows);
const Events = lazy(async () => (await import("../calls/events.tsx")).Events);
const Calls = lazy(async () => (await import("../calls/calls.tsx")).Calls);

export const dockTab = signal<"packets" | "flows" | "events" | "calls">("packets");

export function Dock() {
  return (
    <section class="dock" aria-label={t("dock.label")}>
      <Tabs
        label={t("dock.label")}
        tabs={[
          { id: "packets", label: t("dock.packets") },
          { id: "flows", label: t("dock.flows") },
          { id: "events", label: t("dock.events") },
          { id: "calls", label: t("dock.calls") },
        ]}
        current={dockTab.value}
        onChange={(id) => {
          dockTab.value = id;
        }}
      />
      <div
        class="tab-panel"
        role="tabpanel"
        id={`panel-${dockTab.value}`}
        aria-labelledby={`tab-${dockTab.value}`}
      >
        {dockTab.value === "packets" && <Packets />}
        {dockTab.value === "flows" && <Flows />}
        {dockTab.value === "events" && <Events />}
        {dockTab.value === "calls" && <Calls />}
      </div>
    </section>
  );
}

function Flows() {
  const paused = state.trafficPaused.value;
  const toggle = (): void => {
    void act("traffic", async () => {
      await put("/traffic", { paused: !paused });
      state.trafficPaused.value = !paused;
    });
  };
  return (
    <Scroll label={t("flows.label")}>
      {state.flows.value.length === 0 ? (
        <p class="empty">{t("flows.empty")}</p>
      ) : (
        <>
          <table class="plain">
            <thead>
              <tr>
                <th scope="col">{t("flows.client")}</th>
                <th scope="col">{t("flows.workload")}</th>
                <th scope="col">{t("flows.target")}</th>
                <th scope="col" class="num">
                  {t("flows.sent")}
                </th>
                <th scope="col" class="num">
                  {t("flows.received")}
                </th>
                <th scope="col" class="num">
                  {t("flows.lost")}
                </th>
                <th scope="col" class="num">
                  {t("flows.rtt")}
                </th>
              </tr>
            </thead>
            <tbody>
              {state.flows.value.map((f) => (
                <tr key={`${f.instanceId}/${f.workload}`}>
                  <td>{state.instanceName(f.instanceId)}</td>
                  <td>
                    {f.workload} <span class="quiet">{f.kind}</span>
                  </td>
                  <td>
                    <code>{f.target}</code>
                  </td>
                  <td class="num">{count(f.sent)}</td>
                  <td class="num">{count(f.received)}</td>
                  <td class={`num ${f.lost > 0 ? "text-lost" : ""}`}>{count(f.lost)}</td>
                  <td class="num">
                    {f.rttP50Ms === undefined ? "–" : `${millis(f.rttP50Ms)} / ${millis(f.rttP99Ms ?? 0)} ms`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p>
            <button type="button" onClick={toggle}>
              {paused ? t("flows.resume") : t("flows.pause")}
            </button>
          </p>
        </>
      )}
      <RecordedFlows />
    </Scroll>
  );
}
