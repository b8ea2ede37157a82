import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Failover } from "../api/types.ts";
import { faultPressedAt } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { instant, millis, t } from "../i18n/i18n.ts";
import { lastSilence } from "./replies.ts";

interface Count {
  ms: number;
  /** Replies flow again; what remains is to judge every client. */
  answered: boolean;
}

/** How long the outage lasts or lasted, as far as the frames have shown it by now. */
function soFar(f: Failover | null): Count | null {
  if (!f) return { ms: Date.now() - faultPressedAt.value, answered: false };
  const begun = instant(f.control?.faultAt ?? f.startedAt);
  const silence = lastSilence();
  // A bin is 100 ms wide: the last reply before a fault can share the fault's bin.
  if (silence && silence.to / 1000 > begun && silence.from / 1000 > begun - 200) {
    // The bin of the first reply began before it; no reply came before the interface was attached.
    const attached = instant(f.phases?.find((p) => p.name === "attach")?.end);
    const answered = Math.max(silence.to / 1000, Number.isNaN(attached) ? 0 : attached);
    return { ms: answered - Math.max(begun, silence.from / 1000), answered: true };
  }
  // A move interrupts for a moment or not at all: no count until silence is seen.
  if (f.kind !== "failover") return null;
  return { ms: Math.max(0, state.serverNow() - begun), answered: false };
}

/** The big number. While the outage lasts it is written each frame, past the framework. */
export function Outage({ failover: f }: { failover: Failover | null }) {
  const running = f ? f.state === "running" : faultPressedAt.value > 0;
  const number = useRef<HTMLSpanElement>(null);
  const stage = useSignal<"running" | "measuring" | "judging">("running");
  useEffect(() => {
    if (!running) return;
    let frame = 0;
    const loop = (): void => {
      frame = requestAnimationFrame(loop);
      const count = soFar(f);
      stage.value = count === null ? "judging" : count.answered ? "measuring" : "running";
      if (number.current) number.current.textContent = count ? millis(Math.floor(count.ms)) : "…";
    };
    frame = requestAnimationFrame(loop);
    return () => cancelAnimationFrame(frame);
  }, [running, f]);
  if (running) {
    return (
      <span class="outage running">
        {/* Written by the loop above; a key keeps it apart from the settled number. */}
        <span key="live" class="big" ref={number} />
        <span class="unit">{t(`failover.${stage.value}`)}</span>
      </span>
    );
  }
  if (!f) return null;
  if (typeof f.outageMs !== "number") {
    return (
      <span class="outage">
        <span class="big none">–</span>
        <span class="unit">
          {t("failover.notMeasured")}
          <br />
          <small>{t("failover.notMeasuredHint")}</small>
        </span>
      </span>
    );
  }
  return (
    <span class="outage" data-outage={f.outageMs}>
      <span key="settled" class="big">
        {millis(f.outageMs)}
      </span>
      <span class="unit">{t("failover.outage")}</span>
    </span>
  );
}
