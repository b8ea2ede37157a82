import type { Metric, Results, Trial, Variant } from "./types.ts";

// What tables say of numbers; pure, so that tests hold it.

/** Metrics that count; all others are durations. */
const counts: ReadonlySet<string> = new Set(["lost"]);

/** In the order of the report. */
export function metricsOf(v: Variant): [string, Metric][] {
  const all = Object.entries(v.metrics ?? {});
  const first = ["outage", "lost", "detected", "reconnected", "answeredByTwo"];
  const rank = (name: string): number => first.indexOf(name) + 1 || first.length + 1;
  return all.sort(([a], [b]) => rank(a) - rank(b));
}

/** Nanoseconds with the three digits that matter. */
export function duration(nanos: number): string {
  if (nanos < 1e3) return nanos === 0 ? "0 s" : `${nanos} ns`;
  if (nanos < 1e6) return `${digits(nanos / 1e3)} µs`;
  if (nanos < 1e9) return `${digits(nanos / 1e6)} ms`;
  if (nanos < 120e9) return `${digits(nanos / 1e9)} s`;
  return `${digits(nanos / 60e9)} min`;
}

function digits(n: number): string {
  const text = n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The change of a quantile that both have, in percent. */
export const changeOf = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : change(a, b);

/** A quantile, or null if it has no end. */
export function quantile(metric: string, value: number): string | null {
  if (value < 0) return null;
  return counts.has(metric) ? String(value) : duration(value);
}

/** What tells trials apart that are compared: only where they differ. */
export function differences(a: Trial, b: Trial): ("drill" | "in" | "timing" | "seed" | "runs")[] {
  return (["drill", "in", "timing", "seed", "runs"] as const).filter((k) => a[k] !== b[k]);
}

/** The change from one value to another in percent, signed; null without a base. */
export function change(from: number, to: number): number | null {
  if (from <= 0 || to < 0) return null;
  return Math.round(((to - from) / from) * 100);
}

/** The variants of two trials, paired by strategy, in the first's order. */
export function pairs(a: Results, b: Results): [string, Variant | undefined, Variant | undefined][] {
  const names = [...(a.variants ?? []), ...(b.variants ?? [])].map((v) => v.strategy ?? "");
  return [...new Set(names)].map((name) => [
    name,
    (a.variants ?? []).find((v) => (v.strategy ?? "") === name),
    (b.variants ?? []).find((v) => (v.strategy ?? "") === name),
  ]);
}

/** How long one run takes on this machine by what earlier trials of the drill took, in milliseconds. */
export function perRun(
  trials: readonly Trial[],
  drill: string,
  place: string,
  timing: string,
): number | null {
  const like = trials.find(
    (x) => x.drill === drill && x.in === place && x.timing === timing && x.done > 0 && x.endedAt,
  );
  return like ? (Date.parse(like.endedAt!) - Date.parse(like.startedAt)) / like.done : null;
}

/** A line of YAML in its parts: indent and dash, key, the rest, a comment. */
export interface YamlLine {
  lead: string;
  key: string;
  rest: string;
  comment: string;
}

export function yamlLine(line: string): YamlLine {
  const [, code = "", comment = ""] = /^((?:[^#"']|"[^"]*"|'[^']*'|(?<=\S)#)*)(#.*)?$/.exec(line) ?? [
    "",
    line,
    "",
  ];
  const [, lead = "", key = "", rest = ""] =
    /^(\s*(?:- )*)((?:[\w.-]+|"[^"]*"):(?=\s|$))?(.*)$/.exec(code) ?? [];
  return { lead, key, rest, comment };
}
