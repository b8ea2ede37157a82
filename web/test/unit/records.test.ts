import { expect, it } from "vitest";
import type { Failover, LabEvent } from "../../src/api/types.ts";
import { begunBy, longest, pairUp } from "../../src/failover/records.ts";

const at = (ms: number): string => String(BigInt(1_800_000_000_000 + ms) * 1_000_000n);
const record = (over: Partial<Failover>): Failover => ({
  id: "fo-a",
  kind: "failover",
  state: "completed",
  networkInterfaceId: "eni-1",
  fromInstanceId: "i-1",
  toInstanceId: "i-2",
  startedAt: at(0),
  ...over,
});
const failed = (resource: string, ms: number, fault: string): LabEvent => ({
  seq: 1,
  at: new Date(1_800_000_000_000 + ms).toISOString(),
  type: "instance.failed",
  resource,
  detail: { fault },
});

it("names the fault that began a record, by the log", () => {
  const f = record({ control: { faultAt: at(0) } });
  const events = [failed("i-1", 9000, "stop"), failed("i-2", 3, "link"), failed("i-1", 3, "freeze")];
  expect(begunBy(f, events)).toEqual({ by: "fault", fault: "freeze" });
  expect(begunBy(f, [])).toEqual({ by: "fault", fault: "" });
});

it("says what else began one", () => {
  const cause = { misses: 3, detail: "no answer" };
  expect(begunBy(record({ cause: { ...cause, fromInterfaceId: "eni-2" } }), [])).toEqual({
    by: "probe",
    misses: 3,
  });
  expect(begunBy(record({ cause }), [])).toEqual({ by: "gone" });
  expect(begunBy(record({ kind: "move" }), [failed("i-1", 0, "freeze")])).toEqual({ by: "call" });
});

it("pairs what at least one of two records has", () => {
  const a = record({
    outageMs: 1100,
    phases: [
      { name: "detect", start: at(0), end: at(700), ms: 700 },
      { name: "recover", start: at(700), ms: 0 },
    ],
    requestsSent: 900,
    requestsLost: 0,
    tcp: { open: 8, reset: 8, closed: 0, survived: 0, reconnected: 8, reconnectedAfterMs: 1300 },
  });
  const b = record({
    id: "fo-b",
    outageMs: null,
    tcp: { open: 0, reset: 0, closed: 0, survived: 0, reconnected: 0 },
  });
  const rows = pairUp(a, b);
  expect(rows.map((r) => [r.name, r.a, r.b])).toEqual([
    ["outage", 1100, null],
    ["phase.detect", 700, null],
    ["lost", 0, null],
    ["reset", 8, null],
    ["survived", 0, null],
    ["reconnected", 1300, null],
  ]);
  expect(longest(rows)).toBe(1300);
  expect(longest([])).toBe(1);
});
