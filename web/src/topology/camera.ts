export interface Camera {
  x: number;
  y: number;
  scale: number;
}

/** How far a person zooms out by hand, or as far as shows the whole. */
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

/** Zooms about a point of the stage, which stays under the pointer; least is the scale that shows the whole. */
export function zoom(c: Camera, factor: number, px: number, py: number, least = c.scale): Camera {
  // Where the whole is smaller still than a hand zooms out to, it ends there.
  const scale = Math.min(maxScale, Math.max(Math.min(minScale, least), c.scale * factor));
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

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** What of the world the stage shows, and a margin of stage pixels around it. */
export function seen(c: Camera, stage: { width: number; height: number }, margin: number): Rect {
  return {
    x: (-c.x - margin) / c.scale,
    y: (-c.y - margin) / c.scale,
    w: (stage.width + 2 * margin) / c.scale,
    h: (stage.height + 2 * margin) / c.scale,
  };
}

export const touches = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** The camera that has a place in the middle, no smaller than a scale. */
export function lookAt(c: Camera, at: Rect, stage: { width: number; height: number }, least: number): Camera {
  const scale = Math.min(maxScale, Math.max(c.scale, least));
  return {
    scale,
    x: stage.width / 2 - (at.x + at.w / 2) * scale,
    y: (stage.height - foot) / 2 - (at.y + at.h / 2) * scale,
  };
}

/** The camera moved no farther than brings a place into view; itself if it is there. */
export function bringIn(c: Camera, at: Rect, stage: { width: number; height: number }): Camera {
  const shift = (from: number, size: number, from0: number, to0: number): number => {
    if (size > to0 - from0) return from > to0 || from + size < from0 ? from0 - from : 0;
    if (from < from0) return from0 - from;
    return from + size > to0 ? to0 - from - size : 0;
  };
  const dx = shift(at.x * c.scale + c.x, at.w * c.scale, margin, stage.width - margin);
  const dy = shift(at.y * c.scale + c.y, at.h * c.scale, margin, stage.height - foot);
  return dx === 0 && dy === 0 ? c : { scale: c.scale, x: c.x + dx, y: c.y + dy };
}
