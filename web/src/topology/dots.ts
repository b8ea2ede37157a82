import type { Edge } from "../stream/codec.ts";
import { Accept, Control, Lost, Reject } from "../stream/ring.ts";
import { pointAt, type Route } from "./edges.ts";

// Dots are driven by exact bins, never by sampled records. All state is in
// typed arrays; spawning and moving allocate nothing.

export const maxDots = 1500;
const maxPerEdge = 60;
/** World px/s, the same wherever it can be: length must not look like latency. */
const speed = 230;
/** The longest time on the way: dots of a far way must not still fly when all is over. */
const maxSeconds = 3;
const speedOf = (r: Route): number => Math.max(speed, r.total / maxSeconds);
const fadeSeconds = 0.45;
/** Frames per dot, from which the smallest is taken that keeps the picture readable. */
const scales = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000];
const dotsPerSecondPerEdge = 14;
const scaleHoldMs = 3000;

/** What is drawn between two places: one line for all pairs of interfaces that it stands for. */
export interface Line {
  readonly key: string;
  readonly route: Route | null;
  /** The places at its ends, for who asks which lines are an interface's. */
  readonly ends: readonly [string, string];
  /** Frames/s, smoothed. */
  rate: number;
  /** In sight when it was last looked at: dots that nobody would see are not begun. */
  shown: boolean;
  credit: Float32Array; // per verdict, dots owed
  alive: number;
  frames: number; // since the rate was last taken
}

/** Where the frames of a pair of vNIC numbers are drawn. */
export interface Drawn {
  /** Pairs of one key are one line. */
  key: string;
  ends: readonly [string, string];
  route: () => Route | null;
}

export type Resolve = (src: number, dst: number) => Drawn | null;

interface Pair {
  line: Line | null;
  version: number;
}

/** The longest time that counts for a rate: a page that was hidden has counted less than passed. */
const longestMs = 1000;
const smoothing = 0.4;
/** Pairs that are remembered; beyond them all are looked up anew. */
const maxPairs = 1 << 17;

export class Dots {
  /** Frames that one dot stands for (accept); rare verdicts are drawn one by one. */
  scale = 1;
  count = 0;
  limit = maxDots;

  private readonly resolve: Resolve;
  private readonly pairs = new Map<number, Pair>();
  private lines = new Map<string, Line>();
  private readonly owner: (Line | null)[] = new Array(maxDots).fill(null);
  /** A dot in flight keeps the route it began on, whatever the layout does meanwhile. */
  private readonly path: (Route | null)[] = new Array(maxDots).fill(null);
  private readonly at = new Float32Array(maxDots);
  private readonly stop = new Float32Array(maxDots);
  private readonly fade = new Float32Array(maxDots);
  private readonly jitter = new Float32Array(maxDots);
  private readonly kind = new Uint8Array(maxDots);
  private readonly point = new Float32Array(2);
  private version = 0;
  private unresolved = 0;
  private settledAt = 0;
  private scaleSince = 0;
  private seed = 1;

  constructor(resolve: Resolve) {
    this.resolve = resolve;
  }

  /** The layout changed: lines look their routes up anew. */
  invalidate(): void {
    this.version++;
    const before = this.lines;
    this.lines = new Map();
    for (const [key, l] of before) {
      // Its successor goes on with the same rate; those of its dots that fly keep their route.
      if (l.rate > 0) this.lines.set(key, { ...l, route: null, ends: ["", ""] });
    }
  }

  /** More numbers are known: pairs that meant nothing are asked for again. */
  learned(): void {
    this.unresolved++;
  }

  /** vNIC numbers mean something else now: lines and dots end. */
  reset(): void {
    this.version++;
    this.pairs.clear();
    this.lines.clear();
    this.count = 0;
    this.owner.fill(null);
    this.path.fill(null);
  }

  /** Takes one edge of one bin. */
  feed(e: Edge, widthMs: number): void {
    const line = this.lineOf(e.src, e.dst);
    if (!line) return;
    line.frames += e.accept + e.reject + e.lost;
    if (!line.route || !line.shown) return;
    this.emit(line, Accept, e.accept / this.scale, widthMs);
    this.emit(line, Reject, e.reject / this.scale, widthMs);
    this.emit(line, Lost, e.lost / this.scale, widthMs);
    this.emit(line, Control, e.control, widthMs);
  }

  private lineOf(src: number, dst: number): Line | null {
    const number = src * 4294967296 + dst;
    let pair = this.pairs.get(number);
    if (!pair) {
      if (this.pairs.size >= maxPairs) this.pairs.clear();
      pair = { line: null, version: -1 };
      this.pairs.set(number, pair);
    }
    // What could not be drawn is asked for again when more is known.
    const version = pair.line ? this.version : this.version * 65536 + this.unresolved;
    if (pair.version === version) return pair.line;
    const drawn = this.resolve(src, dst);
    pair.line = drawn && this.line(drawn);
    pair.version = pair.line ? this.version : this.version * 65536 + this.unresolved;
    return pair.line;
  }

  private line(d: Drawn): Line {
    const known = this.lines.get(d.key);
    if (known && (known.route || known.ends[0])) return known;
    const route = d.route();
    const line: Line = {
      key: d.key,
      route,
      ends: d.ends,
      rate: known?.rate ?? 0,
      shown: known?.shown ?? true,
      credit: known?.credit ?? new Float32Array(5),
      alive: 0,
      frames: known?.frames ?? 0,
    };
    this.lines.set(d.key, line);
    return line;
  }

  private emit(s: Line, kind: number, dots: number, widthMs: number): void {
    if (dots <= 0) return;
    const owed = Math.min(s.credit[kind]! + dots, 8);
    const whole = Math.floor(owed);
    s.credit[kind] = owed - whole;
    for (let i = 0; i < whole; i++) this.spawn(s, kind, (i / whole) * (widthMs / 1000));
  }

  private spawn(s: Line, kind: number, delay: number): void {
    if (this.count >= this.limit || s.alive >= maxPerEdge) return;
    const i = this.count++;
    s.alive++;
    this.owner[i] = s;
    this.kind[i] = kind;
    // Spread over the bin, so that dots do not march in blocks of 100 ms.
    this.at[i] = -delay * speedOf(s.route!);
    this.path[i] = s.route;
    // A route ends at the bus if nobody owns the address, else at the owner's port.
    this.stop[i] = s.route!.total;
    this.fade[i] = 0;
    this.seed = (this.seed * 1664525 + 1013904223) >>> 0;
    this.jitter[i] = (this.seed / 4294967296 - 0.5) * 3;
  }

  /** Advances by dt seconds; ended dots leave by swapping with the last. */
  step(dt: number): void {
    for (let i = 0; i < this.count; ) {
      const ended = this.at[i]! >= this.stop[i]!;
      if (!ended) {
        this.at[i] = this.at[i]! + speedOf(this.path[i]!) * dt;
        i++;
        continue;
      }
      // Delivered frames vanish in the port; the others stay a moment where they ended.
      this.fade[i] = this.fade[i]! + dt;
      if (this.kind[i] === Accept || this.kind[i] === Control || this.fade[i]! > fadeSeconds) this.remove(i);
      else i++;
    }
  }

  private remove(i: number): void {
    const s = this.owner[i];
    if (s) s.alive--;
    const last = --this.count;
    this.owner[i] = this.owner[last]!;
    this.path[i] = this.path[last]!;
    this.at[i] = this.at[last]!;
    this.stop[i] = this.stop[last]!;
    this.fade[i] = this.fade[last]!;
    this.jitter[i] = this.jitter[last]!;
    this.kind[i] = this.kind[last]!;
    this.owner[last] = null;
    this.path[last] = null;
  }

  /** Takes the lines' rates, when it is time; true if it was. */
  settle(now: number, everyMs: number): boolean {
    const passed = now - this.settledAt;
    if (passed < everyMs) return false;
    this.settledAt = now;
    let peak = 0;
    for (const [key, l] of this.lines) {
      const measured = (l.frames * 1000) / Math.min(passed, longestMs);
      l.frames = 0;
      l.rate = l.rate === 0 ? measured : l.rate + (measured - l.rate) * smoothing;
      if (l.rate < 0.2 && measured === 0) {
        l.rate = 0;
        if (!l.ends[0]) this.lines.delete(key);
      }
      if (l.shown) peak = Math.max(peak, l.rate);
    }
    this.rescale(peak, now);
    return true;
  }

  private rescale(peak: number, now: number): void {
    const want = scales.find((x) => peak / x <= dotsPerSecondPerEdge) ?? scales.at(-1)!;
    // A scale that flickers cannot be read: go up at once, down after a while.
    if (want > this.scale) {
      this.scale = want;
      this.scaleSince = now;
    } else if (want < this.scale && now - this.scaleSince > scaleHoldMs) {
      this.scale = want;
      this.scaleSince = now;
    }
  }

  /** Calls draw for each visible dot: kind, world x, y, and opacity. */
  each(draw: (kind: number, x: number, y: number, alpha: number) => void): void {
    for (let i = 0; i < this.count; i++) {
      if (this.at[i]! < 0) continue;
      pointAt(this.path[i]!, Math.min(this.at[i]!, this.stop[i]!), this.point);
      const alpha = this.fade[i]! > 0 ? 1 - this.fade[i]! / fadeSeconds : 1;
      draw(this.kind[i]!, this.point[0]! + this.jitter[i]! * 0.4, this.point[1]! + this.jitter[i]!, alpha);
    }
  }

  /** Calls visit for each line that carries frames now. */
  eachLine(visit: (line: Line, route: Route) => void): void {
    for (const l of this.lines.values()) {
      if (l.route && l.rate >= 0.5) visit(l, l.route);
    }
  }
}
