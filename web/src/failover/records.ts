import { type Failover, type LabEvent, phaseNames } from "../api/types.ts";
import { instant } from "../i18n/instant.ts";

// What records say beside each other; pure, so that tests hold it.

/** What a record began with. */
export type Begun =
  | { by: "fault"; fault: string }
  | { by: "probe"; misses: number }
  | { by: "gone" }
  | { by: "call" };

const sameInstantMs = 1000;

/**
 * What began a record: a fault that was injected, which the event log names, or none,
 * of which the policy's probes tell, or a call. fault is "" if the log is not known so
 * far back.
 */
export function begunBy(f: Failover, events: readonly LabEvent[]): Begun {
  if (f.control?.faultAt) {
    const at = instant(f.control.faultAt);
    const event = events.find(
      (e) =>
        e.type === "instance.failed" &&
        e.resource === f.fromInstanceId &&
        Math.abs(instant(e.at) - at) < sameInstantMs,
    );
    return { by: "fault", fault: String((event?.detail as { fault?: string } | undefined)?.fault ?? "") };
  }
  if (f.cause) return f.cause.fromInterfaceId ? { by: "probe", misses: f.cause.misses } : { by: "gone" };
  return { by: "call" };
}

/** A figure of two records; null: it has none. */
export interface Pair {
  name: string;
  a: number | null;
  b: number | null;
  unit: "ms" | "count";
}

/** The figures of two records side by side, those that at least one has. */
export function pairUp(a: Failover, b: Failover): Pair[] {
  const phase = (f: Failover, name: string): number | null =>
    f.phases?.find((p) => p.name === name && p.end)?.ms ?? null;
  const tcp = (f: Failover, of: "reset" | "survived" | "reconnectedAfterMs"): number | null =>
    f.tcp && f.tcp.open > 0 ? (f.tcp[of] ?? null) : null;
  const rows: Pair[] = [
    { name: "outage", a: a.outageMs ?? null, b: b.outageMs ?? null, unit: "ms" },
    ...phaseNames.map((n): Pair => ({ name: `phase.${n}`, a: phase(a, n), b: phase(b, n), unit: "ms" })),
    {
      name: "lost",
      a: a.requestsSent ? (a.requestsLost ?? 0) : null,
      b: b.requestsSent ? (b.requestsLost ?? 0) : null,
      unit: "count",
    },
    { name: "reset", a: tcp(a, "reset"), b: tcp(b, "reset"), unit: "count" },
    { name: "survived", a: tcp(a, "survived"), b: tcp(b, "survived"), unit: "count" },
    { name: "reconnected", a: tcp(a, "reconnectedAfterMs"), b: tcp(b, "reconnectedAfterMs"), unit: "ms" },
  ];
  return rows.filter((r) => r.a !== null || r.b !== null);
}

/** The greatest duration of two records, for bars on one scale. */
export const longest = (rows: readonly Pair[]): number =>
  Math.max(1, ...rows.filter((r) => r.unit === "ms").flatMap((r) => [r.a ?? 0, r.b ?? 0]));
