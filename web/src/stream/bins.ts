import type { Edge } from "./codec.ts";

/** Two minutes of 100 ms bins: enough for every failover's window. */
const slots = 1200;

/**
 * Exact counts per bin, binned by the server from event time. A bin that
 * arrives in several messages (one per worker flush) adds up.
 */
export class BinHistory {
  readonly widthMs: number;
  private readonly start = new Float64Array(slots).fill(-1);
  private readonly counts = new Float64Array(slots * 4);
  /** Start of the newest bin in microseconds, or -1 before the first. */
  newest = -1;
  /** Start of the first bin that came, or -1: nothing before it is known. */
  first = -1;

  constructor(widthMs = 100) {
    this.widthMs = widthMs;
  }

  add(startMicros: number, e: Edge): void {
    const i = this.slot(startMicros);
    if (i < 0) return;
    const c = i * 4;
    this.counts[c] = this.counts[c]! + e.accept;
    this.counts[c + 1] = this.counts[c + 1]! + e.reject;
    this.counts[c + 2] = this.counts[c + 2]! + e.lost;
    this.counts[c + 3] = this.counts[c + 3]! + e.control;
  }

  /** Notes that a bin exists even if no frame fell into it. */
  touch(startMicros: number): void {
    this.slot(startMicros);
  }

  /**
   * Rates per second in [from, to) microseconds: times in seconds relative to
   * zero, then accepted, rejected and lost. A missing bin is a gap (null), so
   * a pause of the stream does not look like silence of the network. The newest bin is
   * left out: it is still being filled, and would look like a fall.
   */
  series(fromMicros: number, toMicros: number, zeroMicros: number): (number | null)[][] {
    const width = this.widthMs * 1000;
    const out: (number | null)[][] = [[], [], [], []];
    const perSecond = 1000 / this.widthMs;
    for (let t = Math.floor(fromMicros / width) * width; t < toMicros && t < this.newest; t += width) {
      const i = (t / width) % slots;
      const known = this.start[i] === t;
      out[0]!.push((t + width / 2 - zeroMicros) / 1e6);
      for (let k = 0; k < 3; k++) out[k + 1]!.push(known ? this.counts[i * 4 + k]! * perSecond : null);
    }
    return out;
  }

  /** Whether any bin of [from, to) microseconds is still held. */
  covers(fromMicros: number, toMicros: number): boolean {
    const width = this.widthMs * 1000;
    for (let t = Math.floor(fromMicros / width) * width; t < toMicros; t += width) {
      if (this.start[(t / width) % slots] === t) return true;
    }
    return false;
  }

  /** Frames lost since an instant, of the bins that are held. */
  lostSince(micros: number): number {
    const width = this.widthMs * 1000;
    let sum = 0;
    const from = Math.max(Math.floor(micros / width) * width, this.newest - (slots - 1) * width);
    for (let t = from; t <= this.newest; t += width) {
      const i = (t / width) % slots;
      if (this.start[i] === t) sum += this.counts[i * 4 + 2]!;
    }
    return sum;
  }

  /** Frames per second over the last whole bins of `ms` milliseconds, by verdict. */
  rates(ms: number): { accept: number; reject: number; lost: number; control: number } {
    const width = this.widthMs * 1000;
    const n = Math.max(1, Math.round(ms / this.widthMs));
    const sum = [0, 0, 0, 0];
    for (let k = 1; k <= n; k++) {
      const t = this.newest - k * width;
      const i = (t / width) % slots;
      if (t < 0 || this.start[i] !== t) continue;
      for (let j = 0; j < 4; j++) sum[j] = sum[j]! + this.counts[i * 4 + j]!;
    }
    const f = 1000 / (n * this.widthMs);
    return { accept: sum[0]! * f, reject: sum[1]! * f, lost: sum[2]! * f, control: sum[3]! * f };
  }

  private slot(startMicros: number): number {
    const width = this.widthMs * 1000;
    const t = Math.round(startMicros / width) * width;
    const i = (t / width) % slots;
    if (this.start[i] !== t) {
      // Older than what the slot holds now: the bin has left the window.
      if (this.start[i]! > t) return -1;
      this.start[i] = t;
      this.counts.fill(0, i * 4, i * 4 + 4);
    }
    if (this.first < 0) this.first = t;
    if (t > this.newest) this.newest = t;
    return i;
  }
}
