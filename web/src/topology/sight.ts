import { computed, effect, signal, untracked } from "@preact/signals";
import * as state from "../app/state.ts";
import { topologyShown, viewVpc } from "../app/view.ts";
import { t } from "../i18n/i18n.ts";
import { bringIn, type Camera, clamp, fitTo, lookAt, type Rect, zoom } from "./camera.ts";
import { detailOf, hit, inSight, nearScale, nothing, walkable } from "./detail.ts";
import { layout } from "./layout.ts";

// The picture, the camera before it, and what of it is in sight: the one owner of all three.

export const picture = computed(() => {
  const now = topologyShown.value;
  return now ? layout(now, t("topology.unattached")) : null;
});

export const camera = signal<Camera>({ x: 0, y: 0, scale: 1 });
export const stageSize = signal({ width: 0, height: 0 });
/** The way to the picture's whole: until a person moves it, a picture of other things is fitted anew. */
export const fitted = signal(true);

/** What has an element even out of sight: what is dragged, chosen or has the focus. */
export const holding = signal("");
/** The tree item that has the focus, or had it last. */
export const roving = signal("");

const view = () => stageSize.value;

export function fitStage(): void {
  fitted.value = true;
  const p = picture.value;
  if (p) camera.value = fitTo(p, view());
}

function moveCamera(next: Camera): void {
  fitted.value = false;
  const p = picture.value;
  camera.value = p ? clamp(next, p, view()) : next;
}

/** Zooms about a point of the stage, its middle without one. */
export function zoomStage(factor: number, x = view().width / 2, y = view().height / 2): void {
  const p = picture.value;
  moveCamera(zoom(camera.value, factor, x, y, p ? fitTo(p, view()).scale : 1));
}

/** Shows the picture in its own size, about the middle. */
export const fullSize = (): void => zoomStage(1 / camera.value.scale);

export function panTo(x: number, y: number): void {
  moveCamera({ scale: camera.value.scale, x, y });
}

export function panBy(dx: number, dy: number): void {
  panTo(camera.value.x + dx, camera.value.y + dy);
}

/** Has a place of the world in the middle of the stage. */
export function centreOn(x: number, y: number): void {
  const { scale } = camera.value;
  panTo(view().width / 2 - x * scale, view().height / 2 - y * scale);
}

const places = computed(() => {
  const p = picture.value;
  const at = new Map<string, Rect>();
  for (const b of p?.boxes ?? []) at.set(b.id, b);
  for (const c of p?.chips ?? []) at.set(c.eni, c);
  return at;
});

export const placeOf = (id: string): Rect | undefined => places.value.get(id);

export const levels = computed(() => {
  const p = picture.value;
  const of = new Map<string, number>();
  for (const b of p?.boxes ?? []) of.set(b.id, b.level);
  for (const c of p?.chips ?? []) of.set(c.eni, 5);
  return of;
});

/** Goes to a place so near that it can be read. False: it is not drawn. */
export function goTo(id: string, scale = 0.8): boolean {
  const at = placeOf(id);
  if (!at) return false;
  const level = levels.value.get(id) ?? 1;
  // A place that is larger than the stage is shown whole.
  const whole = Math.min(view().width / (at.w * 1.15), view().height / (at.h * 1.3));
  moveCamera(
    lookAt(level >= 4 ? camera.value : { ...camera.value, scale: 0 }, at, view(), Math.min(scale, whole)),
  );
  return true;
}

/** Brings a place into view by the shortest way; nearer only if it has no element at this scale. */
export function reveal(id: string): void {
  const at = placeOf(id);
  if (!at) return;
  const level = levels.value.get(id) ?? 1;
  if (level >= 4 && camera.value.scale < nearScale && detailOf(camera.value.scale) === "far") goTo(id);
  else {
    const next = bringIn(camera.value, at, view());
    if (next !== camera.value) moveCamera(next);
  }
}

export const detail = computed(() => detailOf(camera.value.scale));

// Elements change when the camera has gone this far, not with every pixel: what is
// in sight has a margin that is wider.
const step = 160;
const tile = computed(() => {
  const c = camera.value;
  const s = view();
  const scale = Math.round(Math.log(c.scale) / Math.log(1.2));
  return [detail.value, scale, Math.round(c.x / step), Math.round(c.y / step), s.width, s.height].join();
});

const held = computed(() => {
  const ids = [roving.value, state.selection.value, holding.value].filter((id) => places.value.has(id));
  return ids.join();
});

export const shown = computed(() => {
  const p = picture.value;
  tile.value;
  const ids = new Set(held.value.split(","));
  return p ? inSight(p, camera.peek(), stageSize.peek(), ids) : nothing;
});

export const walkOrder = computed(() => (picture.value ? walkable(picture.value, detail.value) : []));

/** The one tree item in the tab order: the focused one, else the selected, else the first. */
const tabStop = computed(() => {
  const { ids, order } = shown.value;
  return [roving.value, state.selection.value].find((id) => ids.has(id)) ?? order[0];
});
export const tabIndexOf = (id: string): 0 | -1 => (id === tabStop.value ? 0 : -1);

/** What the picture shows at a point of the stage. */
export function hitStage(x: number, y: number): string {
  const p = picture.value;
  const c = camera.value;
  return p ? hit(p, (x - c.x) / c.scale, (y - c.y) / c.scale) : "";
}

// A picture is fitted anew when it is of other things: an interface that moves, or a
// chip that grows a line, must not make all else jump.
const things = computed(() => {
  const p = picture.value;
  if (!p) return "";
  return p.boxes
    .filter((b) => b.kind !== "slot" && b.kind !== "tray")
    .map((b) => b.id)
    .join();
});

const key = "enilab.map";

interface Kept {
  of: string;
  scale: number;
  x: number;
  y: number;
}

const first = (): string =>
  `${viewVpc.value}/${picture.value?.boxes.find((b) => b.kind === "vpc")?.id ?? ""}`;

/** Puts the camera back where this laboratory was last looked at. */
function restore(): void {
  const s = view();
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null;
    if (!kept || kept.of !== first() || !(kept.scale > 0)) return;
    moveCamera({
      scale: kept.scale,
      x: s.width / 2 - kept.x * kept.scale,
      y: s.height / 2 - kept.y * kept.scale,
    });
  } catch {
    // Storage that is closed or holds something else: the picture is fitted.
  }
}

let saving = 0;

/** Keeps where the camera is, as the point in the middle: a window of another size shows the same. */
function keep(): void {
  const c = camera.peek();
  const s = stageSize.peek();
  if (s.width === 0 || !picture.peek()) return;
  const kept: Kept = {
    of: first(),
    scale: c.scale,
    x: (s.width / 2 - c.x) / c.scale,
    y: (s.height / 2 - c.y) / c.scale,
  };
  try {
    if (fitted.peek()) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // Nothing is kept where nothing can be.
  }
}

/** Starts following the picture and the stage; returns the way to stop. */
export function startSight(): () => void {
  let restored = false;
  const stopFit = effect(() => {
    things.value;
    const s = view();
    if (s.width === 0) return;
    untracked(() => {
      if (!picture.value) return;
      if (!restored) {
        restored = true;
        restore();
      }
      if (fitted.value) fitStage();
    });
  });
  const stopKeep = effect(() => {
    camera.value;
    fitted.value;
    clearTimeout(saving);
    saving = window.setTimeout(keep, 250);
  });
  return () => {
    stopFit();
    stopKeep();
    clearTimeout(saving);
  };
}
