import type { Camera, Rect } from "./camera.ts";

// The whole picture in a corner, with a frame around what the stage shows.

/** The minimap's scale and where the picture lies in it. */
export function mini(
  world: { width: number; height: number },
  most: { width: number; height: number },
): { scale: number; width: number; height: number } {
  const scale = Math.min(most.width / Math.max(1, world.width), most.height / Math.max(1, world.height));
  return { scale, width: world.width * scale, height: world.height * scale };
}

/** What the stage shows, in the minimap's pixels, cut at its edges. */
export function frameOf(
  c: Camera,
  stage: { width: number; height: number },
  m: { scale: number; width: number; height: number },
): Rect {
  const left = Math.max(0, (-c.x / c.scale) * m.scale);
  const top = Math.max(0, (-c.y / c.scale) * m.scale);
  const right = Math.min(m.width, ((stage.width - c.x) / c.scale) * m.scale);
  const bottom = Math.min(m.height, ((stage.height - c.y) / c.scale) * m.scale);
  return { x: left, y: top, w: Math.max(4, right - left), h: Math.max(4, bottom - top) };
}

/** Whether all of the picture is in sight, so that there is nothing to show where one is. */
export function allSeen(
  world: { width: number; height: number },
  c: Camera,
  stage: { width: number; height: number },
): boolean {
  return (
    c.x >= -1 &&
    c.y >= -1 &&
    world.width * c.scale + c.x <= stage.width + 1 &&
    world.height * c.scale + c.y <= stage.height + 1
  );
}
