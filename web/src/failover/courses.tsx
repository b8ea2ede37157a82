import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import type { Failover } from "../api/types.ts";
import { count, instant, millis, short, t } from "../i18n/i18n.ts";
import {
  type Columns,
  type Course,
  columnsOf,
  hasConnections,
  overlay,
  type Window,
  within,
} from "./course.ts";
import { shadesOf } from "./phases.tsx";
import { Plot } from "./plot.tsx";

const zeroOf = (f: Failover): number => instant(f.control?.faultAt ?? f.startedAt);

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
  const window = useSignal<Window | null>(null);
  if (c === undefined) return null;
  if (c === null) return <p class="quiet small">{t("course.none")}</p>;
  const common = { seconds: c.seconds, shades: shadesOf(f, zeroOf(f)), at, window, sync: f.id };
  return (
    <div class="courses" data-course={f.id}>
      <WindowBar of={f} columns={c} window={window} />
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

const aroundMs = 500;

/** What is shown of the time: chosen by dragging over a plot, or by these buttons. */
function WindowBar({
  of: f,
  columns: c,
  window,
}: {
  of: Failover;
  columns: Columns;
  window: Signal<Window | null>;
}) {
  const w = window.value;
  const sum = w && within(c, w);
  const outage = f.outageMs;
  const at = w ? BigInt(Math.round((zeroOf(f) + w.from * 1000) * 1000)) * 1000n : 0n;
  return (
    <div class="window-bar">
      <div class="actions">
        <button type="button" aria-pressed={w === null} onClick={() => (window.value = null)}>
          {t("window.whole")}
        </button>
        {typeof outage === "number" && (
          <button
            type="button"
            onClick={() => (window.value = { from: -aroundMs / 1000, to: (outage + 2 * aroundMs) / 1000 })}
          >
            {t("window.outage")}
          </button>
        )}
        {w && <a href={`/live?mode=step&t=${at}`}>{t("window.step")}</a>}
      </div>
      <p class="quiet small" role="status">
        {sum
          ? t("window.sum", {
              from: w.from.toFixed(2),
              to: w.to.toFixed(2),
              answered: count(sum.answered),
              lost: count(sum.lost),
              p99: sum.p99 === null ? "–" : millis(sum.p99),
            })
          : t("window.hint")}
      </p>
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
