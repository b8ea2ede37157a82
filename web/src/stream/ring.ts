import type { PacketSink } from "./codec.ts";

/** Verdicts as the wire numbers them. */
export const verdictNames = ["none", "accept", "reject", "lost", "control"] as const;
export const Accept = 1;
export const Reject = 2;
export const Lost = 3;
export const Control = 4;

/**
 * A fixed ring of packet records in typed arrays. The oldest record is
 * overwritten when it is full; nothing is allocated after construction.
 * Records are addressed by their ordinal: the first ever pushed is 0, and
 * [oldest, end) is what the ring still holds.
 */
export class Ring implements PacketSink {
  readonly capacity: number;
  /** One past the newest ordinal. */
  end = 0;
  private floor = 0;

  readonly seq: Float64Array;
  readonly micros: Float64Array;
  readonly src: Uint32Array;
  readonly dst: Uint32Array;
  readonly sport: Uint16Array;
  readonly dport: Uint16Array;
  readonly length: Uint16Array;
  readonly etherType: Uint16Array;
  readonly proto: Uint8Array;
  readonly verdict: Uint8Array;
  readonly reason: Uint8Array;
  readonly flags: Uint8Array;
  readonly srcVnic: Uint32Array;
  readonly dstVnic: Uint32Array;
  readonly rule: Uint32Array;
  readonly way: Uint32Array;

  private readonly mask: number;

  /** capacity must be a power of two. */
  constructor(capacity = 131072) {
    if (capacity < 1 || (capacity & (capacity - 1)) !== 0) {
      throw new RangeError(`ring capacity ${capacity} is not a power of two`);
    }
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.seq = new Float64Array(capacity);
    this.micros = new Float64Array(capacity);
    this.src = new Uint32Array(capacity);
    this.dst = new Uint32Array(capacity);
    this.sport = new Uint16Array(capacity);
    this.dport = new Uint16Array(capacity);
    this.length = new Uint16Array(capacity);
    this.etherType = new Uint16Array(capacity);
    this.proto = new Uint8Array(capacity);
    this.verdict = new Uint8Array(capacity);
    this.reason = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.srcVnic = new Uint32Array(capacity);
    this.dstVnic = new Uint32Array(capacity);
    this.rule = new Uint32Array(capacity);
    this.way = new Uint32Array(capacity);
  }

  get oldest(): number {
    return Math.max(this.floor, this.end - this.capacity);
  }

  /** Forgets every record; ordinals go on. */
  clear(): void {
    this.floor = this.end;
  }

  /** The array index of an ordinal, which must be in [oldest, end). */
  slot(ordinal: number): number {
    return ordinal & this.mask;
  }

  holds(ordinal: number): boolean {
    return ordinal >= this.oldest && ordinal < this.end;
  }

  push(
    seq: number,
    micros: number,
    src: number,
    dst: number,
    sport: number,
    dport: number,
    length: number,
    etherType: number,
    proto: number,
    verdict: number,
    reason: number,
    flags: number,
    srcVnic: number,
    dstVnic: number,
    rule: number,
    way: number,
  ): void {
    const i = this.end & this.mask;
    this.seq[i] = seq;
    this.micros[i] = micros;
    this.src[i] = src;
    this.dst[i] = dst;
    this.sport[i] = sport;
    this.dport[i] = dport;
    this.length[i] = length;
    this.etherType[i] = etherType;
    this.proto[i] = proto;
    this.verdict[i] = verdict;
    this.reason[i] = reason;
    this.flags[i] = flags;
    this.srcVnic[i] = srcVnic;
    this.dstVnic[i] = dstVnic;
    this.rule[i] = rule;
    this.way[i] = way;
    this.end++;
  }
}
