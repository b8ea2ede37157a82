import { type Camera, type Rect, seen, touches } from "./camera.ts";
import type { Box, Chip, Layout } from "./shapes.ts";

// How much of the picture is drawn at a scale, and which of it is in sight. Only
// what is in sight has elements; far away, what is in a subnet is paint alone.

/**
 * near: everything, with its words. middle: cards with a name and a rate, their
 * interfaces as dots. far: subnets with their counts and rates, a dot an instance.
 */
export type Detail = "near" | "middle" | "far";

export const nearScale = 0.35;
export const middleScale = 0.2;

export const detailOf = (scale: number): Detail =>
  scale >= nearScale ? "near" : scale >= middleScale ? "middle" : "far";

/** Elements begin so many pixels before they come into sight. */
const margin = 240;

const always: ReadonlySet<Box["kind"]> = new Set<Box["kind"]>([
  "vpc",
  "zone",
  "subnet",
  "internet",
  "igw",
  "peering",
  "transit",
  "endpoint",
]);
/** Whether a kind of box has an element at a level of detail. */
export const drawn = (kind: Box["kind"], detail: Detail): boolean =>
  always.has(kind) || detail === "near" || (detail === "middle" && kind !== "slot");

export interface InSight {
  detail: Detail;
  boxes: Box[];
  chips: Chip[];
  /** What of the tree has elements, in reading order. */
  order: string[];
  ids: ReadonlySet<string>;
}

export const nothing: InSight = { detail: "near", boxes: [], chips: [], order: [], ids: new Set() };

/** What of a picture has elements: what is in sight at its level of detail, and what is held there by id. */
export function inSight(
  l: Layout,
  c: Camera,
  stage: { width: number; height: number },
  held: ReadonlySet<string>,
): InSight {
  const detail = detailOf(c.scale);
  const area = seen(c, stage, margin);
  const boxes = l.boxes.filter((b) => held.has(b.id) || (drawn(b.kind, detail) && touches(b, area)));
  const chips = l.chips.filter((b) => held.has(b.eni) || (detail !== "far" && touches(b, area)));
  const ids = new Set<string>();
  for (const b of boxes) if (b.kind !== "slot") ids.add(b.id);
  for (const b of chips) ids.add(b.eni);
  return { detail, boxes, chips, order: l.order.filter((id) => ids.has(id)), ids };
}

/** What a person can walk to at a level of detail, in reading order: more than is in sight. */
export function walkable(l: Layout, detail: Detail): string[] {
  if (detail !== "far") return l.order;
  const kept = new Set(l.boxes.filter((b) => drawn(b.kind, "far")).map((b) => b.id));
  return l.order.filter((id) => kept.has(id));
}

const inside = (b: Rect, x: number, y: number): boolean =>
  x >= b.x && x < b.x + b.w && y >= b.y && y < b.y + b.h;

/** What of a picture is at a point of the world: a chip before its card, a card before its subnet; "" for nothing. */
export function hit(l: Layout, x: number, y: number): string {
  let found = "";
  let level = 0;
  for (const b of l.boxes) {
    if (b.level <= level || b.kind === "slot" || !inside(b, x, y)) continue;
    found = b.id;
    level = b.level;
  }
  if (level < 4) return found;
  for (const c of l.chips) if (inside(c, x, y)) return c.eni;
  return found;
}
