export interface Camera {
  x: number;
  y: number;
  scale: number;
}

/** How far a person zooms out by hand; fitting goes as far as it must. */
export const minScale = 0.25;
export const maxScale = 3;
const margin = 20;
/** The legend lies over the foot of the stage; what is fitted stays clear of it. */
const foot = 44;
/** Fitting never enlarges: text at its own size is the sharpest. */
const maxFit = 1.15;

export function fitTo(
  world: { width: number; height: number },
  stage: { width: number; height: number },
): Camera {
  if (world.width === 0 || stage.width === 0) return { x: 0, y: 0, scale: 1 };
  const scale = Math.min(
    maxFit,
    Math.max(1, stage.width - 2 * margin) / world.width,
    Math.max(1, stage.height - margin - foot) / world.height,
  );
  return {
    scale,
    x: Math.max(margin, (stage.width - world.width * scale) / 2),
    y: Math.max(margin, (stage.height + margin - foot - world.height * scale) / 2),
  };
}

/** Zooms about a point of the stage, which stays under the pointer. */
export function zoom(c: Camera, factor: number, px: number, py: number): Camera {
  // From a fitted picture that is smaller still, zooming out stays where it is.
  const scale = Math.min(maxScale, Math.max(Math.min(minScale, c.scale), c.scale * factor));
  const k = scale / c.scale;
  return { scale, x: px - (px - c.x) * k, y: py - (py - c.y) * k };
}

/** Keeps at least a hand's breadth of the world in view, so that it cannot be lost. */
export function clamp(
  c: Camera,
  world: { width: number; height: number },
  stage: { width: number; height: number },
): Camera {
  const keep = 120;
  return {
    scale: c.scale,
    x: Math.min(stage.width - keep, Math.max(keep - world.width * c.scale, c.x)),
    y: Math.min(stage.height - keep, Math.max(keep - world.height * c.scale, c.y)),
  };
}
