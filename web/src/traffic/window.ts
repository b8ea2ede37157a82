import type { Ring } from "../stream/ring.ts";

/** What a table shows, by rows: row 0 is the first. */
export interface Rows {
  readonly length: number;
  /** How many came since, and are not among the rows. */
  readonly newer: number;
  /** Takes in what the ring got since; call before reading. */
  sync(): void;
  /** The ordinal of a row. */
  at(row: number): number;
  /** The row of an ordinal, or -1 if it is not shown. */
  rowOf(ordinal: number): number;
}

/**
 * All of the ring, the newest first. `freeze` holds the newest end, so that a
 * reader's rows stay while the ring goes on filling.
 */
export class Window implements Rows {
  private readonly ring: Ring;
  private frozenEnd = -1;

  constructor(ring: Ring) {
    this.ring = ring;
  }

  freeze(): void {
    if (this.frozenEnd < 0) this.frozenEnd = this.ring.end;
  }

  thaw(): void {
    this.frozenEnd = -1;
  }

  sync(): void {
    // A ring that was emptied has nothing of what was held.
    if (this.frozenEnd >= 0 && this.frozenEnd < this.ring.oldest) this.frozenEnd = this.ring.oldest;
  }

  get length(): number {
    return Math.max(0, this.end() - this.ring.oldest);
  }

  get newer(): number {
    return this.ring.end - this.end();
  }

  at(row: number): number {
    return this.end() - 1 - row;
  }

  rowOf(ordinal: number): number {
    const end = this.end();
    return ordinal >= this.ring.oldest && ordinal < end ? end - 1 - ordinal : -1;
  }

  private end(): number {
    return this.frozenEnd < 0 ? this.ring.end : this.frozenEnd;
  }
}
