import type { Ring } from "../stream/ring.ts";
import { Accept, Control } from "../stream/ring.ts";

// Flows among the newest records of the page's ring. No framework.

export interface Conversation {
  key: string;
  /** The cursor of its newest frame. */
  cursor: number;
  proto: number;
  a: number;
  b: number;
  aPort: number;
  bPort: number;
  frames: number;
  bytes: number;
  refused: number;
  micros: number;
}

const ipv4 = 0x0800;
const icmp = 1;

/** The flows of the newest records, the one with the most frames first. */
export function conversations(ring: Ring, records: number, most: number): Conversation[] {
  const by = new Map<string, Conversation>();
  for (let o = ring.end - 1; o >= Math.max(ring.oldest, ring.end - records); o--) {
    const i = ring.slot(o);
    if (ring.etherType[i] !== ipv4) continue;
    const proto = ring.proto[i]!;
    // Of ICMP the identifier alone tells flows apart: it lies in the second port.
    const sport = proto === icmp ? ring.dport[i]! : ring.sport[i]!;
    const dport = ring.dport[i]!;
    const [src, dst] = [ring.src[i]!, ring.dst[i]!];
    const forward = src < dst || (src === dst && sport <= dport);
    const [a, aPort, b, bPort] = forward ? [src, sport, dst, dport] : [dst, dport, src, sport];
    const key = `${proto}/${a}:${aPort}/${b}:${bPort}`;
    let c = by.get(key);
    if (!c) {
      c = {
        key,
        cursor: ring.seq[i]!,
        proto,
        a,
        b,
        aPort,
        bPort,
        frames: 0,
        bytes: 0,
        refused: 0,
        micros: ring.micros[i]!,
      };
      by.set(key, c);
    }
    c.frames++;
    c.bytes += ring.length[i]!;
    const v = ring.verdict[i];
    if (v !== Accept && v !== Control) c.refused++;
  }
  return [...by.values()].sort((x, y) => y.frames - x.frames || y.cursor - x.cursor).slice(0, most);
}
