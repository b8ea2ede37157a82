import type { Failover } from "../api/types.ts";

/** A mark on the scrubber: the fault, or the beginning of a phase, in seconds from the fault. */
export interface Tick {
  at: bigint;
  /** 0 to 1 of the window. */
  place: number;
  name: string;
  seconds: number;
}

const known = (text: string | undefined): bigint => (text && /^\d+$/.test(text) ? BigInt(text) : 0n);

/** The faults and phases of the failovers that are within a window. */
export function ticksOf(list: readonly Failover[], from: bigint, to: bigint): Tick[] {
  const out: Tick[] = [];
  if (to <= from) return out;
  const add = (at: bigint, zero: bigint, name: string): void => {
    if (at < from || at > to) return;
    out.push({
      at,
      place: Number(at - from) / Number(to - from),
      name,
      seconds: Number((at - zero) / 1000n) / 1e6,
    });
  };
  for (const f of list) {
    const zero = known(f.control?.faultAt) || known(f.startedAt);
    if (!zero) continue;
    add(zero, zero, "fault");
    for (const p of f.phases ?? []) {
      const end = known(p.end);
      if (end) add(end, zero, p.name);
    }
  }
  return out.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
