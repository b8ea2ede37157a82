import { describe, expect, it } from "vitest";
import { BinHistory } from "../../src/stream/bins.ts";
import { Ring } from "../../src/stream/ring.ts";
import { Window } from "../../src/traffic/window.ts";

const fill = (r: Ring, n: number, verdict: (i: number) => number = () => 1): void => {
  const from = r.end;
  for (let i = from; i < from + n; i++)
    r.push(i, i * 1000, 1, 2, 3, 4, 5, 6, 7, verdict(i), 0, 0, i % 2, 9, 0, 0);
};

describe("ring", () => {
  it("keeps the newest and forgets the oldest", () => {
    const r = new Ring(8);
    fill(r, 20);
    expect([r.oldest, r.end]).toEqual([12, 20]);
    expect(r.holds(11)).toBe(false);
    expect(r.seq[r.slot(12)]).toBe(12);
    expect(r.seq[r.slot(19)]).toBe(19);
  });

  it("takes powers of two only", () => {
    expect(() => new Ring(6)).toThrow(RangeError);
  });
});

describe("window", () => {
  it("shows the newest first and follows", () => {
    const r = new Ring(8);
    const w = new Window(r);
    fill(r, 3);
    w.sync();
    expect([w.length, w.at(0), w.at(2)]).toEqual([3, 2, 0]);
    fill(r, 10);
    w.sync();
    expect([w.length, w.at(0), w.at(7)]).toEqual([8, 12, 5]);
  });

  it("holds still while frozen and counts what waits", () => {
    const r = new Ring(16);
    const w = new Window(r);
    fill(r, 4);
    w.sync();
    w.freeze();
    fill(r, 5);
    w.sync();
    expect([w.length, w.newer, w.at(0)]).toEqual([4, 5, 3]);
    // The ring goes on: rows leave at the far end, never under the reader's eyes first.
    fill(r, 9);
    w.sync();
    expect([w.length, w.at(0), w.at(w.length - 1)]).toEqual([2, 3, 2]);
    w.thaw();
    expect([w.length, w.newer, w.at(0)]).toEqual([16, 0, 17]);
  });

  it("finds rows, and has none of a ring that was emptied", () => {
    const r = new Ring(64);
    const w = new Window(r);
    fill(r, 30);
    w.sync();
    expect([w.rowOf(29), w.rowOf(0), w.rowOf(30), w.rowOf(-1)]).toEqual([0, 29, -1, -1]);
    w.freeze();
    r.clear();
    w.sync();
    expect([w.length, w.newer, r.oldest, r.holds(29)]).toEqual([0, 0, 30, false]);
    fill(r, 2);
    w.sync();
    expect([w.length, w.newer]).toEqual([0, 2]);
    w.thaw();
    expect([w.at(0), w.at(1)]).toEqual([31, 30]);
  });

  it("stays within its memory over many laps", () => {
    const r = new Ring(8);
    const w = new Window(r);
    for (let lap = 0; lap < 100; lap++) {
      fill(r, 5);
      w.sync();
    }
    expect([w.length, w.at(0), w.at(7)]).toEqual([8, 499, 492]);
  });
});

describe("bins", () => {
  const edge = (accept: number, lost: number) => ({
    src: 1,
    dst: 2,
    accept,
    reject: 0,
    lost,
    control: 0,
    bytes: 0,
  });
  const at = (n: number): number => 1_763_884_800_000_000 + n * 100_000;

  it("adds messages of one bin and gives rates per second", () => {
    const b = new BinHistory();
    b.add(at(0), edge(10, 0));
    b.add(at(0), edge(5, 1));
    b.add(at(1), edge(20, 0));
    b.touch(at(2));
    const [t, accept, , lost] = b.series(at(0), at(2), at(0));
    expect(t).toEqual([0.05, 0.15]);
    expect(accept).toEqual([150, 200]);
    expect(lost).toEqual([10, 0]);
  });

  it("shows a missing bin as a gap, not as zero", () => {
    const b = new BinHistory();
    b.add(at(0), edge(10, 0));
    b.add(at(2), edge(10, 0));
    b.touch(at(3));
    expect(b.series(at(0), at(3), at(0))[1]).toEqual([100, null, 100]);
  });

  it("does not let an old bin overwrite a new one", () => {
    const b = new BinHistory();
    b.add(at(1200), edge(7, 0));
    b.add(at(0), edge(99, 0));
    b.touch(at(1201));
    expect(b.series(at(1200), at(1201), at(1200))[1]).toEqual([70]);
    expect(b.covers(at(0), at(1))).toBe(false);
  });

  it("leaves out the bin that is still being filled", () => {
    const b = new BinHistory();
    b.add(at(0), edge(10, 0));
    b.add(at(1), edge(1, 0));
    expect(b.series(at(0), at(5), at(0))[1]).toEqual([100]);
  });

  it("counts what was lost since an instant, the newest bin included", () => {
    const b = new BinHistory();
    b.add(at(0), edge(0, 5));
    b.add(at(1), edge(0, 7));
    b.add(at(2), edge(0, 9));
    expect(b.lostSince(at(1))).toBe(16);
    expect(b.lostSince(at(1) + 50_000)).toBe(16);
    expect(b.lostSince(at(9))).toBe(0);
  });
});
