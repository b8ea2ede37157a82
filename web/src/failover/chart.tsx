import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import * as state from "../app/state.ts";
import { theme } from "../app/theme.ts";
import { language, short, t } from "../i18n/i18n.ts";

// One chunk for all that draws with uPlot.
export { Courses, CoursesOfTwo } from "./courses.tsx";

/** A phase as the chart shades it: seconds relative to the fault. */
export interface Shade {
  name: string;
  from: number;
  to: number;
}

const height = 148;
const refreshMs = 100;

/** The value of a custom property where el stands. */
export const css = (el: Element, name: string): string => getComputedStyle(el).getPropertyValue(name).trim();

/**
 * Accepted, rejected and lost per second around a fault, from the exact bins.
 * zero and end are microseconds of the server's clock; end 0 means now.
 */
export function Chart({ zero, end, shades }: { zero: number; end: number; shades: Shade[] }) {
  const box = useRef<HTMLDivElement>(null);
  const live = useRef({ zero, end, shades });
  live.current = { zero, end, shades };
  // Colours and words are fixed when a chart is made, so these make a new one.
  const look = `${theme.value} ${language.value}`;

  useEffect(() => {
    const el = box.current!;
    const axis = {
      stroke: css(el, "--muted"),
      grid: { stroke: css(el, "--line"), width: 1 },
      ticks: { show: false },
      font: `11px ${css(el, "--mono")}`,
    };
    const series = (name: "accept" | "reject" | "lost", width: number, fill: boolean): uPlot.Series => ({
      label: t(`verdict.${name}`),
      stroke: css(el, `--${name}`),
      width,
      points: { show: false },
      spanGaps: false,
      ...(fill && { fill: `color-mix(in srgb, ${css(el, `--${name}`)} 12%, transparent)` }),
    });
    const chart = new uPlot(
      {
        width: el.clientWidth || 320,
        height,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        padding: [8, 18, 0, 0],
        scales: { x: { time: false }, y: { range: (_u, _min, max) => [0, Math.max(10, max * 1.12)] } },
        axes: [
          { ...axis, size: 26, gap: 4, values: (_u, ticks) => ticks.map((v) => `${v > 0 ? "+" : ""}${v} s`) },
          { ...axis, size: 46, gap: 4, values: (_u, ticks) => ticks.map((v) => short(v)) },
        ],
        series: [{}, series("accept", 1.5, true), series("reject", 1.5, false), series("lost", 2, false)],
        hooks: { drawClear: [(u) => shade(u, live.current.shades, el)] },
      },
      [[], [], [], []] as unknown as uPlot.AlignedData,
      el,
    );
    const read = (): void => {
      const { zero, end } = live.current;
      const last = end || state.bins.newest;
      const from = zero > 0 ? zero - 3e6 : last - 30e6;
      const to = zero > 0 && end > 0 ? Math.max(end + 3e6, zero + 4e6) : last;
      const base = zero > 0 ? zero : last;
      chart.setData(state.bins.series(from, Math.max(to, from + 4e6), base) as uPlot.AlignedData);
    };
    read();
    const timer = setInterval(() => {
      if (!document.hidden) read();
    }, refreshMs);
    const observer = new ResizeObserver(() => {
      if (el.clientWidth > 0) chart.setSize({ width: el.clientWidth, height });
    });
    observer.observe(el);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      chart.destroy();
    };
  }, [look]);

  return (
    <figure class="chart">
      <figcaption class="legend-row">
        {(["accept", "reject", "lost"] as const).map((v) => (
          <span key={v} class={`mark ${v}`}>
            {t("stat.each", { what: t(`stat.${v}`) })}
          </span>
        ))}
      </figcaption>
      <div ref={box} role="img" aria-label={t("chart.label")} />
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
