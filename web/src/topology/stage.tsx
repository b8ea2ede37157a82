import { computed, effect, signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { onEdges } from "../app/session.ts";
import * as state from "../app/state.ts";
import { theme } from "../app/theme.ts";
import { topologyShown, viewRegion, viewVpc } from "../app/view.ts";
import { short, t } from "../i18n/i18n.ts";
import { filter } from "../traffic/filter.ts";
import { Icon } from "../ui/icons.tsx";
import { lazy } from "../ui/lazy.tsx";
import { BoxView, Take } from "./boxes.tsx";
import { type Camera, clamp, fitTo, zoom } from "./camera.ts";
import { ChipView } from "./chip.tsx";
import { Dots } from "./dots.ts";
import { route, wayOf } from "./edges.ts";
import { GatewayView, isGateway } from "./gateways.tsx";
import { layout } from "./layout.ts";
import { dragging, MoveConfirm, MoveMenu, moveFor } from "./move.tsx";
import { Painter } from "./painter.ts";
import { stepHook } from "./stephook.ts";
import { walk } from "./walk.ts";
import { Ways } from "./ways.ts";

export const picture = computed(() => {
  const now = topologyShown.value;
  return now ? layout(now, t("topology.unattached")) : null;
});

const MapNote = lazy(async () => (await import("../traffic/mapnote.tsx")).MapNote);

const camera = signal<Camera>({ x: 0, y: 0, scale: 1 });
const stageSize = signal({ width: 0, height: 0 });
/** True until a person moves the picture; then layout changes do not refit it. */
let fitted = true;
const dotScale = signal(1);

export function fitStage(): void {
  fitted = true;
  const p = picture.value;
  if (p) camera.value = fitTo(p, stageSize.value);
}

export function zoomStage(factor: number): void {
  moveCamera(zoom(camera.value, factor, stageSize.value.width / 2, stageSize.value.height / 2));
}

function moveCamera(next: Camera): void {
  fitted = false;
  const p = picture.value;
  camera.value = p ? clamp(next, p, stageSize.value) : next;
}

const chipOf = computed(() => new Map(picture.value?.chips.map((c) => [c.eni, c] as const) ?? []));

const ways = computed(() => (state.topology.value ? new Ways(state.topology.value) : null));

const dots = new Dots((src, dst) => {
  const p = picture.value;
  const from = state.dictionary.eni(src);
  if (!p || !from) return null;
  return route(p, ways.value!.between(from, state.dictionary.eni(dst)));
});

/** Draws a frame of the recording on its way; alone: in place of those before it. */
export function drawStep(from: string, to: string, verdict: string, alone: boolean): void {
  const p = picture.value;
  const way = p && from && ways.value ? route(p, ways.value.between(from, to)) : null;
  stepHook.dots?.begin(way, verdict, performance.now(), alone);
}

function startPainting(canvas: HTMLCanvasElement): () => void {
  const painter = new Painter(canvas);
  let last = performance.now();
  let frame = 0;
  let dictionaryVersion = -1;
  let generation = -1;
  const stopEdges = onEdges((_start, width, e) => {
    if (!document.hidden) dots.feed(e, width, performance.now());
  });
  const stopTheme = effect(() => {
    theme.value;
    painter.recolour();
  });
  const stopView = effect(() => {
    viewRegion.value;
    viewVpc.value;
    filter.value;
    // Those under way are on ways that are not drawn any more.
    dots.reset();
  });
  const stopPicture = effect(() => {
    const p = picture.value;
    const trace = state.shownTrace.value;
    painter.wires = p?.wires ?? [];
    painter.trace =
      p && trace
        ? {
            route: wayOf(p, trace.places),
            verdict: trace.verdict,
            predicted: trace === state.predicted.value,
          }
        : null;
    dots.invalidate();
  });
  const loop = (now: number): void => {
    frame = requestAnimationFrame(loop);
    // A tab that comes back must not fling every dot to its end.
    const dt = Math.min(0.05, (now - last) / 1000);
    last = now;
    if (dictionaryVersion !== state.dictionary.version) {
      dictionaryVersion = state.dictionary.version;
      if (state.dictionary.generation === generation) dots.invalidate();
      else dots.reset();
      generation = state.dictionary.generation;
    }
    const still = state.reducedMotion.value || state.dotsPaused.value;
    if (!still) dots.step(dt, now);
    painter.fit(stageSize.value.width, stageSize.value.height);
    painter.paint(dots, camera.value, still);
    if (dotScale.peek() !== dots.scale) dotScale.value = dots.scale;
    state.framePainted();
  };
  frame = requestAnimationFrame(loop);
  return () => {
    cancelAnimationFrame(frame);
    stopEdges();
    stopTheme();
    stopPicture();
    stopView();
  };
}

export function Stage() {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const el = stage.current!;
    const observer = new ResizeObserver(() => {
      stageSize.value = { width: el.clientWidth, height: el.clientHeight };
      if (fitted) fitStage();
    });
    observer.observe(el);
    const stop = startPainting(canvas.current!);
    // Preact's wheel listeners are passive in some browsers; zoom must prevent the scroll.
    const wheel = (e: WheelEvent): void => {
      e.preventDefault();
      const r = el.getBoundingClientRect();
      moveCamera(zoom(camera.value, Math.exp(-e.deltaY * 0.0015), e.clientX - r.left, e.clientY - r.top));
    };
    el.addEventListener("wheel", wheel, { passive: false });
    return () => {
      observer.disconnect();
      stop();
      el.removeEventListener("wheel", wheel);
    };
  }, []);
  useSignalEffect(() => {
    if (picture.value && fitted) fitStage();
  });

  const p = picture.value;
  const c = camera.value;
  const transform = `translate(${c.x}px, ${c.y}px) scale(${c.scale})`;
  const order = p?.order ?? [];
  return (
    <div class={`stage ${dragging.value ? "is-dragging" : ""} ${c.scale < 0.6 ? "far" : ""}`} ref={stage}>
      {p && p.boxes.length > 0 && (
        <div
          role="tree"
          aria-label={t("topology.label")}
          class="tree"
          // Chips stay children of one layer, so that a move keeps their DOM node;
          // the order of reading is told here instead.
          aria-owns={order.map((id) => `n-${id}`).join(" ")}
          onKeyDown={(e) => walk(e, order)}
          onPointerDown={pan}
        >
          <div class="layer" role="none" style={{ transform }}>
            {p.boxes.map((b) => !isGateway(b) && <BoxView key={b.id} box={b} />)}
          </div>
          <div class="layer chips" role="none" style={{ transform }}>
            {p.chips
              .toSorted((a, b) => (a.mac < b.mac ? -1 : 1))
              .map((chip) => (
                <ChipView key={chip.mac} chip={chip} scale={c.scale} />
              ))}
            {p.boxes.map((b) => isGateway(b) && <GatewayView key={b.id} box={b} />)}
            {dragging.value && p.boxes.map((b) => <Take key={`take-${b.id}`} box={b} />)}
          </div>
        </div>
      )}
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabindex takes no focus */}
      <canvas ref={canvas} class="dots" aria-hidden="true" />
      <MapNote />
      <Legend />
      <MoveHandle />
      {moveFor.value && <MoveMenu at={screenPoint(moveFor.value)} />}
      <MoveConfirm />
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
  if (!chip || !n || n.attachment?.deviceIndex === 0 || dragging.value) return null;
  const c = camera.value;
  const x = c.x + (chip.x + chip.w) * c.scale - 26;
  const y = c.y + (chip.y + chip.h / 2) * c.scale - 12;
  return (
    <button
      type="button"
      class="icon chip-menu"
      style={{ transform: `translate(${x}px, ${y}px)` }}
      aria-label={t("topology.chipMenu")}
      aria-haspopup="menu"
      title={`${t("action.move")} (M)`}
      onClick={() => {
        moveFor.value = moveFor.value ? "" : n.id;
      }}
    >
      <Icon name="more" />
    </button>
  );
}

function Legend() {
  const n = dotScale.value;
  const still = state.reducedMotion.value;
  const paused = state.dotsPaused.value;
  return (
    <div class="legend">
      {(["accept", "reject", "lost", "control"] as const).map((v) => (
        <span key={v} class={`mark ${v}`}>
          {t(`verdict.${v}`)}
        </span>
      ))}
      {!still && (
        <span class="scale">
          {paused
            ? t("topology.paused")
            : n === 1
              ? t("topology.legendOne")
              : t("topology.legend", { count: short(n) })}
        </span>
      )}
      <span class="legend-tools">
        {!still && (
          <button
            type="button"
            class="icon"
            aria-pressed={paused}
            aria-label={paused ? t("topology.resumeDots") : t("topology.pauseDots")}
            title={paused ? t("topology.resumeDots") : t("topology.pauseDots")}
            onClick={() => {
              state.dotsPaused.value = !paused;
            }}
          >
            <Icon name={paused ? "play" : "pause"} />
          </button>
        )}
        <button type="button" class="icon" aria-label={t("topology.zoomOut")} onClick={() => zoomStage(0.8)}>
          <Icon name="minus" />
        </button>
        <button type="button" class="icon" aria-label={t("topology.zoomIn")} onClick={() => zoomStage(1.25)}>
          <Icon name="plus" />
        </button>
        <button
          type="button"
          class="icon"
          aria-label={t("topology.fit")}
          title={t("topology.fit")}
          onClick={fitStage}
        >
          <Icon name="fit" />
        </button>
      </span>
    </div>
  );
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
    moveCamera({ scale: from.scale, x: from.x + dx, y: from.y + dy });
  };
  const onUp = (): void => {
    tree.removeEventListener("pointermove", onMove);
    if (!moved) state.selection.value = "";
  };
  tree.addEventListener("pointermove", onMove);
  tree.addEventListener("pointerup", onUp, { once: true });
  tree.addEventListener("pointercancel", onUp, { once: true });
}
