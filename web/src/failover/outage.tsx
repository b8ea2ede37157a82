import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Failover } from "../api/types.ts";
import { faultSince } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { instant, millis, t } from "../i18n/i18n.ts";

interface Count {
  ms: number;
  /** Replies flow again; what remains is to judge every client. */
  answered: boolean;
}

/** From where on a request without a reply is silence; the server's figure for it, too. */
const silenceMs = 200;
/** A client that had been silent for so long before the fault is not the fault's victim. */
const beforeMs = 2000;

/**
 * How long the outage lasts or lasted: what the interface's own clients have gone
 * without a reply, by the server's figures, which a page that was just loaded has too.
 */
function soFar(f: Failover | null): Count | null {
  const n = f ? state.enisById.value.get(f.networkInterfaceId) : state.servedEni.value;
  const begun = f ? instant(f.control?.faultAt ?? f.startedAt) : faultSince.value;
  const now = state.serverNow();
  let silentSince = Number.POSITIVE_INFINITY;
  let ended = 0;
  for (const c of state.flows.value) {
    if (!n?.privateIps.some((p) => p.address === c.target)) continue;
    const last = instant(c.lastReplyAt);
    if (now - instant(c.waitingSince) >= silenceMs && last >= begun - beforeMs) {
      silentSince = Math.min(silentSince, last);
    }
    const from = instant(c.silenceFrom);
    const to = instant(c.silenceTo);
    if (from >= begun - beforeMs && to > begun) ended = Math.max(ended, to - from);
  }
  if (silentSince < Number.POSITIVE_INFINITY) return { ms: now - silentSince, answered: false };
  return ended > 0 ? { ms: ended, answered: true } : null;
}

/** The big number. While the outage lasts it is written each frame, past the framework. */
export function Outage({ failover: f }: { failover: Failover | null }) {
  const running = f ? f.state === "running" : faultSince.value > 0;
  const number = useRef<HTMLSpanElement>(null);
  const stage = useSignal<"running" | "measuring" | "judging" | "waiting">("waiting");
  useEffect(() => {
    if (!running) return;
    let frame = 0;
    const loop = (): void => {
      frame = requestAnimationFrame(loop);
      const count = soFar(f);
      stage.value = count === null ? (f ? "judging" : "waiting") : count.answered ? "measuring" : "running";
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
          <small>{t(f.requestsSent ? "failover.notMeasuredWhole" : "failover.notMeasuredHint")}</small>
        </span>
      </span>
    );
  }
  return (
    <span class="outage" data-outage={f.outageMs} title={t("measured.outageHow")}>
      <span key="settled" class="big">
        {millis(f.outageMs)}
      </span>
      <span class="unit">{t("failover.outage")}</span>
    </span>
  );
}
