import * as state from "../app/state.ts";
import { short } from "../i18n/i18n.ts";
import { Accept, Control, Lost, Reject } from "../stream/ring.ts";
import { type Camera, seen, touches } from "./camera.ts";
import type { Detail } from "./detail.ts";
import type { Dots, Line } from "./dots.ts";
import { pointAt, type Route } from "./edges.ts";
import type { Box, Chip, Point } from "./shapes.ts";
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
  instance: string;
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
/** Lines are drawn in so many widths, by tens of frames a second. */
const widths = [1, 1.8, 3, 4.4, 6, 8] as const;
const classOf = (rate: number): number =>
  Math.max(0, Math.min(widths.length - 1, Math.floor(Math.log10(Math.max(1, rate)))));
/** How long the bar of a line is where nothing moves, for each tenfold. */
const barStep = 14;
const pulseMs = 900;

/** What the painter asks while it paints: rates that change twice a second. */
export interface Figures {
  rateOf(id: string): number;
  rttOf(id: string): number | undefined;
}

interface Pulse {
  x: number;
  y: number;
  w: number;
  h: number;
  at: number;
}

/**
 * Paints on two canvases between boxes and chips: on the ground lines and what is
 * only a dot far away, whenever that changes, and on the other moving dots, every frame.
 */
export class Painter {
  private readonly below: CanvasRenderingContext2D;
  private ctx: CanvasRenderingContext2D;
  private readonly above: CanvasRenderingContext2D;
  private colours: Colours;
  private font = "";
  private empty = false;
  /** How much larger than life dots are drawn. */
  private grow = 1;
  private pulses: Pulse[] = [];
  /** Lines that are there without a frame. */
  wires: Point[][] = [];
  /** The way of a traced frame, above all others. */
  trace: { route: Route | null; verdict: string; predicted?: boolean } | null = null;
  /** What an overlay lights; null: all. */
  lit: ReadonlySet<string> | null = null;
  /** The interface whose lines stand out; "": none. */
  stressed = "";
  /** What is a dot far away, with the interfaces on it. */
  cards: readonly { box: Box; enis: readonly string[] }[] = [];
  private readonly end = new Float32Array(2);
  private readonly outgoing = new Map<string, { rate: number; x: number; y: number; right: boolean }>();

  constructor(ground: HTMLCanvasElement, canvas: HTMLCanvasElement) {
    this.below = ground.getContext("2d")!;
    this.above = canvas.getContext("2d")!;
    this.ctx = this.above;
    this.colours = this.readColours();
  }

  /** The theme changed. */
  recolour(): void {
    this.colours = this.readColours();
  }

  private readColours(): Colours {
    const css = getComputedStyle(this.above.canvas);
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
      instance: v("--instance"),
    };
  }

  /** Sizes the canvases to their box in device pixels; true if it changed. */
  fit(width: number, height: number): boolean {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(width * ratio);
    const h = Math.round(height * ratio);
    if (this.above.canvas.width === w && this.above.canvas.height === h) return false;
    for (const { canvas } of [this.above, this.below]) {
      canvas.width = w;
      canvas.height = h;
    }
    return true;
  }

  /** Begins a ring around a chip whose interface has announced itself. */
  pulse(chip: Chip | undefined, now: number): void {
    if (chip) this.pulses.push({ x: chip.x, y: chip.y, w: chip.w, h: chip.h, at: now });
  }

  /** Lines, their rates, and what is paint alone at this level of detail. */
  paintGround(dots: Dots, camera: Camera, detail: Detail, still: boolean, figures: Figures): void {
    this.ctx = this.below;
    this.start(camera);
    const area = seen(camera, this.size(), 0);
    if (detail === "far") this.dotCards(camera, area, figures);
    this.wire();
    this.lines(dots, camera, area, still);
    if (this.trace?.route) this.way(this.trace.route, this.trace.verdict, this.trace.predicted);
    if (camera.scale >= labelScale) this.label(dots, figures);
  }

  /** What moves. */
  paintDots(dots: Dots, camera: Camera, still: boolean, now: number): void {
    this.ctx = this.above;
    const steps = stepHook.dots?.on ? stepHook.dots : null;
    const nothing = (still || dots.count === 0) && !steps && this.pulses.length === 0;
    if (nothing && this.empty) return;
    this.empty = nothing;
    this.start(camera);
    // Far away a dot keeps a size that can be seen.
    this.grow = Math.max(1, 0.55 / camera.scale);
    if (steps) {
      if (steps.path) {
        this.ctx.lineWidth = 2.5;
        this.ctx.strokeStyle = this.colours.edge;
        this.line(steps.path);
      }
      steps.each(now, still, this.drawLarge);
    } else if (!still) dots.each(this.draw);
    this.ctx.globalAlpha = 1;
    this.rings(now, still);
  }

  private size(): { width: number; height: number } {
    const ratio = window.devicePixelRatio || 1;
    return { width: this.ctx.canvas.width / ratio, height: this.ctx.canvas.height / ratio };
  }

  private start(camera: Camera): void {
    const { ctx } = this;
    const ratio = window.devicePixelRatio || 1;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
    const k = camera.scale * ratio;
    ctx.setTransform(k, 0, 0, k, camera.x * ratio, camera.y * ratio);
    ctx.lineJoin = "round";
    ctx.globalAlpha = 1;
  }

  /** Instances as dots: dim where nothing is sent, brighter by the rate, in the colour of a fault. */
  private dotCards(camera: Camera, area: ReturnType<typeof seen>, figures: Figures): void {
    const { ctx, colours } = this;
    // What is smaller than this on the screen would flicker away.
    const least = 2.5 / camera.scale;
    const chosen = state.selection.peek();
    // By look: a change of style for each of ten thousand would cost more than the dots.
    const looks = new Map<string, Box[]>();
    const outlined: Box[] = [];
    for (const { box: b, enis } of this.cards) {
      if (!touches(b, area)) continue;
      const i = state.instancesById.peek().get(b.id);
      const off = b.kind === "tray" || (i && i.state !== "running");
      const on = !this.lit || this.lit.has(b.id) || enis.some((id) => this.lit!.has(id));
      const colour = i?.fault ? "lost" : off ? "edge" : b.kind === "nat" ? "control" : "instance";
      const shine = i?.fault ? 1 : off ? 0.5 : Math.min(1, 0.4 + 0.15 * Math.log10(1 + figures.rateOf(b.id)));
      const look = `${colour} ${on ? shine.toFixed(1) : "0.12"}`;
      const list = looks.get(look);
      if (list) list.push(b);
      else looks.set(look, [b]);
      if (chosen && (b.id === chosen || enis.includes(chosen))) outlined.push(b);
    }
    for (const [look, boxes] of looks) {
      const [colour, alpha] = look.split(" ") as [keyof Colours, string];
      ctx.fillStyle = colours[colour];
      ctx.globalAlpha = Number(alpha);
      for (const b of boxes) ctx.fillRect(b.x, b.y, Math.max(b.w, least), Math.max(b.h, least));
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = 2 / camera.scale;
    ctx.strokeStyle = colours.accept;
    for (const b of outlined) {
      const out = 2 * least;
      ctx.strokeRect(b.x - least, b.y - least, Math.max(b.w, least) + out, Math.max(b.h, least) + out);
    }
  }

  /** All lines of one width in one stroke: thousands of strokes would take a frame's time. */
  private lines(dots: Dots, camera: Camera, area: ReturnType<typeof seen>, still: boolean): void {
    const { ctx, colours } = this;
    const byWidth: Route[][] = widths.map(() => []);
    const stressed: Line[] = [];
    dots.eachLine((l, r) => {
      l.shown = touches(r.bounds, area);
      if (!l.shown) return;
      if (this.stressed && l.ends.includes(this.stressed)) stressed.push(l);
      else byWidth[classOf(l.rate)]!.push(r);
    });
    // A line is as wide on the screen wherever it can be seen at all.
    const wide = Math.max(1, 0.6 / camera.scale);
    ctx.strokeStyle = colours.line;
    ctx.globalAlpha = this.lit || stressed.length > 0 ? 0.4 : 1;
    byWidth.forEach((routes, i) => {
      if (routes.length === 0) return;
      ctx.lineWidth = widths[i]! * wide;
      ctx.beginPath();
      for (const r of routes) this.trail(r);
      ctx.stroke();
    });
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.accept;
    for (const l of stressed) {
      ctx.lineWidth = (widths[classOf(l.rate)]! + 0.8) * wide;
      this.line(l.route!);
    }
    if (!still) return;
    ctx.lineCap = "butt";
    ctx.lineWidth = 5 * wide;
    dots.eachLine((l, r) => {
      if (!l.shown) return;
      // From the port outwards, as long as the rate is great, and never past the first corner.
      const out = r.origin.side === "right" ? 1 : -1;
      const room = Math.abs((r.points[2] ?? r.origin.x) - r.origin.x) - 12;
      const length = Math.min(Math.max(4, room), barStep * Math.log10(1 + l.rate));
      ctx.beginPath();
      ctx.moveTo(r.origin.x + out * 12, r.points[1]!);
      ctx.lineTo(r.origin.x + out * (12 + length), r.points[1]!);
      ctx.stroke();
    });
  }

  private trail(route: Route): void {
    const { ctx } = this;
    for (let i = 0; i < route.points.length; i += 2) {
      if (i === 0) ctx.moveTo(route.points[0]!, route.points[1]!);
      else ctx.lineTo(route.points[i]!, route.points[i + 1]!);
    }
  }

  private line(route: Route): void {
    this.ctx.beginPath();
    this.trail(route);
    this.ctx.stroke();
  }

  private rings(now: number, still: boolean): void {
    if (this.pulses.length === 0) return;
    const { ctx } = this;
    this.pulses = this.pulses.filter((p) => now - p.at < pulseMs);
    ctx.strokeStyle = this.colours.control;
    for (const p of this.pulses) {
      const f = (now - p.at) / pulseMs;
      // Without motion the ring stands and goes.
      const out = still ? 6 : 3 + 22 * f;
      ctx.globalAlpha = still ? 1 : 1 - f;
      ctx.lineWidth = 3;
      ctx.beginPath();
      ctx.roundRect(p.x - out, p.y - out, p.w + 2 * out, p.h + 2 * out, 6 + out);
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
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
    this.mark(kind);
  }

  /** A shape twice its size, where the end was put. */
  private mark(kind: number): void {
    const { ctx } = this;
    ctx.save();
    ctx.translate(this.end[0]!, this.end[1]!);
    ctx.scale(2, 2);
    this.draw(kind, 0, 0, 1);
    ctx.restore();
  }

  /** Writes what leaves each port per second beside the port, and how long answers take. */
  private label(dots: Dots, figures: Figures): void {
    const { ctx } = this;
    const out = this.outgoing;
    out.clear();
    dots.eachLine(({ shown, rate }, route) => {
      if (!shown) return;
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
    for (const [id, o] of out) {
      if (o.rate < 1) continue;
      ctx.textAlign = o.right ? "left" : "right";
      // Clear of the card's edge, which is 10 px from the port; above the line if frames leave to the right.
      // Between a host and the gateway beside it there is room for the rate alone.
      const rtt = state.hostsById.peek().has(id) ? undefined : figures.rttOf(id);
      const text = rtt === undefined ? `${short(o.rate)}/s` : `${short(o.rate)}/s · ${milliseconds(rtt)}`;
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
    const k = this.grow;
    ctx.globalAlpha = alpha;
    switch (kind) {
      case Accept:
        ctx.fillStyle = colours.accept;
        ctx.beginPath();
        ctx.arc(x, y, 2.4 * k, 0, 6.2832);
        ctx.fill();
        return;
      case Reject:
        ctx.fillStyle = colours.reject;
        ctx.beginPath();
        ctx.moveTo(x, y - 4.2 * k);
        ctx.lineTo(x + 4.2 * k, y);
        ctx.lineTo(x, y + 4.2 * k);
        ctx.lineTo(x - 4.2 * k, y);
        ctx.fill();
        return;
      case Lost:
        ctx.fillStyle = colours.lost;
        ctx.fillRect(x - 4 * k, y - 1.2 * k, 8 * k, 2.4 * k);
        ctx.fillRect(x - 1.2 * k, y - 4 * k, 2.4 * k, 8 * k);
        return;
      case Control:
        ctx.fillStyle = colours.control;
        ctx.fillRect(x - 3 * k, y - 3 * k, 6 * k, 6 * k);
    }
  };
}

/** A time as people write it. */
function milliseconds(ms: number): string {
  if (ms < 1) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
