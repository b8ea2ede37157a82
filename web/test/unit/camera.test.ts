import { expect, it } from "vitest";
import { fitTo, zoom } from "../../src/topology/camera.ts";

/** Height of the legend with its distance from the stage's edge. */
const legend = 40;

it.each([
  { width: 986, height: 556 },
  { width: 836, height: 568 },
  { width: 600, height: 300 },
])("fits above the legend: $width × $height", (stage) => {
  const world = { width: 960, height: 500 };
  const c = fitTo(world, stage);
  expect(c.y).toBeGreaterThanOrEqual(0);
  expect(c.x).toBeGreaterThanOrEqual(0);
  expect(c.y + world.height * c.scale).toBeLessThanOrEqual(stage.height - legend);
  expect(c.x + world.width * c.scale).toBeLessThanOrEqual(stage.width);
});

it.each([
  { width: 9000, height: 12_000 },
  { width: 40_000, height: 3000 },
])("fits a world of hundreds of interfaces whole: $width × $height", (world) => {
  const stage = { width: 390, height: 500 };
  const c = fitTo(world, stage);
  expect(c.x).toBeGreaterThanOrEqual(0);
  expect(c.x + world.width * c.scale).toBeLessThanOrEqual(stage.width);
  expect(c.y + world.height * c.scale).toBeLessThanOrEqual(stage.height - legend);
  // From there a person zooms in, and never farther out.
  expect(zoom(c, 1.25, 0, 0).scale).toBeCloseTo(c.scale * 1.25);
  expect(zoom(c, 0.8, 0, 0).scale).toBe(c.scale);
});
