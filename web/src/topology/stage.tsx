import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { Legend } from "./legend.tsx";
import { dragging, moveConfirm, moveFor } from "./move.ts";
import { hovered } from "./overlay.ts";
import { chipOf, startPainting } from "./scene.ts";
import { camera, detail, hitStage, levels, panTo, stageSize, startSight, zoomStage } from "./sight.ts";
import { Tree } from "./tree.tsx";

// Nothing of these is needed for the first picture.
const MoveMenu = lazy(async () => (await import("./moving.tsx")).MoveMenu);
const MoveConfirm = lazy(async () => (await import("./moving.tsx")).MoveConfirm);
const MapNote = lazy(async () => (await import("../traffic/mapnote.tsx")).MapNote);
const Minimap = lazy(async () => (await import("./overview.tsx")).Minimap);

export function Stage() {
  const stage = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLCanvasElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const el = stage.current!;
    const observer = new ResizeObserver(() => {
      stageSize.value = { width: el.clientWidth, height: el.clientHeight };
    });
    observer.observe(el);
    const stopSight = startSight();
    const stopPainting = startPainting(ground.current!, canvas.current!);
    // The layers follow the camera without the framework: a pan changes no element.
    const stopLayers = effect(() => {
      const c = camera.value;
      el.style.setProperty("--camera", `translate(${c.x}px, ${c.y}px) scale(${c.scale})`);
    });
    const stopWords = effect(() => {
      // Words that stay as large as they are on the screen; near by they are of the world.
      const { scale } = camera.value;
      if (scale < 0.6) el.style.setProperty("--k", String(1 / scale));
    });
    // Preact's wheel listeners are passive in some browsers; zoom must prevent the scroll.
    const wheel = (e: WheelEvent): void => {
      if ((e.target as HTMLElement).closest(".over-map")) return;
      e.preventDefault();
      const r = el.getBoundingClientRect();
      zoomStage(Math.exp(-e.deltaY * 0.0015), e.clientX - r.left, e.clientY - r.top);
    };
    el.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      for (const stop of [stopSight, stopPainting, stopLayers, stopWords]) stop();
      el.removeEventListener("wheel", wheel);
    };
  }, []);

  const middle = camera.value.scale < 0.6 ? "small" : "";
  return (
    <div
      class={`stage ${dragging.value ? "is-dragging" : ""} ${detail.value} ${middle}`}
      ref={stage}
      onPointerOver={hover}
      onPointerLeave={() => {
        hovered.value = "";
      }}
    >
      <Tree pan={pan} />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabindex takes no focus */}
      <canvas ref={ground} class="dots ground" aria-hidden="true" />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabindex takes no focus */}
      <canvas ref={canvas} class="dots" aria-hidden="true" />
      <MapNote />
      <Legend />
      <Minimap />
      <MoveHandle />
      {moveFor.value && <MoveMenu at={screenPoint(moveFor.value)} />}
      {moveConfirm.value && <MoveConfirm />}
    </div>
  );
}

/** Where a chip's lower left corner is on the stage, for what opens beside it. */
function screenPoint(eniId: string): { x: number; y: number } {
  const chip = chipOf.value.get(eniId);
  const c = camera.value;
  if (!chip) return { x: 20, y: 20 };
  return { x: c.x + (chip.x + chip.w) * c.scale + 8, y: c.y + chip.y * c.scale };
}

/** The single-pointer way to move an interface: a button beside the selected chip. */
function MoveHandle() {
  const chip = chipOf.value.get(state.selection.value);
  const n = state.enisById.value.get(state.selection.value);
  if (!chip || !n || n.attachment?.deviceIndex === 0 || dragging.value || detail.value !== "near")
    return null;
  const c = camera.value;
  const x = c.x + (chip.x + chip.w) * c.scale - 26;
  const y = c.y + (chip.y + chip.h / 2) * c.scale - 12;
  return (
    <button
      type="button"
      class="icon chip-menu"
      style={{ transform: `translate(${x}px, ${y}px)` }}
      aria-label={t("topology.chipMenu")}
      aria-haspopup="dialog"
      title={`${t("action.move")} (M)`}
      onClick={() => {
        moveFor.value = moveFor.value ? "" : n.id;
      }}
    >
      <Icon name="more" />
    </button>
  );
}

/** What is under the pointer stands out with its lines and its groups; far away that is found by place. */
function hover(e: PointerEvent): void {
  const chip = (e.target as HTMLElement).closest<HTMLElement>(".chip");
  hovered.value = dragging.value ? "" : (chip?.dataset.eni ?? "");
}

/** A click that is on no element: far away it chooses the dot there, else nothing. */
function pick(e: PointerEvent): void {
  const r = (document.querySelector(".stage") as HTMLElement).getBoundingClientRect();
  const id = detail.value === "far" ? hitStage(e.clientX - r.left, e.clientY - r.top) : "";
  const level = levels.value.get(id) ?? 0;
  if (level >= 3) select(id);
  else state.selection.value = "";
}

function pan(e: PointerEvent): void {
  const target = e.target as HTMLElement;
  if (e.button !== 0 || target.closest(".chip, .card, .gateway, .can-select, button")) return;
  const tree = e.currentTarget as HTMLElement;
  const from = { ...camera.value, px: e.clientX, py: e.clientY };
  let moved = false;
  tree.setPointerCapture(e.pointerId);
  const onMove = (m: PointerEvent): void => {
    const dx = m.clientX - from.px;
    const dy = m.clientY - from.py;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    panTo(from.x + dx, from.y + dy);
  };
  const onUp = (): void => {
    tree.removeEventListener("pointermove", onMove);
    if (!moved) pick(e);
  };
  tree.addEventListener("pointermove", onMove);
  tree.addEventListener("pointerup", onUp, { once: true });
  tree.addEventListener("pointercancel", onUp, { once: true });
}
