import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CodecError,
  decodeBins,
  decodeHeader,
  decodePackets,
  type Edge,
  headerSize,
  packetSize,
} from "../../src/stream/codec.ts";
import { Ring } from "../../src/stream/ring.ts";

function message(type: number, count: number, body: number): DataView {
  const v = new DataView(new ArrayBuffer(headerSize + body));
  v.setUint16(0, 0x4e45, true);
  v.setUint8(2, 4);
  v.setUint8(3, type);
  v.setUint16(4, count, true);
  v.setBigUint64(8, 5_000_000_000n, true);
  v.setBigUint64(16, 1_763_884_800_123_456_789n, true);
  v.setUint32(24, 7, true);
  v.setUint32(28, 9, true);
  return v;
}

describe("header", () => {
  it("reads counts beyond 32 bits and whole microseconds", () => {
    const h = decodeHeader(message(1, 0, 0));
    expect(h).toEqual({
      type: 1,
      count: 0,
      flags: 0,
      cursor: 5_000_000_000,
      baseMicros: 1_763_884_800_123_456,
      skipped: 7,
      matched: 9,
    });
  });

  it("refuses what it cannot hold", () => {
    expect(() => decodeHeader(new DataView(new ArrayBuffer(31)))).toThrow(CodecError);
    expect(() => decodeHeader(message(1, 2, packetSize))).toThrow(/cannot hold 2 records/);
    expect(() => decodeHeader(message(4, 0, 0))).toThrow(/type 4/);
    const other = message(1, 0, 0);
    other.setUint8(2, 1);
    expect(() => decodeHeader(other)).toThrow(/version 1/);
    const foreign = message(1, 0, 0);
    foreign.setUint16(0, 1, true);
    expect(() => decodeHeader(foreign)).toThrow(/magic/);
  });

  it("survives every cut of a message", () => {
    const whole = message(1, 1, packetSize);
    for (let n = 0; n < whole.byteLength; n++) {
      expect(() => decodeHeader(new DataView(whole.buffer, 0, n))).toThrow(CodecError);
    }
  });
});

describe("records", () => {
  it("reads every field of a packet", () => {
    const v = message(1, 1, packetSize);
    const o = headerSize;
    v.setUint32(o, 3, true);
    v.setUint32(o + 4, 250, true);
    v.setUint32(o + 8, 0xc0a8000a, true);
    v.setUint32(o + 12, 0xc0a8002a, true);
    v.setUint16(o + 16, 40001, true);
    v.setUint16(o + 18, 7, true);
    v.setUint16(o + 20, 1514, true);
    v.setUint16(o + 22, 0x0800, true);
    v.setUint8(o + 24, 17);
    v.setUint8(o + 25, 2);
    v.setUint8(o + 26, 5);
    v.setUint8(o + 27, 0x12);
    v.setUint32(o + 28, 70000, true);
    v.setUint32(o + 32, 3, true);
    v.setUint32(o + 36, 0x0f000010, true);
    v.setUint32(o + 40, 0x80000009, true);
    const ring = new Ring(8);
    decodePackets(v, decodeHeader(v), ring);
    expect(ring.end).toBe(1);
    expect([
      ring.seq[0],
      ring.micros[0],
      ring.src[0],
      ring.dst[0],
      ring.sport[0],
      ring.dport[0],
      ring.length[0],
      ring.etherType[0],
      ring.proto[0],
      ring.verdict[0],
      ring.reason[0],
      ring.flags[0],
      ring.srcVnic[0],
      ring.dstVnic[0],
      ring.rule[0],
      ring.way[0],
    ]).toEqual([
      5_000_000_003, 1_763_884_800_123_706, 0xc0a8000a, 0xc0a8002a, 40001, 7, 1514, 0x0800, 17, 2, 5, 0x12,
      70000, 3, 0x0f000010, 0x80000009,
    ]);
  });

  it("reads bins", () => {
    const v = message(2, 1, 32);
    [1, 2, 30, 4, 5, 6].forEach((n, i) => {
      v.setUint32(headerSize + i * 4, n, true);
    });
    v.setBigUint64(headerSize + 24, 10_000_000_000n, true);
    const edges: Edge[] = [];
    decodeBins(v, decodeHeader(v), (e) => edges.push({ ...e }));
    expect(edges).toEqual([
      { src: 1, dst: 2, accept: 30, reject: 4, lost: 5, control: 6, bytes: 10_000_000_000 },
    ]);
  });
});

// Written by the Go encoder; both sides must read the same numbers.
const golden = new URL("../../../testdata/stream/", import.meta.url);

describe("golden files", () => {
  const bytes = (name: string): DataView => {
    const b = readFileSync(new URL(name, golden));
    return new DataView(b.buffer, b.byteOffset, b.byteLength);
  };

  const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, golden), "utf8"));

  it("packets.bin decodes", () => {
    const v = bytes("packets.bin");
    const h = decodeHeader(v);
    const ring = new Ring(1024);
    decodePackets(v, h, ring);
    const want = json("packets.json") as { matched: number; packets: Record<string, number>[] };
    expect(h.type).toBe(1);
    expect(h.matched).toBe(want.matched);
    expect(v.byteLength).toBe(headerSize + h.count * packetSize);
    const got = want.packets.map((_, i) => ({
      cursor: ring.seq[i],
      micros: ring.micros[i],
      srcIp: ring.src[i],
      dstIp: ring.dst[i],
      srcPort: ring.sport[i],
      dstPort: ring.dport[i],
      length: ring.length[i],
      etherType: ring.etherType[i],
      proto: ring.proto[i],
      verdict: ring.verdict[i],
      reason: ring.reason[i],
      tcpFlags: ring.flags[i],
      srcVnic: ring.srcVnic[i],
      dstVnic: ring.dstVnic[i],
      rule: ring.rule[i],
      way: ring.way[i],
    }));
    expect(ring.end).toBe(want.packets.length);
    expect(got).toEqual(want.packets);
  });

  it("bins.bin decodes", () => {
    const v = bytes("bins.bin");
    const h = decodeHeader(v);
    const edges: Edge[] = [];
    decodeBins(v, h, (e) => edges.push({ ...e }));
    expect(h.type).toBe(2);
    expect({ startMicros: h.baseMicros, widthMs: h.matched, edges }).toEqual(json("bins.json"));
  });
});
