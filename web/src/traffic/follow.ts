import { signal } from "@preact/signals";
import * as state from "../app/state.ts";
import { Snapshot, type SortKey } from "./snapshot.ts";
import type { Table } from "./table.ts";
import { type Rows, Window } from "./window.ts";

// Which rows the table shows: the newest as they come, as they were when a reader
// stopped, or sorted as they were then.

const window_ = new Window(state.ring);
export const following = signal(true);
/** How rows are sorted; null: the newest first, as they come. */
export const sorted = signal<{ column: string; down: boolean } | null>(null);
let snapshot: Snapshot | null = null;
let table: Table | null = null;

export const rows = (): Rows => snapshot ?? window_;

/** The table that is on the screen, if one is. */
export function attach(next: Table | null): void {
  table = next;
}

export const refresh = (): void => table?.refresh();

/** Sorts what is there now; key null ends it. */
export function sortBy(column: string, down: boolean, key: SortKey | null): void {
  snapshot = key && new Snapshot(state.ring, key, down);
  sorted.value = key && { column, down };
  if (!key) {
    followNewest();
    return;
  }
  following.value = false;
  table?.toTop();
  table?.refresh();
}

export function followNewest(): void {
  snapshot = null;
  sorted.value = null;
  following.value = true;
  state.packetsPaused.value = false;
  state.packet.value = -1;
  window_.thaw();
  table?.toTop();
}

export function togglePause(): void {
  if (state.packetsPaused.value) followNewest();
  else {
    state.packetsPaused.value = true;
    unfollow();
  }
}

export function unfollow(): void {
  following.value = false;
  window_.freeze();
}

/** Until the past of a new filter is there, milliseconds. */
const pastMs = 300;

/** The rows are of another filter: a reader who held the old ones holds these, once they are there. */
export function anew(): void {
  if (snapshot) {
    followNewest();
    return;
  }
  if (following.value) return;
  window_.thaw();
  setTimeout(() => {
    if (following.value || snapshot) return;
    window_.freeze();
    table?.reveal(state.packet.value);
  }, pastMs);
}

export function pick(ordinal: number): void {
  unfollow();
  state.packet.value = state.packet.value === ordinal ? -1 : ordinal;
}

/** Selects the next (older) or previous (newer) packet of what is shown. */
export function stepPacket(by: number): void {
  const shown = rows();
  shown.sync();
  if (shown.length === 0) return;
  unfollow();
  const row = state.packet.value < 0 ? -1 : shown.rowOf(state.packet.value);
  const next = Math.min(shown.length - 1, Math.max(0, row < 0 ? 0 : row + by));
  state.packet.value = shown.at(next);
  table?.reveal(state.packet.value);
}

/** Brings a packet into sight that was selected elsewhere, if the rows have it. */
export function revealPacket(ordinal: number): void {
  rows().sync();
  if (rows().rowOf(ordinal) < 0) {
    window_.thaw();
    window_.sync();
  }
  unfollow();
  if (rows().rowOf(ordinal) >= 0) table?.reveal(ordinal);
}
