import { short } from "../i18n/i18n.ts";
import { Accept, Control, Lost, Reject } from "../stream/ring.ts";
import type { Camera } from "./camera.ts";
import type { Dots } from "./dots.ts";
import { pointAt, type Route } from "./edges.ts";
import type { Point } from "./shapes.ts";
import { stepHook } from "./stephook.ts";

interface Colours {
  accept: string;
  reject: string;
  lost: string;
  control: string;
  line: string;
  edge: string;
  muted: string;
  ground: string;
}

/** The mark of a trace's end stands clear of the card that it ended at. */
const endGap = 8;

const kinds: Readonly<Record<string, number>> = {
  accept: Accept,
  reject: Reject,
  lost: Lost,
  control: Control,
};

/** Below this zoom a label is too small to read. */
const labelScale = 0.6;

/** Draws edges and dots on the one canvas that lies between boxes and chips. */
export class Painter {
  private readonly canvas: HTMLCanvasElement;
  private readonly ctx: CanvasRenderingContext2D;
  private colours: Colours;
  private font = "";
  /** Lines that are there without a frame. */
  wires: Point[][] = [];
  /** The way of a traced frame, above all others. */
  trace: { route: Route | null; verdict: string; predicted?: boolean } | null = null;
  private readonly end = new Float32Array(2);
  private readonly outgoing = new Map<string, { rate: number; x: number; y: number; right: boolean }>();

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d")!;
    this.colours = this.readColours();
  }

  /** The theme changed. */
  recolour(): void {
    this.colours = this.readColours();
  }

  private readColours(): Colours {
    const css = getComputedStyle(this.canvas);
    this.font = `11px ${css.getPropertyValue("--mono")}`;
    const v = (name: string): string => css.getPropertyValue(name).trim();
    return {
      accept: v("--accept"),
      reject: v("--reject"),
      lost: v("--lost"),
      control: v("--control"),
      line: v("--track"),
      edge: v("--edge"),
      muted: v("--muted"),
      ground: v("--bg"),
    };
  }

  /** Sizes the canvas to its box in device pixels; true if it changed. */
  fit(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
  }

  paint(dots: Dots, camera: Camera, still: boolean): void {
    const { ctx } = this;
    const ratio = window.devicePixelRatio || 1;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const k = camera.scale * ratio;
    ctx.setTransform(k, 0, 0, k, camera.x * ratio, camera.y * ratio);
    ctx.lineJoin = "round";
    this.wire();
    dots.eachEdge((route, rate) => {
      // Without motion the width alone tells the rate, so it may be bolder.
      ctx.lineWidth = (still ? 2 : 1) + Math.min(4, Math.log10(1 + rate)) * (still ? 1.2 : 0.6);
      ctx.strokeStyle = this.colours.line;
      this.line(route);
    });
    if (this.trace?.route) this.way(this.trace.route, this.trace.verdict, this.trace.predicted);
    const steps = stepHook.dots;
    if (steps?.on) {
      const path = steps.path;
      if (path) {
        ctx.lineWidth = 2.5;
        ctx.strokeStyle = this.colours.edge;
        this.line(path);
      }
      steps.each(performance.now(), still, this.drawLarge);
    } else if (!still) dots.each(this.draw);
    ctx.globalAlpha = 1;
    if (camera.scale >= labelScale) this.label(dots);
  }

  private line(route: Route): void {
    const { ctx } = this;
    ctx.beginPath();
    for (let i = 0; i < route.points.length; i += 2) {
      if (i === 0) ctx.moveTo(route.points[0]!, route.points[1]!);
      else ctx.lineTo(route.points[i]!, route.points[i + 1]!);
    }
    ctx.stroke();
  }

  private wire(): void {
    const { ctx } = this;
    ctx.lineWidth = 1;
    ctx.strokeStyle = this.colours.edge;
    ctx.setLineDash([2, 4]);
    ctx.beginPath();
    for (const points of this.wires) {
      points.forEach(([x, y], i) => {
        if (i === 0) ctx.moveTo(x, y);
        else ctx.lineTo(x, y);
      });
    }
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /** A traced frame's way, or in finer dashes a predicted one, with the shape of its end where it ended. */
  private way(route: Route, verdict: string, predicted = false): void {
    const { ctx } = this;
    const kind = kinds[verdict] ?? Accept;
    ctx.lineWidth = 2.5;
    ctx.strokeStyle = this.colours[verdict as keyof Colours] ?? this.colours.accept;
    ctx.setLineDash(predicted ? [3, 4] : [9, 5]);
    this.line(route);
    ctx.setLineDash([]);
    pointAt(route, route.total - endGap, this.end);
    ctx.save();
    ctx.translate(this.end[0]!, this.end[1]!);
    ctx.scale(2, 2);
    this.draw(kind, 0, 0, 1);
    ctx.restore();
  }

  /** Writes what leaves each port per second beside the port. */
  private label(dots: Dots): void {
    const { ctx } = this;
    const out = this.outgoing;
    out.clear();
    dots.eachEdge((route, rate) => {
      const { id, x, y, side } = route.origin;
      const o = out.get(id);
      if (o) o.rate += rate;
      else out.set(id, { rate, x, y, right: side === "right" });
    });
    ctx.font = this.font;
    ctx.fillStyle = this.colours.muted;
    ctx.textBaseline = "middle";
    // A halo keeps a number readable that lies over a line.
    ctx.strokeStyle = this.colours.ground;
    ctx.lineWidth = 4;
    for (const o of out.values()) {
      if (o.rate < 1) continue;
      ctx.textAlign = o.right ? "left" : "right";
      // Clear of the card's edge, which is 10 px from the port; above the line if frames leave to the right.
      const text = `${short(o.rate)}/s`;
      const x = o.x + (o.right ? 16 : -18);
      const y = o.y + (o.right ? -16 : 16);
      ctx.strokeText(text, x, y);
      ctx.fillText(text, x, y);
    }
  }

  /** A stepped frame is one that is looked at. */
  private readonly drawLarge = (kind: number, x: number, y: number): void => {
    this.ctx.save();
    this.ctx.translate(x, y);
    this.ctx.scale(2.2, 2.2);
    this.draw(kind, 0, 0, 1);
    this.ctx.restore();
  };

  private readonly draw = (kind: number, x: number, y: number, alpha: number): void => {
    const { ctx, colours } = this;
    ctx.globalAlpha = alpha;
    switch (kind) {
      case Accept:
        ctx.fillStyle = colours.accept;
        ctx.beginPath();
        ctx.arc(x, y, 2.4, 0, 6.2832);
        ctx.fill();
        return;
      case Reject:
        ctx.fillStyle = colours.reject;
        ctx.beginPath();
        ctx.moveTo(x, y - 4.2);
        ctx.lineTo(x + 4.2, y);
        ctx.lineTo(x, y + 4.2);
        ctx.lineTo(x - 4.2, y);
        ctx.fill();
        return;
      case Lost:
        ctx.fillStyle = colours.lost;
        ctx.fillRect(x - 4, y - 1.2, 8, 2.4);
        ctx.fillRect(x - 1.2, y - 4, 2.4, 8);
        return;
      case Control:
        ctx.fillStyle = colours.control;
        ctx.fillRect(x - 3, y - 3, 6, 6);
    }
  };
}
