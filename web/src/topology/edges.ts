import type { Rect } from "./camera.ts";
import type { Anchor, Layout, Point } from "./shapes.ts";

/** A path of frames: corner points in world coordinates, with running lengths. */
export interface Route {
  points: Float32Array;
  lengths: Float32Array;
  total: number;
  /** Length at which a frame without a receiver ends: where the source's bus is. */
  bus: number;
  /** What it lies within. */
  bounds: Rect;
  /** The port it begins at, for what is written beside it. */
  origin: { id: string; x: number; y: number; side: "left" | "right" };
}

const laneOffset = 4;
const traceOffset = 3;

/**
 * The route through places in turn: sender, gateways, receiver. From one place
 * alone it goes to the bus, where a frame ends that nobody takes. Places that are
 * not drawn are passed over; null if the sender is not drawn.
 */
export function route(l: Layout, places: readonly string[]): Route | null {
  const from = l.anchors.get(places[0] ?? "");
  if (!from) return null;
  const stops = places.map((id) => l.anchors.get(id)).filter((a) => a !== undefined);
  const to = stops[stops.length - 1]!;
  // Frames of one direction share a lane, the other direction the lane beside it.
  const forward = from.x < to.x || (from.x === to.x && from.y < to.y);
  const corners = through(stops);
  if (!corners) return measure(toBus(from), from, () => -laneOffset);
  return measure(corners, from, () => (forward ? -laneOffset : laneOffset), to);
}

/** The way of one frame: where it comes back over its own way, the two lie side by side. */
export function wayOf(l: Layout, places: readonly string[]): Route | null {
  const stops = places.map((id) => l.anchors.get(id)).filter((a) => a !== undefined);
  const from = stops[0];
  if (!from) return null;
  const corners = through(stops);
  if (!corners) return measure(toBus(from), from, () => -traceOffset);
  const turns = new Set(stops.slice(1, -1).filter((a) => a.port));
  let side = -traceOffset;
  return measure(
    corners,
    from,
    ([x, y]) => {
      for (const a of turns) {
        if (a.x !== x || a.y !== y) continue;
        turns.delete(a);
        side = -side;
        return 0;
      }
      return side;
    },
    stops.at(-1),
  );
}

/** null: there is one stop only, or no way between two. */
function through(stops: readonly Anchor[]): Point[] | null {
  if (stops.length < 2) return null;
  const corners: Point[] = [];
  for (let i = 1; i < stops.length; i++) {
    const leg = connect(stops[i - 1]!, stops[i]!);
    if (!leg) return null;
    corners.push(...(i > 1 ? leg.slice(1) : leg));
  }
  return corners;
}

const toBus = (a: Anchor): Point[] => [[a.x, a.y], ...(a.hubs[0]?.[1].slice(0, 1) ?? [])];

/** The corners between two places: up to the first hub that both are at, and down. */
function connect(a: Anchor, b: Anchor): Point[] | null {
  for (const [hub, up] of a.hubs) {
    const down = b.hubs.find(([other]) => other === hub);
    if (down) return [[a.x, a.y], ...up, ...down[1].toReversed(), [b.x, b.y]];
  }
  return null;
}

function measure(corners: Point[], from: Anchor, offset: (p: Point) => number, to?: Anchor): Route {
  const points = new Float32Array(corners.length * 2);
  const lengths = new Float32Array(corners.length);
  let total = 0;
  const least = [Infinity, Infinity];
  const most = [-Infinity, -Infinity];
  corners.forEach(([x, y], i) => {
    const d = offset([x, y]);
    // Ports are where they are; everything else keeps to its lane.
    const end = i === 0 || (i === corners.length - 1 && to?.port);
    points[i * 2] = end ? x : x + d;
    points[i * 2 + 1] = y + d;
    if (i > 0) {
      total +=
        Math.abs(points[i * 2]! - points[i * 2 - 2]!) + Math.abs(points[i * 2 + 1]! - points[i * 2 - 1]!);
    }
    lengths[i] = total;
    for (let k = 0; k < 2; k++) {
      least[k] = Math.min(least[k]!, points[i * 2 + k]!);
      most[k] = Math.max(most[k]!, points[i * 2 + k]!);
    }
  });
  const [left, top] = least as [number, number];
  return {
    points,
    lengths,
    total,
    // A line has a breadth; one of a single stroke would else lie within nothing.
    bounds: { x: left - 4, y: top - 4, w: most[0]! - left + 8, h: most[1]! - top + 8 },
    bus: lengths[1] ?? total,
    origin: { id: from.id, x: from.x, y: from.y, side: from.side },
  };
}

/** Writes the point at a distance along the route into out[0], out[1]. */
export function pointAt(r: Route, distance: number, out: Float32Array): void {
  const n = r.lengths.length;
  let i = 1;
  while (i < n - 1 && r.lengths[i]! < distance) i++;
  const start = r.lengths[i - 1]!;
  const span = r.lengths[i]! - start;
  const f = span > 0 ? Math.min(1, Math.max(0, (distance - start) / span)) : 0;
  const k = (i - 1) * 2;
  out[0] = r.points[k]! + (r.points[k + 2]! - r.points[k]!) * f;
  out[1] = r.points[k + 1]! + (r.points[k + 3]! - r.points[k + 1]!) * f;
}
