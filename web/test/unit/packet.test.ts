import { describe, expect, it } from "vitest";
import { around, windowOf } from "../../src/captures/cut.ts";
import { liveCommand, systemOf } from "../../src/captures/live.ts";
import { conversations } from "../../src/packet/conversations.ts";
import { millisOf, nanos } from "../../src/packet/instants.ts";
import { Player, type Query } from "../../src/packet/player.ts";
import { ticksOf } from "../../src/packet/ticks.ts";
import { differences, ownerOf, rowsOf } from "../../src/packet/tree.ts";
import type { RecordedFrame, RecordedFrames, Tree } from "../../src/packet/types.ts";
import { packetEn } from "../../src/packet/words-en.ts";
import { packetKo } from "../../src/packet/words-ko.ts";
import { Ring } from "../../src/stream/ring.ts";

const tree = (dst: string, port: string): Tree => ({
  summary: "UDP",
  length: 46,
  layers: [
    { name: "Ethernet", off: 0, len: 14, fields: [{ name: "destination", value: dst, off: 0, len: 6 }] },
    {
      name: "IPv4",
      off: 14,
      len: 20,
      fields: [
        { name: "version", value: "4", off: 14, len: 1 },
        { name: "fragment offset", value: "0", off: 20, len: 2 },
        { name: "don't fragment", value: "yes", off: 20, len: 1 },
      ],
    },
    { name: "UDP", off: 34, len: 8, fields: [{ name: "source port", value: port, off: 34, len: 2 }] },
    { name: "data", off: 42, len: 4, fields: [] },
  ],
});

describe("a frame's tree", () => {
  const all = (): boolean => true;

  it("has a field of its own for each that was rewritten, and marks the layer", () => {
    const rows = rowsOf(tree("02:b", "1000"), tree("02:a", "1000"), all);
    expect(rows.filter((r) => r.changed).map((r) => [r.id, r.sent])).toEqual([
      ["0", null],
      ["0.0", "02:a"],
    ]);
    expect(rowsOf(tree("02:b", "1"), undefined, all).some((r) => r.changed)).toBe(false);
    expect(rowsOf(tree("02:b", "1"), undefined, (l) => l === "UDP").map((r) => r.id)).toEqual([
      "0",
      "1",
      "2",
      "2.0",
      "3",
    ]);
  });

  it("knows who owns a byte: the shortest field, else the layer, else nobody", () => {
    const t = tree("02:b", "1");
    expect(ownerOf(t, 3)?.id).toBe("0.0");
    expect(ownerOf(t, 20)?.id).toBe("1.2");
    expect(ownerOf(t, 21)?.id).toBe("1.1");
    expect(ownerOf(t, 43)).toEqual({ id: "3", layer: "data", off: 42, len: 4 });
    expect(ownerOf(t, 46)).toBeNull();
    // Each field's bytes lead back to a field that has them.
    for (const l of t.layers)
      for (const f of l.fields)
        for (let b = f.off; b < f.off + f.len; b++) {
          const o = ownerOf(t, b)!;
          expect(b >= o.off && b < o.off + o.len).toBe(true);
        }
  });

  it("is compared field by field, also with one that has other layers", () => {
    expect(differences(tree("02:a", "7"), tree("02:a", "8"))).toEqual([
      { layer: "UDP", field: "source port", a: "7", b: "8" },
    ]);
    expect(differences(tree("02:a", "7"), tree("02:a", "7"))).toEqual([]);
    const short = { ...tree("02:a", "7"), layers: tree("02:a", "7").layers.slice(0, 1) };
    expect(differences(short, tree("02:a", "7")).map((x) => x.a)).toEqual(["", "", "", ""]);
  });
});

it("reads instants to the nanosecond", () => {
  expect(nanos("2026-11-30T15:47:36.081359123Z")).toBe(1_796_053_656_081_359_123n);
  expect(nanos("2026-11-30T15:47:36.5Z") - nanos("2026-11-30T15:47:36Z")).toBe(500_000_000n);
  expect(millisOf(1_500_000n)).toBe(1.5);
});

describe("the player", () => {
  const base = nanos("2026-01-01T00:00:00Z");
  const iso = (i: number): string =>
    `2026-01-01T00:00:${String(Math.floor(i / 100)).padStart(2, "0")}.${String((i % 100) * 10).padStart(3, "0")}Z`;
  /** A recording of frames 1 to n, one each 10 ms, given in pages. */
  const recording = (n: number, page: number) => {
    const frame = (i: number) => ({ cursor: i, at: iso(i) }) as RecordedFrame;
    const list = Array.from({ length: n }, (_, i) => frame(i + 1));
    return async (q: Query): Promise<RecordedFrames> => {
      const items =
        "at" in q
          ? list.filter((f) => nanos(f.at) >= BigInt(q.at)).slice(0, page)
          : "after" in q
            ? list.filter((f) => f.cursor > q.after).slice(0, page)
            : list
                .filter((f) => f.cursor < q.before)
                .toReversed()
                .slice(0, page);
      return { items, oldest: 1, next: n + 1, from: iso(1), to: iso(n) };
    };
  };
  const player = (n: number, page = 50): Player => new Player(recording(n, page), () => undefined);

  it("steps on and back over the ends of pages, and stops at the recording's", async () => {
    const p = player(400);
    expect(await p.seek(String(base + 2_000_000_000n))).toBe(true);
    expect(p.current?.frame.cursor).toBe(200);
    for (let i = 0; i < 150; i++) await p.step(-1);
    expect(p.current?.frame.cursor).toBe(50);
    for (let i = 0; i < 300; i++) await p.step(1);
    expect(p.current?.frame.cursor).toBe(350);
    for (let i = 0; i < 60; i++) await p.step(1);
    expect(p.current?.frame.cursor).toBe(400);
    expect(await p.step(1)).toBeNull();
  });

  it("begins at the newest without an instant, and says of one before the recording that it has nothing", async () => {
    const p = player(30);
    await p.seek("");
    expect(p.current?.frame.cursor).toBe(30);
    expect(await p.seek("1")).toBe(false);
    expect(p.current?.frame.cursor).toBe(1);
    const none = new Player(
      async () => ({ items: [], oldest: 1, next: 1 }),
      () => undefined,
    );
    expect(await none.seek("")).toBe(false);
    expect(none.current).toBeNull();
  });

  it("plays at the recording's own pace, or at a part of it", async () => {
    const p = player(400);
    await p.seek(String(base + 1_000_000_000n));
    p.play();
    expect(p.tick(100).length).toBe(10);
    p.speed = 1 / 10;
    expect(p.tick(100).length).toBe(1);
    p.speed = 1 / 100;
    expect(p.tick(100).length).toBe(0);
    expect(p.tick(900).length).toBe(1);
    p.pause();
    expect(p.tick(10_000)).toEqual([]);
  });
});

it("marks faults and phases within the recording, in seconds from the fault", () => {
  const f = {
    control: { faultAt: "1000000000" },
    startedAt: "0",
    phases: [
      { name: "detect", start: "1000000000", end: "1620000000", ms: 620 },
      { name: "attach", start: "2000000000", end: "9000000000", ms: 7000 },
    ],
  };
  const ticks = ticksOf([f as never], 500_000_000n, 2_500_000_000n);
  expect(ticks.map((x) => [x.name, x.seconds, x.place])).toEqual([
    ["fault", 0, 0.25],
    ["detect", 0.62, 0.56],
  ]);
  expect(ticksOf([f as never], 5n, 5n)).toEqual([]);
});

it("gathers both directions of a flow", () => {
  const ring = new Ring(16);
  const push = (seq: number, src: number, dst: number, sport: number, dport: number, verdict: number): void =>
    ring.push(seq, seq, src, dst, sport, dport, 100, 0x0800, 17, verdict, 0, 0, 1, 2, 0, 0);
  push(1, 10, 20, 4000, 7, 1);
  push(2, 20, 10, 7, 4000, 3);
  push(3, 10, 20, 4001, 7, 1);
  expect(conversations(ring, 16, 10).map((c) => [c.cursor, c.frames, c.bytes, c.refused])).toEqual([
    [2, 2, 200, 1],
    [3, 1, 100, 0],
  ]);
});

it("writes the live line for each system's shell, and cuts a capture around a window", () => {
  expect(systemOf("Mozilla/5.0 (Windows NT 10.0)")).toBe("windows");
  expect(systemOf("Mozilla/5.0 (Macintosh; Intel Mac OS X)")).toBe("macos");
  expect(systemOf("Mozilla/5.0 (X11; Linux)")).toBe("linux");
  expect(liveCommand("linux", "http://h/x?a=1&b=2")).toBe("curl -N 'http://h/x?a=1&b=2' | wireshark -k -i -");
  expect(liveCommand("windows", "http://h/x?a=1&b=2")).toContain('^"http://h/x?a=1&b=2^"');
  const { from, to } = around("5000000000", "9000000000");
  expect(windowOf("cap-1", from, to)).toBe("/captures/cap-1/pcapng?from=4000000000&to=10000000000");
  expect(windowOf("cap-1", from, around("1", "").to)).toBe("/captures/cap-1/pcapng?from=4000000000");
});

it("has each word in both languages, with the same placeholders", () => {
  const marks = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
  for (const [key, text] of Object.entries(packetEn)) {
    expect(marks(packetKo[key as keyof typeof packetEn]), key).toEqual(marks(text));
  }
});
