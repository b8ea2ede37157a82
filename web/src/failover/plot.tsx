import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../app/theme.ts";
import { language } from "../i18n/i18n.ts";
import type { Column, Window } from "./course.ts";

/** A phase as the chart shades it: seconds relative to the fault. */
export interface Shade {
  name: string;
  from: number;
  to: number;
}

/** A line of a plot: its label, the colour's name, and how its values are written. */
export interface Line {
  label: string;
  colour: string;
  values: Column;
  step?: boolean;
}

const height = 116;
/** Pixels: less is a click that slipped. */
const leastDrag = 6;

/** The value of a custom property where el stands. */
export const css = (el: Element, name: string): string => getComputedStyle(el).getPropertyValue(name).trim();

/** One plot over the seconds since the fault; its crosshair is that of the others with the same key. */
export function Plot(props: {
  label: string;
  seconds: number[];
  lines: Line[];
  shades: Shade[];
  at: Signal<number | null>;
  /** The seconds that are shown, of all plots that share it; null: all there are. */
  window?: Signal<Window | null>;
  sync: string;
  log?: boolean;
  unit: (v: number) => string;
}) {
  const { label, seconds, lines, at, unit } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const look = `${theme.value} ${language.value} ${lines.map((l) => l.label).join()}`;
  useEffect(() => {
    const el = box.current!;
    const axis = {
      stroke: css(el, "--muted"),
      grid: { stroke: css(el, "--line"), width: 1 },
      ticks: { show: false },
      font: `11px ${css(el, "--mono")}`,
    };
    const u = new uPlot(
      {
        width: el.clientWidth || 320,
        height,
        legend: { show: false },
        cursor: {
          y: false,
          drag: { x: Boolean(props.window), y: false, setScale: false },
          sync: { key: props.sync },
          points: { size: 6 },
        },
        padding: [8, 18, 0, 0],
        scales: {
          x: { time: false },
          y: props.log ? { distr: 3 } : { range: (_u, _min, max) => [0, Math.max(1, max * 1.12)] },
        },
        axes: [
          {
            ...axis,
            size: 24,
            gap: 4,
            space: 64,
            values: (_u, ticks) => ticks.map((v) => `${v > 0 ? "+" : ""}${v} s`),
          },
          // A logarithmic axis has more lines than are of use.
          {
            ...axis,
            ...(props.log && { grid: { show: false } }),
            size: 56,
            gap: 4,
            values: (_u, ticks) => ticks.map((v) => (v === null ? "" : unit(v))),
          },
        ],
        series: [
          {},
          ...lines.map(
            (l): uPlot.Series => ({
              label: l.label,
              stroke: css(el, l.colour),
              width: 1.5,
              points: { show: false },
              spanGaps: false,
              ...(l.step && { paths: uPlot.paths.stepped!({ align: 1 }) }),
            }),
          ),
        ],
        hooks: {
          drawClear: [(self) => shade(self, props.shades, el)],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (!props.window || width < leastDrag) return;
              props.window.value = { from: self.posToVal(left, "x"), to: self.posToVal(left + width, "x") };
              self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            },
          ],
          setCursor: [
            (self) => {
              at.value = self.cursor.idx ?? null;
            },
          ],
        },
      },
      [seconds, ...lines.map((l) => l.values)] as uPlot.AlignedData,
      el,
    );
    plot.current = u;
    const observer = new ResizeObserver(() => {
      if (el.clientWidth > 0) u.setSize({ width: el.clientWidth, height });
    });
    observer.observe(el);
    return () => {
      observer.disconnect();
      u.destroy();
    };
  }, [look, seconds]);
  const w = props.window?.value ?? null;
  useEffect(() => {
    const first = seconds[0] ?? 0;
    const last = seconds.at(-1) ?? 1;
    plot.current?.setScale("x", w ? { min: w.from, max: w.to } : { min: first, max: last });
  }, [w, look, seconds]);
  const step = (e: KeyboardEvent): void => {
    const u = plot.current;
    const by = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
    if (!u || by === 0) return;
    e.preventDefault();
    e.stopPropagation();
    const i = Math.min(seconds.length - 1, Math.max(0, (at.value ?? (by > 0 ? -1 : seconds.length)) + by));
    u.setCursor({ left: u.valToPos(seconds[i]!, "x"), top: 10 });
  };
  const i = at.value;
  return (
    <figure class="chart course">
      <figcaption class="legend-row">
        <b>{label}</b>
        {lines.map((l) => (
          <span key={l.label} class="course-value">
            <i style={{ background: `var(${l.colour})` }} />
            {l.label}
            {i !== null && <code>{l.values[i] == null ? "–" : unit(l.values[i]!)}</code>}
          </span>
        ))}
        {i !== null && (
          <code class="quiet">{`${seconds[i]! > 0 ? "+" : ""}${seconds[i]?.toFixed(2)} s`}</code>
        )}
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the crosshair */}
      <div ref={box} role="img" aria-label={label} tabIndex={0} onKeyDown={step} />
    </figure>
  );
}

/** Shades the phases behind a plot, and marks the fault itself. */
export function shade(u: uPlot, shades: Shade[], el: Element): void {
  const { ctx } = u;
  const { top, height: h } = u.bbox;
  ctx.save();
  for (const s of shades) {
    const a = Math.max(u.bbox.left, u.valToPos(s.from, "x", true));
    const b = Math.min(u.bbox.left + u.bbox.width, u.valToPos(s.to, "x", true));
    if (b <= a) continue;
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = css(el, `--phase-${s.name}`);
    ctx.fillRect(a, top, Math.max(1, b - a), h);
  }
  // The fault itself.
  const zero = u.valToPos(0, "x", true);
  if (shades.length > 0 && zero >= u.bbox.left && zero <= u.bbox.left + u.bbox.width) {
    ctx.globalAlpha = 1;
    ctx.strokeStyle = css(el, "--lost");
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(zero, top);
    ctx.lineTo(zero, top + h);
    ctx.stroke();
  }
  ctx.restore();
}
