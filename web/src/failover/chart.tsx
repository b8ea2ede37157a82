import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import * as state from "../app/state.ts";
import { theme } from "../app/theme.ts";
import { language, short, t } from "../i18n/i18n.ts";
import { css, type Shade, shade } from "./plot.tsx";

const height = 148;
const refreshMs = 100;
const beforeMicros = 3e6;
const leastSeconds = 5;
const idleMicros = 60e6;

/**
 * Accepted, rejected and lost per second around a fault, from the exact bins.
 * zero and end are microseconds of the server's clock; end 0 means now.
 */
export function Chart({
  zero,
  end,
  shades,
  sync = "live",
}: {
  zero: number;
  end: number;
  shades: Shade[];
  /** Whose crosshair it shares. */
  sync?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const live = useRef({ zero, end, shades });
  live.current = { zero, end, shades };
  // Colours and words are fixed when a chart is made, so these make a new one.
  const at = useSignal<readonly (number | null)[] | null>(null);
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
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 }, sync: { key: sync } },
        padding: [8, 18, 0, 0],
        scales: {
          x: { time: false, range: (_u, min, max) => [Math.min(min, max - leastSeconds), max] },
          y: { range: (_u, _min, max) => [0, Math.max(10, max * 1.12)] },
        },
        axes: [
          { ...axis, size: 26, gap: 4, values: (_u, ticks) => ticks.map((v) => `${v > 0 ? "+" : ""}${v} s`) },
          { ...axis, size: 46, gap: 4, values: (_u, ticks) => ticks.map((v) => short(v)) },
        ],
        series: [{}, series("accept", 1.5, true), series("reject", 1.5, false), series("lost", 2, false)],
        hooks: {
          drawClear: [(u) => shade(u, live.current.shades, el)],
          setCursor: [
            (u) => {
              const i = u.cursor.idx;
              at.value = i == null ? null : u.data.map((column) => column[i] ?? null);
            },
          ],
        },
      },
      [[], [], [], []] as unknown as uPlot.AlignedData,
      el,
    );
    const read = (): void => {
      const { zero, end } = live.current;
      const last = end || state.bins.newest;
      // The window begins where the data do, and grows to its length.
      const from = Math.max(zero > 0 ? zero - beforeMicros : last - idleMicros, state.bins.first);
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
  }, [look, sync]);

  return (
    <figure class="chart">
      <figcaption class="legend-row">
        {(["accept", "reject", "lost"] as const).map((v, k) => (
          <span key={v} class={`mark ${v}`}>
            {t("stat.each", { what: t(`stat.${v}`) })}
            {at.value && <code>{at.value[k + 1] === null ? "–" : short(at.value[k + 1]!)}</code>}
          </span>
        ))}
        {at.value && (
          <code class="quiet">{`${at.value[0]! > 0 ? "+" : ""}${at.value[0]!.toFixed(1)} s`}</code>
        )}
      </figcaption>
      <div ref={box} role="img" aria-label={t("chart.label")} />
    </figure>
  );
}
