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

interface EdgeState {
  route: Route | null;
  version: number;
  credit: Float32Array; // per verdict, dots owed
  alive: number;
  rate: number; // frames/s, smoothed
  seenAt: number;
}

/** Resolves a pair of vNIC numbers to a route of the present layout. */
export type Resolve = (src: number, dst: number) => Route | null;

export class Dots {
  /** Frames that one dot stands for (accept); rare verdicts are drawn one by one. */
  scale = 1;
  count = 0;
  limit = maxDots;

  private readonly resolve: Resolve;
  private readonly edges = new Map<number, EdgeState>();
  private readonly owner: (EdgeState | null)[] = new Array(maxDots).fill(null);
  /** A dot in flight keeps the route it began on, whatever the layout does meanwhile. */
  private readonly path: (Route | null)[] = new Array(maxDots).fill(null);
  private readonly at = new Float32Array(maxDots);
  private readonly stop = new Float32Array(maxDots);
  private readonly fade = new Float32Array(maxDots);
  private readonly jitter = new Float32Array(maxDots);
  private readonly kind = new Uint8Array(maxDots);
  private readonly point = new Float32Array(2);
  private version = 0;
  private scaleSince = 0;
  private seed = 1;

  constructor(resolve: Resolve) {
    this.resolve = resolve;
  }

  /** The layout changed: edges look their routes up anew. */
  invalidate(): void {
    this.version++;
  }

  /** vNIC numbers mean something else now: edges and dots end. */
  reset(): void {
    this.version++;
    this.edges.clear();
    this.count = 0;
    this.owner.fill(null);
    this.path.fill(null);
  }

  /** Takes one edge of one bin; now in milliseconds of the painter's clock. */
  feed(e: Edge, widthMs: number, now: number): void {
    const key = e.src * 4294967296 + e.dst;
    let s = this.edges.get(key);
    if (!s) {
      s = { route: null, version: -1, credit: new Float32Array(5), alive: 0, rate: 0, seenAt: now };
      this.edges.set(key, s);
    }
    if (s.version !== this.version) {
      s.route = this.resolve(e.src, e.dst);
      s.version = this.version;
    }
    const perSecond = 1000 / widthMs;
    s.rate += ((e.accept + e.reject + e.lost) * perSecond - s.rate) * 0.25;
    s.seenAt = now;
    if (!s.route) return;
    this.emit(s, Accept, e.accept / this.scale, widthMs);
    this.emit(s, Reject, e.reject / this.scale, widthMs);
    this.emit(s, Lost, e.lost / this.scale, widthMs);
    this.emit(s, Control, e.control, widthMs);
  }

  private emit(s: EdgeState, kind: number, dots: number, widthMs: number): void {
    if (dots <= 0) return;
    const owed = Math.min(s.credit[kind]! + dots, 8);
    const whole = Math.floor(owed);
    s.credit[kind] = owed - whole;
    for (let i = 0; i < whole; i++) this.spawn(s, kind, (i / whole) * (widthMs / 1000));
  }

  private spawn(s: EdgeState, kind: number, delay: number): void {
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
  step(dt: number, now: number): void {
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
    this.rescale(now);
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

  private rescale(now: number): void {
    let peak = 0;
    for (const s of this.edges.values()) {
      if (now - s.seenAt > 1500) s.rate = 0;
      peak = Math.max(peak, s.rate);
    }
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

  /** Calls visit for each edge that carries frames now: its route and frames/s. */
  eachEdge(visit: (route: Route, rate: number) => void): void {
    for (const s of this.edges.values()) {
      if (s.route && s.rate >= 0.5) visit(s.route, s.rate);
    }
  }
}
