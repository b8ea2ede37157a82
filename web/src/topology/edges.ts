import type { Chip, Layout } from "./layout.ts";

/** A path of frames: corner points in world coordinates, with running lengths. */
export interface Route {
  points: Float32Array;
  lengths: Float32Array;
  total: number;
  /** Length at which a frame without a receiver ends: where the source's bus is. */
  bus: number;
  /** The port it begins at, for what is written beside it. */
  origin: { eni: string; x: number; y: number; side: "left" | "right" };
}

const laneOffset = 4;

const port = (c: Chip): [number, number] => [c.side === "right" ? c.x + c.w : c.x, c.y + c.h / 2];

/** The route from one chip to another, or only to the bus when nobody owns the destination. */
export function route(l: Layout, from: Chip, to: Chip | undefined): Route | null {
  const a = l.buses.get(from.subnet);
  if (!a) return null;
  const [fx, fy] = port(from);
  // Frames of one direction share a lane, the other direction the lane beside it.
  const forward = !to || fx < port(to)[0] || (fx === port(to)[0] && fy < port(to)[1]);
  const d = forward ? -laneOffset : laneOffset;
  const corners: [number, number][] = [
    [fx, fy + d],
    [a.x + d, fy + d],
  ];
  if (to) {
    const b = l.buses.get(to.subnet);
    if (!b) return null;
    const [tx, ty] = port(to);
    if (to.subnet !== from.subnet) {
      corners.push([a.x + d, a.lane + d], [b.x + d, b.lane + d]);
    }
    corners.push([b.x + d, ty + d], [tx, ty + d]);
  }
  return measure(corners, { eni: from.eni, x: fx, y: fy, side: from.side });
}

function measure(corners: [number, number][], origin: Route["origin"]): Route {
  const points = new Float32Array(corners.length * 2);
  const lengths = new Float32Array(corners.length);
  let total = 0;
  corners.forEach(([x, y], i) => {
    points[i * 2] = x;
    points[i * 2 + 1] = y;
    if (i > 0) {
      const [px, py] = corners[i - 1]!;
      total += Math.abs(x - px) + Math.abs(y - py);
    }
    lengths[i] = total;
  });
  return { points, lengths, total, bus: lengths[1] ?? total, origin };
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
