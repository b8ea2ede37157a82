import { describe, expect, it } from "vitest";
import type { Topology } from "../../src/api/types.ts";
import { bringIn, fitTo, lookAt } from "../../src/topology/camera.ts";
import { detailOf, hit, inSight, walkable } from "../../src/topology/detail.ts";
import { layout } from "../../src/topology/layout.ts";
import { allSeen, frameOf, mini } from "../../src/topology/minimap.ts";
import { region } from "./region.ts";

const stage = { width: 960, height: 560 };
const none: ReadonlySet<string> = new Set();

describe.each([1000, 10_000])("%i interfaces", (n) => {
  const l = layout(region(n), "free");
  const whole = fitTo(l, stage);

  it("are fitted whole", () => {
    expect(whole.x).toBeGreaterThanOrEqual(0);
    expect(whole.y).toBeGreaterThanOrEqual(0);
    expect(whole.x + l.width * whole.scale).toBeLessThanOrEqual(stage.width);
    expect(whole.y + l.height * whole.scale).toBeLessThanOrEqual(stage.height);
    expect(detailOf(whole.scale)).toBe("far");
  });

  it("have few elements at any scale", () => {
    for (const scale of [whole.scale, 0.05, 0.19, 0.2, 0.3, 0.35, 0.6, 1, 3]) {
      const c = { scale, x: -l.width * scale * 0.4, y: -l.height * scale * 0.4 };
      const s = inSight(l, c, stage, none);
      expect([scale, s.boxes.length + s.chips.length < 2000]).toEqual([scale, true]);
    }
  });

  it("are all there, each once", () => {
    expect(new Set(l.chips.map((c) => c.eni)).size).toBe(n);
    expect(new Set(l.order).size).toBe(l.order.length);
  });
});

describe("level of detail", () => {
  const l = layout(region(1000), "free");
  const chip = l.chips[500]!;
  const near = lookAt({ x: 0, y: 0, scale: 1 }, chip, stage, 1);

  it("has what is looked at, and what is held wherever it is", () => {
    const far = l.chips[0]!.eni;
    expect(inSight(l, near, stage, none).ids.has(chip.eni)).toBe(true);
    expect(inSight(l, near, stage, none).ids.has(far)).toBe(false);
    expect(inSight(l, near, stage, new Set([far])).ids.has(far)).toBe(true);
  });

  it("lists in reading order and without doubles", () => {
    const { order } = inSight(l, near, stage, none);
    const at = order.map((id) => l.order.indexOf(id));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(order.length);
  });

  it("walks over subnets far away and over everything near by", () => {
    expect(walkable(l, "near")).toBe(l.order);
    const far = walkable(l, "far");
    expect(far).toContain(l.boxes.find((b) => b.kind === "subnet")!.id);
    expect(far).not.toContain(chip.eni);
  });
});

describe("hit testing", () => {
  const l = layout(region(50), "free");

  it("finds the innermost", () => {
    const c = l.chips[7]!;
    expect(hit(l, c.x + c.w / 2, c.y + c.h / 2)).toBe(c.eni);
    expect(hit(l, c.x + c.w / 2, c.y - 20)).toBe(c.owner);
    const s = l.boxes.find((b) => b.id === c.subnet)!;
    expect(hit(l, s.x + 2, s.y + 2)).toBe(s.id);
    expect(hit(l, -50, -50)).toBe("");
  });
});

describe("camera", () => {
  const at = { x: 5000, y: 4000, w: 200, h: 50 };

  it("brings a place in by the shortest way, and does not move for one in view", () => {
    const c = { x: 0, y: 0, scale: 1 };
    const moved = bringIn(c, at, stage);
    expect(moved.scale).toBe(1);
    expect(at.x + at.w + moved.x).toBeLessThanOrEqual(stage.width);
    expect(at.x + moved.x).toBeGreaterThan(stage.width / 2);
    expect(bringIn(moved, at, stage)).toBe(moved);
  });

  it("looks at a place from its middle, no smaller than asked for", () => {
    const c = lookAt({ x: 0, y: 0, scale: 0.1 }, at, stage, 0.8);
    expect(c.scale).toBe(0.8);
    expect((at.x + at.w / 2) * 0.8 + c.x).toBeCloseTo(stage.width / 2);
    expect(lookAt({ x: 0, y: 0, scale: 1.5 }, at, stage, 0.8).scale).toBe(1.5);
  });
});

describe("minimap", () => {
  const world = { width: 10_000, height: 4000 };
  const m = mini(world, { width: 168, height: 112 });

  it("is the whole in the room it has", () => {
    expect(m.width).toBeCloseTo(168);
    expect(m.height).toBeLessThanOrEqual(112);
  });

  it("frames what the stage shows, and nothing outside", () => {
    const f = frameOf({ x: -5000, y: -1000, scale: 1 }, stage, m);
    expect(f.x).toBeCloseTo(84);
    expect(f.w).toBeCloseTo(960 * m.scale);
    const edge = frameOf({ x: 500, y: 500, scale: 1 }, stage, m);
    expect([edge.x, edge.y]).toEqual([0, 0]);
  });

  it("has nothing to say while everything is in sight", () => {
    expect(allSeen(world, fitTo(world, stage), stage)).toBe(true);
    expect(allSeen(world, { x: 0, y: 0, scale: 1 }, stage)).toBe(false);
  });
});

it("a region of ten thousand is the same laid out twice", () => {
  const t: Topology = region(10_000);
  expect(layout({ ...t, instances: [...t.instances].reverse() }, "x")).toEqual(layout(t, "x"));
});
