import { describe, expect, it } from "vitest";
import { Dictionary } from "../../src/stream/dictionary.ts";
import { Dots, type Drawn } from "../../src/topology/dots.ts";
import { entriesOf, find } from "../../src/topology/find.ts";
import { Rates } from "../../src/topology/rates.ts";
import { targetsOf } from "../../src/topology/targets.ts";
import { region } from "./region.ts";

describe("search", () => {
  const entries = entriesOf(region(1000));
  const all = (): boolean => true;
  const ids = (text: string): string[] => find(entries, text, all, 5).places.map((p) => p.id);

  it.each([
    ["a name", "n517", "i-000205"],
    ["an id", "eni-0001f4", "eni-0001f4"],
    ["an address", "10.0.4.27", "eni-000205"],
    ["a MAC, in any case", "02:00:00:00:02:05", "eni-000205"],
    ["a CIDR", "10.0.4.0/23", "subnet-0002"],
  ])("finds by %s", (_, text, id) => {
    expect(ids(text)[0]).toBe(id);
  });

  it("puts what is the text before what begins with it, and says how many there are", () => {
    const found = find(entries, "n5", all, 5);
    expect(found.places[0]?.id).toBe("i-000005");
    expect(found.places).toHaveLength(5);
    // n5, n50 to n59, n500 to n599, and the interfaces named after them.
    expect(found.count).toBe(222);
  });

  it("finds an interface with a name of its own by its instance's too", () => {
    const named = region(10);
    named.networkInterfaces[7]!.tags = { Name: "service" };
    const by = (text: string): string[] => find(entriesOf(named), text, all, 5).places.map((p) => p.id);
    expect(by("service")).toEqual(["eni-000007"]);
    expect(by("n7 eth0")).toEqual(["eni-000007"]);
  });

  it("finds nothing for nothing, and not what is not on the map", () => {
    expect(find(entries, "  ", all, 5).count).toBe(0);
    expect(find(entries, "no such thing", all, 5).count).toBe(0);
    expect(find(entries, "n5", (id) => id.startsWith("eni-"), 5).places[0]?.id).toBe("eni-000005");
  });
});

describe("targets of a move", () => {
  const all = [
    { id: "i-3", name: "web-10" },
    { id: "i-2", name: "web-9" },
    { id: "i-1", name: "db" },
  ];
  const verdict = (instanceId: string, allowed: boolean) => [instanceId, { instanceId, allowed }] as const;

  it("puts the allowed first and counts numbers in names", () => {
    const verdicts = new Map([verdict("i-1", false), verdict("i-2", true), verdict("i-3", true)]);
    expect(targetsOf(all, verdicts as never, "").map((x) => x.name)).toEqual(["web-9", "web-10", "db"]);
  });

  it("finds by name and id, before the control plane has answered too", () => {
    expect(targetsOf(all, null, "WEB").map((x) => x.name)).toEqual(["web-9", "web-10"]);
    expect(targetsOf(all, null, "i-1").map((x) => x.name)).toEqual(["db"]);
  });
});

describe("rates", () => {
  it("are frames a second of each interface, and end", () => {
    const r = new Rates();
    r.add(3, 700, 50, 40);
    r.settle(0.5);
    expect([r.tx[3], r.rx[700], r.tx[700]]).toEqual([100, 80, 0]);
    for (let i = 0; i < 40; i++) r.settle(0.5);
    expect(r.tx[3]).toBe(0);
  });
});

describe("dictionary", () => {
  it("knows numbers by interface, and forgets the one whose number another got", () => {
    const d = new Dictionary();
    d.learn("vnic", [{ i: 1, id: "eni-a" }]);
    expect([d.vnic("eni-a"), d.reassigned]).toEqual([1, 0]);
    d.learn("vnic", [{ i: 1, id: "eni-b" }]);
    expect([d.vnic("eni-a"), d.vnic("eni-b"), d.reassigned]).toEqual([0, 1, 1]);
  });
});

describe("lines", () => {
  const route = {
    points: new Float32Array([0, 0, 100, 0]),
    lengths: new Float32Array([0, 100]),
    total: 100,
    bus: 100,
    bounds: { x: 0, y: 0, w: 100, h: 1 },
    origin: { id: "a", x: 0, y: 0, side: "right" as const },
  };
  const edge = (src: number, dst: number, accept: number) => ({
    src,
    dst,
    accept,
    reject: 0,
    lost: 0,
    control: 0,
    bytes: 0,
  });
  const asOne = (): Drawn => ({ key: "a>b", ends: ["a", "b"], route: () => route });
  const lines = (d: Dots): [string, number][] => {
    const out: [string, number][] = [];
    d.eachLine((l) => out.push([l.key, Math.round(l.rate)]));
    return out;
  };

  it("stand for all pairs of one key, with the sum of their frames", () => {
    const d = new Dots(asOne);
    d.settle(0, 200);
    d.feed(edge(1, 2, 10), 100);
    d.feed(edge(3, 2, 30), 100);
    expect(d.settle(1000, 200)).toBe(true);
    expect(lines(d)).toEqual([["a>b", 40]]);
    expect(d.settle(1100, 200)).toBe(false);
  });

  it("keep their rate over a new layout", () => {
    const d = new Dots(asOne);
    d.settle(0, 200);
    d.feed(edge(1, 2, 100), 100);
    d.settle(1000, 200);
    d.invalidate();
    d.feed(edge(1, 2, 0), 100);
    expect(lines(d)).toEqual([["a>b", 100]]);
  });

  it("are asked for again only when more is known", () => {
    let asked = 0;
    const d = new Dots(() => {
      asked++;
      return null;
    });
    for (let i = 0; i < 5; i++) d.feed(edge(1, 2, 1), 100);
    expect(asked).toBe(1);
    d.learned();
    d.feed(edge(1, 2, 1), 100);
    expect(asked).toBe(2);
  });

  it("out of sight begin no dots", () => {
    const d = new Dots(asOne);
    d.feed(edge(1, 2, 5), 100);
    expect(d.count).toBeGreaterThan(0);
    const seen = d.count;
    d.settle(1000, 200);
    d.eachLine((l) => {
      l.shown = false;
    });
    d.feed(edge(1, 2, 50), 100);
    expect(d.count).toBe(seen);
  });
});
