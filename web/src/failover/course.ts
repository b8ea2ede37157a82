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
