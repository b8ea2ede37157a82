import { expect, it } from "vitest";
import { fitTo } from "../../src/topology/camera.ts";

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
