import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { theme } from "../app/theme.ts";
import { allSeen, frameOf, mini } from "./minimap.ts";
import { camera, centreOn, panBy, picture, stageSize } from "./sight.ts";
import { w } from "./words.ts";

const most = { width: 168, height: 112 };
const keyStep = 0.25;

/** The whole picture small, with a frame that is dragged, or moved by the arrow keys. */
export function Minimap() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const p = picture.value;
  const c = camera.value;
  const stage = stageSize.value;
  const hidden = !p || p.width === 0 || allSeen(p, c, stage) || stage.width < 480;
  const m = mini(p ?? { width: 1, height: 1 }, most);
  useEffect(() => {
    if (!hidden) return effect(() => draw(canvas.current, m.scale));
    return undefined;
  }, [hidden, p, m.scale]);
  if (hidden || !p) return null;
  const f = frameOf(c, stage, m);
  const goTo = (e: PointerEvent): void => {
    const r = (e.currentTarget as HTMLElement).getBoundingClientRect();
    centreOn((e.clientX - r.left) / m.scale, (e.clientY - r.top) / m.scale);
  };
  const percent = (at: number, of: number): string => String(Math.round((at / Math.max(1, of)) * 100));
  return (
    <div
      class="minimap over-map"
      role="slider"
      tabIndex={0}
      aria-label={w("minimap")}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Number(percent(f.x, m.width))}
      aria-valuetext={w("minimapShown", { x: percent(f.x, m.width), y: percent(f.y, m.height) })}
      style={{ width: `${m.width}px`, height: `${m.height}px` }}
      onPointerDown={(e) => {
        if (e.button !== 0) return;
        e.currentTarget.setPointerCapture(e.pointerId);
        goTo(e);
      }}
      onPointerMove={(e) => {
        if (e.currentTarget.hasPointerCapture(e.pointerId)) goTo(e);
      }}
      onKeyDown={(e) => {
        const arrow = arrows[e.key as keyof typeof arrows];
        if (!arrow) return;
        panBy(-arrow[0] * stage.width * keyStep, -arrow[1] * stage.height * keyStep);
        e.preventDefault();
        e.stopPropagation();
      }}
    >
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabindex takes no focus */}
      <canvas ref={canvas} width={m.width * 2} height={m.height * 2} aria-hidden="true" />
      <span
        class="minimap-frame"
        style={{ transform: `translate(${f.x}px, ${f.y}px)`, width: `${f.w}px`, height: `${f.h}px` }}
      />
    </div>
  );
}

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const;

const lineOf = {
  vpc: "--vpc",
  zone: "--az",
  subnet: "--subnet",
  internet: "--az",
  instance: "--instance",
} as const;

function draw(canvas: HTMLCanvasElement | null, scale: number): void {
  theme.value;
  const p = picture.value;
  const ctx = canvas?.getContext("2d");
  if (!canvas || !ctx || !p) return;
  const css = getComputedStyle(canvas);
  const k = scale * 2;
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  for (const b of p.boxes) {
    const colour = css.getPropertyValue(lineOf[b.kind as keyof typeof lineOf] ?? "").trim();
    if (!colour) continue;
    if (b.kind === "instance") {
      ctx.globalAlpha = 0.55;
      ctx.fillStyle = colour;
      ctx.fillRect(b.x * k, b.y * k, Math.max(1, b.w * k), Math.max(1, b.h * k));
      continue;
    }
    ctx.globalAlpha = 0.9;
    ctx.strokeStyle = colour;
    ctx.lineWidth = b.kind === "subnet" ? 1 : 1.5;
    ctx.strokeRect(b.x * k, b.y * k, b.w * k, b.h * k);
  }
}
