import { instant } from "../i18n/instant.ts";

/** What /failovers/:id/course answers: lists have one value for each bin. */
export interface Course {
  from: string;
  binMs: number;
  sent: number[];
  answered: number[];
  lost: number[];
  rttP50Ms: (number | null)[];
  rttP99Ms: (number | null)[];
  open: (number | null)[];
}

/** A part of the time, in seconds since the fault. */
export interface Window {
  from: number;
  to: number;
}

export type Column = (number | null)[];

/** A course as columns over seconds relative to zero, which is in milliseconds of the server's clock. */
export interface Columns {
  seconds: number[];
  answered: Column;
  lost: Column;
  p50: Column;
  p99: Column;
  open: Column;
}

export function columnsOf(c: Course, zeroMs: number): Columns {
  const first = (instant(c.from) - zeroMs) / 1000;
  const perSecond = 1000 / c.binMs;
  return {
    // The middle of each bin, rounded as people would.
    seconds: c.sent.map((_, i) => Math.round((first + ((i + 0.5) * c.binMs) / 1000) * 1000) / 1000),
    answered: c.answered.map((n) => n * perSecond),
    lost: c.lost.map((n) => n * perSecond),
    p50: c.rttP50Ms,
    p99: c.rttP99Ms,
    open: c.open,
  };
}

export const hasConnections = (c: Columns): boolean => c.open.some((n) => n !== null);

/** Two courses on one scale of bins of the first's width, the second's values at the nearest bin. */
export function overlay(a: Columns, b: Columns, of: "answered" | "p99" | "open"): [number[], Column, Column] {
  const width = (a.seconds[1] ?? 1) - (a.seconds[0] ?? 0);
  const bin = (seconds: number): number => Math.floor(seconds / width + 1e-6);
  const own = new Map(a.seconds.map((s, i) => [bin(s), a[of][i] ?? null]));
  const nearest = new Map(b.seconds.map((s, i) => [bin(s), b[of][i] ?? null]));
  const bins = [...new Set([...own.keys(), ...nearest.keys()])].sort((x, y) => x - y);
  return [
    bins.map((n) => Math.round((n + 0.5) * width * 1000) / 1000),
    bins.map((n) => own.get(n) ?? null),
    bins.map((n) => nearest.get(n) ?? null),
  ];
}

/** What happened in a part of the time: requests answered and lost, and the worst round trip's p99. */
export function within(c: Columns, w: Window): { answered: number; lost: number; p99: number | null } {
  const width = (c.seconds[1] ?? 1) - (c.seconds[0] ?? 0);
  const out = { answered: 0, lost: 0, p99: null as number | null };
  c.seconds.forEach((s, i) => {
    if (s < w.from || s > w.to) return;
    out.answered += (c.answered[i] ?? 0) * width;
    out.lost += (c.lost[i] ?? 0) * width;
    const p99 = c.p99[i];
    if (p99 != null) out.p99 = Math.max(out.p99 ?? 0, p99);
  });
  return { ...out, answered: Math.round(out.answered), lost: Math.round(out.lost) };
}
