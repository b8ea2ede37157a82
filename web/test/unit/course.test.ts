import { expect, it } from "vitest";
import { type Course, columnsOf, hasConnections, overlay, within } from "../../src/failover/course.ts";

const course = (over: Partial<Course> = {}): Course => ({
  from: String(1_800_000_000_000n * 1_000_000n),
  binMs: 100,
  sent: [50, 50, 50],
  answered: [50, 0, 49],
  lost: [0, 50, 1],
  rttP50Ms: [0.2, null, 0.3],
  rttP99Ms: [0.4, null, 1.5],
  open: [8, 8, 0],
  ...over,
});

it("lays a course out over the seconds since the fault, as rates", () => {
  const c = columnsOf(course(), 1_800_000_000_100);
  expect(c.seconds).toEqual([-0.05, 0.05, 0.15]);
  expect(c.answered).toEqual([500, 0, 490]);
  expect(c.lost).toEqual([0, 500, 10]);
  expect(c.p99).toEqual([0.4, null, 1.5]);
  expect(hasConnections(c)).toBe(true);
  expect(hasConnections(columnsOf(course({ open: [null, null, null] }), 0))).toBe(false);
});

it("lays two on one scale, with nothing where one has no bin", () => {
  const a = columnsOf(course(), 1_800_000_000_100);
  const b = columnsOf(course({ answered: [1, 2, 3] }), 1_800_000_000_000);
  const [seconds, va, vb] = overlay(a, b, "answered");
  expect(seconds.length).toBe(4);
  expect(va).toEqual([500, 0, 490, null]);
  expect(vb).toEqual([null, 10, 20, 30]);
});

it("sums what a part of the time holds", () => {
  const c = columnsOf(course(), 1_800_000_000_100);
  expect(within(c, { from: -1, to: 1 })).toEqual({ answered: 99, lost: 51, p99: 1.5 });
  expect(within(c, { from: 0, to: 0.1 })).toEqual({ answered: 0, lost: 50, p99: null });
});
