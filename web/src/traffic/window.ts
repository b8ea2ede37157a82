import type { Ring } from "../stream/ring.ts";

/** What the table shows of the ring: verdict bits and, if set, frames of one vNIC. */
export interface Match {
  /** Bit v is set if verdict v is shown. */
  verdicts: number;
  /** vNIC number, or 0 for all. */
  vnic: number;
}

export const everything: Match = { verdicts: 0b11110, vnic: 0 };

/**
 * The ordinals of the ring that match, oldest first. Appending is incremental;
 * a changed match scans the ring once. `freeze` holds the newest end, so that a
 * reader's rows stay while the ring goes on filling.
 */
export class Window {
  private readonly ring: Ring;
  private match: Match = everything;
  private index: Float64Array;
  private head = 0; // first valid position of index
  private tail = 0; // one past the last
  private scanned = 0; // ordinal up to which the ring has been looked at
  private frozenEnd = -1;

  constructor(ring: Ring) {
    this.ring = ring;
    this.index = new Float64Array(ring.capacity * 2);
  }

  setMatch(m: Match): void {
    if (m.verdicts === this.match.verdicts && m.vnic === this.match.vnic) return;
    this.match = m;
    this.head = 0;
    this.tail = 0;
    this.scanned = this.ring.oldest;
  }

  get frozen(): boolean {
    return this.frozenEnd >= 0;
  }

  freeze(): void {
    if (this.frozenEnd < 0) this.frozenEnd = this.ring.end;
  }

  thaw(): void {
    this.frozenEnd = -1;
  }

  /** Takes in what the ring got since; call before reading. */
  sync(): void {
    const { ring } = this;
    let from = Math.max(this.scanned, ring.oldest);
    for (; from < ring.end; from++) {
      if (!this.matches(from)) continue;
      if (this.tail === this.index.length) this.compact();
      this.index[this.tail++] = from;
    }
    this.scanned = ring.end;
    while (this.head < this.tail && this.index[this.head]! < ring.oldest) this.head++;
  }

  private matches(ordinal: number): boolean {
    const i = this.ring.slot(ordinal);
    if (!(this.match.verdicts & (1 << this.ring.verdict[i]!))) return false;
    const v = this.match.vnic;
    return v === 0 || this.ring.srcVnic[i] === v || this.ring.dstVnic[i] === v;
  }

  private compact(): void {
    // Two rings wide, and never more than one ring alive: moving is rare.
    while (this.head < this.tail && this.index[this.head]! < this.ring.oldest) this.head++;
    this.index.copyWithin(0, this.head, this.tail);
    this.tail -= this.head;
    this.head = 0;
  }

  /** Rows a reader sees now. */
  get length(): number {
    return this.end() - this.head;
  }

  /** Matching rows that came after the frozen end. */
  get newer(): number {
    return this.tail - this.end();
  }

  /** The ordinal of a row, 0 being the newest shown. */
  at(row: number): number {
    return this.index[this.end() - 1 - row]!;
  }

  /** The row of an ordinal, or -1 if it is not shown. */
  rowOf(ordinal: number): number {
    let lo = this.head;
    const end = this.end();
    let hi = end;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.index[mid]! < ordinal) lo = mid + 1;
      else hi = mid;
    }
    return lo < end && this.index[lo] === ordinal ? end - 1 - lo : -1;
  }

  private end(): number {
    if (this.frozenEnd < 0) return this.tail;
    let lo = this.head;
    let hi = this.tail;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (this.index[mid]! < this.frozenEnd) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
}
