import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { put } from "../api/client.ts";
import { count, t } from "../i18n/i18n.ts";
import { act } from "./drill.ts";
import * as state from "./state.ts";

const quietAfterMs = 3000;

/** When frames were last counted, by the browser's clock; 0: not since this page was opened. */
const lastFrames = signal(0);

/** What a lab without a frame says: since when, and how to have some. */
export function Quiet() {
  const now = useSignal(Date.now());
  const opened = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      const r = state.rates.value;
      now.value = Date.now();
      if (r.accept + r.reject + r.lost + r.control > 0) lastFrames.value = now.value;
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  const lab = state.topology.value;
  const since = now.value - (lastFrames.value || opened.value);
  const paused = state.trafficPaused.value;
  if (!lab || lab.instances.length === 0 || state.link.value.state !== "live") return null;
  // Probes go on while the workloads are paused: frames there are, and yet no traffic.
  if (!paused && since < quietAfterMs) return null;
  const resume = (): void => {
    void act("traffic", async () => {
      await put("/traffic", { paused: false });
      state.trafficPaused.value = false;
    });
  };
  const generate = async (): Promise<void> => {
    const [{ openForm }, { kinds }, { placeOf }] = await Promise.all([
      import("../build/form.ts"),
      import("../build/kinds.ts"),
      import("../build/model.ts"),
    ]);
    openForm(kinds.workload, placeOf(state.selection.value));
  };
  return (
    <div class="quiet-lab">
      <span>
        {paused
          ? t("quiet.paused")
          : lastFrames.value
            ? t("quiet.since", { seconds: count(Math.floor(since / 1000)) })
            : t("quiet.never")}
      </span>
      {paused ? (
        <button type="button" onClick={resume}>
          {t("flows.resume")}
        </button>
      ) : (
        <button type="button" onClick={() => void generate()}>
          {t("quiet.generate")}
        </button>
      )}
    </div>
  );
}
