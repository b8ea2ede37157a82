import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { get } from "../api/client.ts";
import type { Failover } from "../api/types.ts";
import { theme } from "../app/theme.ts";
import { instant, language, millis, short, t } from "../i18n/i18n.ts";
import { css, type Shade, shade } from "./chart.tsx";
import { type Column, type Columns, type Course, columnsOf, hasConnections, overlay } from "./course.ts";
import { shadesOf } from "./phases.tsx";

/** A line of a plot: its label, the colour's name, and how its values are written. */
interface Line {
  label: string;
  colour: string;
  values: Column;
  step?: boolean;
}

const height = 116;
const zeroOf = (f: Failover): number => instant(f.control?.faultAt ?? f.startedAt);

/** One plot over the seconds since the fault; its crosshair is that of the others with the same key. */
function Plot(props: {
  label: string;
  seconds: number[];
  lines: Line[];
  shades: Shade[];
  at: Signal<number | null>;
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
        cursor: { y: false, drag: { x: false, y: false }, sync: { key: props.sync }, points: { size: 6 } },
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

const perSecond = (v: number): string => short(v);
const rtt = (v: number): string => `${millis(v)} ms`;
const whole = (v: number): string => short(v);

/** Asks for a record's course once it is complete; null: not known (any more). */
function useCourse(f: Failover | undefined): Columns | null | undefined {
  const got = useSignal<Columns | null | undefined>(undefined);
  const id = f && f.state !== "running" ? f.id : "";
  useEffect(() => {
    got.value = undefined;
    if (!id || !f) return;
    get<Course>(`/failovers/${id}/course`).then(
      (c) => {
        got.value = columnsOf(c, zeroOf(f));
      },
      () => {
        got.value = null;
      },
    );
  }, [id]);
  return got.value;
}

/** How requests, round trips and connections went over the time of one move. */
export function Courses({ failover: f }: { failover: Failover }) {
  const c = useCourse(f);
  const at = useSignal<number | null>(null);
  if (c === undefined) return null;
  if (c === null) return <p class="quiet small">{t("course.none")}</p>;
  const common = { seconds: c.seconds, shades: shadesOf(f, zeroOf(f)), at, sync: f.id };
  return (
    <div class="courses" data-course={f.id}>
      <Plot
        {...common}
        label={t("course.requests")}
        unit={perSecond}
        lines={[
          { label: t("course.answered"), colour: "--accept", values: c.answered },
          { label: t("course.lost"), colour: "--lost", values: c.lost },
        ]}
      />
      <Plot
        {...common}
        label={t("course.rtt")}
        unit={rtt}
        log
        lines={[
          { label: "p50", colour: "--accept", values: c.p50 },
          { label: "p99", colour: "--control", values: c.p99 },
        ]}
      />
      {hasConnections(c) && (
        <Plot
          {...common}
          label={t("course.open")}
          unit={whole}
          lines={[{ label: t("course.openNow"), colour: "--good", values: c.open, step: true }]}
        />
      )}
    </div>
  );
}

/** The same of two moves, over the seconds since the fault of each. */
export function CoursesOfTwo({ a, b }: { a: Failover; b: Failover }) {
  const ca = useCourse(a);
  const cb = useCourse(b);
  const at = useSignal<number | null>(null);
  if (!ca || !cb) return null;
  const sync = `${a.id} ${b.id}`;
  const plot = (of: "answered" | "p99" | "open", label: string, unit: (v: number) => string) => {
    const [seconds, va, vb] = overlay(ca, cb, of);
    const lines = [
      { label: "A", colour: "--az", values: va, step: of === "open" },
      { label: "B", colour: "--instance", values: vb, step: of === "open" },
    ];
    return (
      <Plot
        label={label}
        seconds={seconds}
        lines={lines}
        shades={[]}
        at={at}
        sync={sync}
        unit={unit}
        log={of === "p99"}
      />
    );
  };
  return (
    <div class="courses" data-course={sync}>
      {plot("answered", t("course.answeredTwo"), perSecond)}
      {plot("p99", t("course.rttTwo"), rtt)}
      {hasConnections(ca) && hasConnections(cb) && plot("open", t("course.open"), whole)}
    </div>
  );
}
