import type { Ring } from "../stream/ring.ts";
import type { Rows } from "./window.ts";

/** Rows that are sorted hold still: at most so many, the newest. */
export const snapshotRows = 20_000;

/** What a row is sorted by: a number or a text of its record. */
export type SortKey = (ordinal: number) => number | string;

/** Rows as they were when they were sorted; what comes later is counted only. */
export class Snapshot implements Rows {
  private readonly ring: Ring;
  private ordinals: Float64Array;
  private readonly taken: number;
  private rows: Map<number, number> | null = null;
  private oldest: number;

  constructor(ring: Ring, key: SortKey, down: boolean) {
    this.ring = ring;
    this.taken = ring.end;
    const from = Math.max(ring.oldest, ring.end - snapshotRows);
    this.oldest = from;
    const all = Array.from({ length: ring.end - from }, (_, i) => {
      const ordinal = ring.end - 1 - i;
      return { ordinal, key: key(ordinal) };
    });
    // Stable: what is equal stays the newest first.
    all.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) * (down ? -1 : 1));
    this.ordinals = Float64Array.from(all, (x) => x.ordinal);
  }

  /** Rows leave when the ring overwrites them. */
  sync(): void {
    if (this.oldest >= this.ring.oldest) return;
    this.oldest = this.ring.oldest;
    this.ordinals = this.ordinals.filter((o) => o >= this.oldest);
    this.rows = null;
  }

  get length(): number {
    return this.ordinals.length;
  }

  get newer(): number {
    return this.ring.end - Math.max(this.taken, this.ring.oldest);
  }

  at(row: number): number {
    return this.ordinals[row]!;
  }

  rowOf(ordinal: number): number {
    this.rows ??= new Map(Array.from(this.ordinals, (o, i) => [o, i]));
    return this.rows.get(ordinal) ?? -1;
  }
}
