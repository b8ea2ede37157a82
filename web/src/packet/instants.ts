// Instants to the nanosecond, which no JavaScript number holds.

/** Unix nanoseconds of an RFC 3339 instant in UTC. */
export function nanos(iso: string): bigint {
  const m = /^(.{19})(?:\.(\d{1,9}))?Z$/.exec(iso);
  if (!m) return BigInt(Date.parse(iso)) * 1_000_000n;
  return BigInt(Date.parse(`${m[1]}Z`)) * 1_000_000n + BigInt((m[2] ?? "").padEnd(9, "0"));
}

export const millisOf = (ns: bigint): number => Number(ns / 1000n) / 1000;

/** The wall clock of an instant with microseconds, local time. */
export function clockOf(ns: bigint): string {
  const d = new Date(Number(ns / 1_000_000n));
  const two = (n: number): string => String(n).padStart(2, "0");
  const micros = String(Number((ns / 1000n) % 1_000_000n)).padStart(6, "0");
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${micros}`;
}
