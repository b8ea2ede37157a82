import { expect, it } from "vitest";
import {
  change,
  differences,
  duration,
  metricsOf,
  pairs,
  perRun,
  quantile,
  yamlLine,
} from "../../src/drills/figures.ts";
import type { Trial, Variant } from "../../src/drills/types.ts";

const metric = { known: 3, unended: 0, p50: 1, p90: 1, p99: 1, max: 1 };
const variant = (strategy: string, metrics: string[] = []): Variant => ({
  strategy,
  seed: 1,
  asked: 3,
  runs: 3,
  verdict: "held",
  outcomes: [],
  metrics: Object.fromEntries(metrics.map((m) => [m, metric])),
  command: "",
});
const trial = (over: Partial<Trial>): Trial => ({
  id: "tr-a",
  drill: "eni-failover",
  in: "virtual",
  timing: "fast",
  seed: 1,
  runs: 10,
  strategies: [],
  state: "done",
  startedAt: "2026-11-30T12:00:00Z",
  endedAt: "2026-11-30T12:00:02Z",
  done: 10,
  of: 10,
  outage: [],
  ...over,
});

it.each([
  [0, "0 s"],
  [999, "999 ns"],
  [1_500, "1.5 µs"],
  [975_000_000, "975 ms"],
  [1_046_000_000, "1.05 s"],
  [1_300_000_000, "1.3 s"],
  [32_350_000_000, "32.4 s"],
  [100_000_000_000, "100 s"],
  [180_000_000_000, "3 min"],
])("writes %i ns as %s", (nanos, text) => {
  expect(duration(nanos)).toBe(text);
});

it("tells durations, counts and what has no end apart", () => {
  expect([quantile("outage", 2e9), quantile("lost", 34), quantile("outage", -1)]).toEqual([
    "2 s",
    "34",
    null,
  ]);
});

it("shows figures in the report's order, new ones last", () => {
  expect(metricsOf(variant("", ["invented", "lost", "detected", "outage"])).map(([m]) => m)).toEqual([
    "outage",
    "lost",
    "detected",
    "invented",
  ]);
  expect(metricsOf({ ...variant(""), metrics: null })).toEqual([]);
});

it("compares in percent, and says nothing without a base", () => {
  expect([change(1000, 1240), change(200, 100), change(0, 5), change(5, -1)]).toEqual([24, -50, null, null]);
});

it("pairs strategies, those of one side too", () => {
  const rows = pairs(
    { variants: [variant("eni"), variant("eip")] },
    { variants: [variant("eip"), variant("route")] },
  );
  expect(rows.map(([name, a, b]) => [name, Boolean(a), Boolean(b)])).toEqual([
    ["eni", true, false],
    ["eip", true, true],
    ["route", false, true],
  ]);
  expect(pairs({ variants: null }, { variants: null })).toEqual([]);
});

it("names what differs in how two were run", () => {
  expect(differences(trial({}), trial({ id: "tr-b", timing: "aws", seed: 2 }))).toEqual(["timing", "seed"]);
});

it("guesses how long a run takes by the newest like it", () => {
  const list = [trial({ state: "running", done: 0 }), trial({ in: "real" }), trial({})];
  expect(perRun(list, "eni-failover", "virtual", "fast")).toBe(200);
  expect(perRun(list, "eni-failover", "virtual", "aws")).toBeNull();
});

it.each([
  ["steps:", "", "steps:", "", ""],
  ["  - name: EC2-1 # active", "  - ", "name:", " EC2-1 ", "# active"],
  ["# of all", "", "", "", "# of all"],
  ["  - {name: lab, cidr: 10.0.0.0/16}", "  - ", "", "{name: lab, cidr: 10.0.0.0/16}", ""],
  ['description: "a # b"', "", "description:", ' "a # b"', ""],
  ["  with an apostrophe's rest", "  ", "", "with an apostrophe's rest", ""],
  ["", "", "", "", ""],
])("colours %s", (line, lead, key, rest, comment) => {
  expect(yamlLine(line)).toEqual({ lead, key, rest, comment });
});
