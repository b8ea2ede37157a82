import { expect, test } from "vitest";
import type { Check, Failover } from "../../src/api/types.ts";
import { meant } from "../../src/failover/checks.ts";

const check = (name: string, result: string): Check => ({ name, result, before: "a", after: "b" }) as Check;
const record = (kind: string): Failover => ({ moved: { kind } }) as Failover;

test("what a move changes by necessity is no fault", () => {
  for (const [kind, name, result, want] of [
    ["private-addresses", "mac", "changed", true],
    ["private-addresses", "ip", "changed", false],
    ["private-addresses", "mac", "same", false],
    ["elastic-ip", "ip", "changed", true],
    ["elastic-ip", "eip", "changed", false],
    ["network-interface", "mac", "changed", false],
    ["route", "groups", "changed", false],
  ] as const) {
    expect([kind, name, meant(record(kind), check(name, result))]).toEqual([kind, name, want]);
  }
});
