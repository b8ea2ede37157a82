import { onEdges } from "../app/session.ts";
import * as state from "../app/state.ts";

/** A silence of the served interface as the exact bins show it, in microseconds. */
export interface Silence {
  from: number;
  to: number;
}

// Two bins without a reply are a silence; one can be a client's own rhythm.
const silenceMicros = 200_000;

let heardUntil = 0;
let last: Silence | null = null;

/** The newest silence that has ended, or null. */
export const lastSilence = (): Silence | null => last;

/** Watches what the served interface sends to clients; its prober does not count as one. */
export function watchReplies(): () => void {
  return onEdges((start, widthMs, e) => {
    if (e.accept === 0) return;
    const served = state.servedEni.value?.id;
    if (!served || state.dictionary.eni(e.src) !== served) return;
    const prober = state.topology.value?.policies[0]?.probe.fromInterfaceId;
    if (state.dictionary.eni(e.dst) === prober) return;
    if (heardUntil > 0 && start - heardUntil >= silenceMicros) last = { from: heardUntil, to: start };
    heardUntil = Math.max(heardUntil, start + widthMs * 1000);
  });
}
