import { effect, signal } from "@preact/signals";
import * as state from "../app/state.ts";

/** A frame that is looked at: of the recording, or of a capture's file. */
export type Shown = { kind: "frame"; cursor: number } | { kind: "captured"; capture: string; number: number };

/** The frame in the packet view; null: the view is closed. */
export const shown = signal<Shown | null>(null);

export const keyOf = (s: Shown): string =>
  s.kind === "frame" ? `/frames/${s.cursor}` : `/captures/${s.capture}/frames/${s.number}`;

/** The page's packet view follows the live table. */
effect(() => {
  const ordinal = state.packet.value;
  if (ordinal < 0) {
    if (shown.peek()?.kind === "frame") shown.value = null;
  } else if (state.ring.holds(ordinal)) {
    shown.value = { kind: "frame", cursor: state.ring.seq[state.ring.slot(ordinal)]! };
  }
});

export function closePacket(): void {
  state.packet.value = -1;
  shown.value = null;
}

/** The ordinal of a cursor in the page's own ring, or -1: what the stream sent of it. */
export function ordinalOf(cursor: number): number {
  const { ring } = state;
  let lo = ring.oldest;
  let hi = ring.end;
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    if (ring.seq[ring.slot(mid)]! < cursor) lo = mid + 1;
    else hi = mid;
  }
  return lo < ring.end && ring.seq[ring.slot(lo)] === cursor ? lo : -1;
}

/** Opens a frame of the recording, in the table too if that has it. */
export function showFrame(cursor: number): void {
  const ordinal = ordinalOf(cursor);
  state.packet.value = ordinal;
  if (ordinal < 0) shown.value = { kind: "frame", cursor };
}
