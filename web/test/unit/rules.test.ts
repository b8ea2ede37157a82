import { describe, expect, it } from "vitest";
import { diff, drafted, isEmpty, rebase } from "../../src/rules/changes.ts";
import { covers, hints, isMistake, wrong } from "../../src/rules/check.ts";
import { rulesEn } from "../../src/rules/en.ts";
import { rulesKo } from "../../src/rules/ko.ts";
import { block, contains, fromText, icmp, type Row, span, toText } from "../../src/rules/rows.ts";

const rule = (over: Record<string, string> = {}): Row => ({
  direction: "ingress",
  protocol: "tcp",
  ports: "80",
  peer: "10.0.0.0/16",
  description: "",
  ...over,
});
const entry = (number: string, over: Record<string, string> = {}): Row => ({
  ...rule(),
  number,
  action: "allow",
  key: `ingress ${number}`,
  ...over,
});

describe("what is typed", () => {
  it("reads ports, ICMP types and blocks, and nothing else", () => {
    expect(span("80")).toEqual({ from: 80, to: 80 });
    expect(span("8000-8080")).toEqual({ from: 8000, to: 8080 });
    expect(span("")).toEqual({ from: 0, to: 65535 });
    for (const bad of ["90-80", "65536", "x", "80,81", "-1"]) expect(span(bad)).toBeNull();
    expect(icmp("8/0")).toEqual({ type: 8, code: 0 });
    expect(icmp("")).toEqual({ type: -1, code: -1 });
    expect(icmp("256")).toBeNull();
    expect(block("10.1.2.3/16")).toEqual(block("10.1.0.0/16"));
    for (const bad of ["10.0.0.0", "10.0.0.256/8", "10.0.0.0/33", "sg-1"]) expect(block(bad)).toBeNull();
    expect(contains(block("0.0.0.0/0")!, block("255.255.255.255/32")!)).toBe(true);
    expect(contains(block("128.0.0.0/1")!, block("127.0.0.0/8")!)).toBe(false);
    expect(contains(block("10.0.0.0/24")!, block("10.0.0.0/16")!)).toBe(false);
  });

  it("is said to be wrong beside its column", () => {
    expect(wrong("sg", rule())).toEqual({});
    expect(wrong("sg", rule({ peer: "sg-1", ports: "" }))).toEqual({});
    expect(wrong("sg", rule({ peer: "10.0.0.0", ports: "99999" }))).toMatchObject({
      peer: { key: "badPeer" },
      ports: { key: "badPorts" },
    });
    expect(wrong("sg", rule({ protocol: "all" }))).toMatchObject({ ports: { key: "noPorts" } });
    expect(wrong("acl", entry("0", { peer: "sg-1" }))).toMatchObject({
      number: { key: "badNumber" },
      peer: { key: "badBlock" },
    });
    expect(wrong("rtb", { destination: "pl-1", target: "" })).toMatchObject({ target: { key: "needed" } });
  });

  it("is the same as JSON text and as rows, and keeps what a row is known by", () => {
    const base = [rule({ key: "sgr-1" }), rule({ key: "sgr-2", ports: "443" })];
    expect(fromText("sg", toText("sg", base), base)).toEqual(base);
    const copied = fromText("sg", toText("sg", [base[0]!, base[0]!]), base) as Row[];
    expect(copied.map((r) => r.key)).toEqual(["sgr-1", undefined]);
    expect(fromText("sg", '[{"ports": 80}]', base)).toMatchObject([{ ports: "80", peer: "" }]);
    expect(fromText("sg", "[{", base)).toMatchObject({ key: "json" });
    expect(fromText("sg", "{}", base)).toMatchObject({ key: "notList" });
    expect(fromText("sg", "[1]", base)).toMatchObject({ key: "notObject", values: { at: "1" } });
    expect(fromText("sg", '[{"prot": "x"}]', base)).toMatchObject({ key: "unknownField" });
    expect(fromText("sg", '[{"peer": {}}]', base)).toMatchObject({ key: "notText" });
    const { description: _, ...one } = entry("100");
    expect(fromText("acl", toText("acl", [one]), [one])).toEqual([one]);
  });
});

describe("what rows are to each other", () => {
  it("a rule covers what it lets through already", () => {
    expect(covers(rule({ protocol: "all", ports: "" }), rule())).toBe(true);
    expect(covers(rule({ ports: "1-100" }), rule())).toBe(true);
    expect(covers(rule(), rule({ ports: "1-100" }))).toBe(false);
    expect(covers(rule({ peer: "0.0.0.0/0" }), rule())).toBe(true);
    expect(covers(rule({ peer: "sg-1" }), rule())).toBe(false);
    expect(covers(rule({ direction: "egress" }), rule())).toBe(false);
    expect(covers(rule({ protocol: "icmp", ports: "8" }), rule({ protocol: "icmp", ports: "8/0" }))).toBe(
      true,
    );
    expect(covers(rule({ protocol: "icmp", ports: "8/0" }), rule({ protocol: "icmp", ports: "8" }))).toBe(
      false,
    );
  });

  it("duplicates are mistakes, what is covered is a hint", () => {
    const h = hints("sg", [rule(), rule(), rule({ ports: "" })]);
    expect(h.get(1)).toEqual({ key: "duplicate", values: { row: "1" } });
    expect(isMistake(h.get(1))).toBe(true);
    expect(h.get(0)).toEqual({ key: "covered", values: { row: "3" } });
    expect(isMistake(h.get(0))).toBe(false);
    expect(h.has(2)).toBe(false);
  });

  it("an entry that comes first shadows those that come later", () => {
    const h = hints("acl", [
      entry("100", { peer: "0.0.0.0/0", ports: "" }),
      entry("200", { action: "deny" }),
      entry("300"),
      entry("50"),
    ]);
    expect(h.get(1)).toEqual({ key: "neverAsked", values: { number: "100" } });
    expect(h.get(2)?.key).toBe("shadowed");
    expect(h.has(3)).toBe(false);
    expect(hints("acl", [entry("100"), entry("100", { ports: "22" })]).get(1)?.key).toBe("sameNumber");
    const routes = [
      { destination: "0.0.0.0/0", target: "igw-1" },
      { destination: "0.0.0.0/0", target: "nat-1" },
    ];
    expect(hints("rtb", routes).get(1)?.key).toBe("sameRoute");
  });
});

describe("changes", () => {
  const base = [
    rule({ key: "sgr-1" }),
    rule({ key: "sgr-2", ports: "443" }),
    rule({ key: "sgr-3", ports: "22" }),
  ];

  it("are what is added, changed and removed, what goes first", () => {
    const rows = [base[0]!, rule({ key: "sgr-2", ports: "8443" }), rule({ ports: "53", protocol: "udp" })];
    const d = diff("sg", base, rows);
    expect([d.added.length, d.changed.length, d.removed.length]).toEqual([1, 1, 1]);
    expect(drafted("sg", "sg-1", d).map((x) => x.change)).toEqual([
      { revokeRule: { ruleId: "sgr-3" } },
      { revokeRule: { ruleId: "sgr-2" } },
      {
        authorizeRule: {
          groupId: "sg-1",
          direction: "ingress",
          protocol: "tcp",
          fromPort: 8443,
          toPort: 8443,
          cidr: "10.0.0.0/16",
        },
      },
      {
        authorizeRule: {
          groupId: "sg-1",
          direction: "ingress",
          protocol: "udp",
          fromPort: 53,
          toPort: 53,
          cidr: "10.0.0.0/16",
        },
      },
    ]);
    expect(isEmpty(diff("sg", base, base))).toBe(true);
  });

  it("of words alone change nothing for packets", () => {
    const d = diff("sg", base, [{ ...base[0]!, description: "web" }, base[1]!, base[2]!]);
    expect(d.changed).toHaveLength(1);
    expect(drafted("sg", "sg-1", d)).toEqual([]);
  });

  it("of entries and routes replace what keeps its place", () => {
    const acl = [entry("100"), entry("200")];
    const d = diff("acl", acl, [entry("100", { action: "deny" }), { ...acl[1]!, number: "210" }]);
    expect(drafted("acl", "acl-1", d).map((x) => Object.keys(x.change)[0])).toEqual([
      "deleteAclEntry",
      "replaceAclEntry",
      "createAclEntry",
    ]);
    const routes = [{ key: "0.0.0.0/0", destination: "0.0.0.0/0", target: "igw-1" }];
    expect(
      drafted("rtb", "rtb-1", diff("rtb", routes, [{ ...routes[0]!, target: "nat-1" }])).map((x) => x.change),
    ).toEqual([{ replaceRoute: { routeTableId: "rtb-1", destination: "0.0.0.0/0", target: "nat-1" } }]);
  });

  it("are put on top of what somebody else has saved, and none is lost", () => {
    const mine = [
      rule({ key: "sgr-1", ports: "81" }),
      rule({ key: "sgr-2", ports: "444" }),
      rule({ ports: "5432" }),
    ];
    const theirs = [base[1]!, base[2]!, rule({ key: "sgr-9", ports: "9" })];
    const got = rebase("sg", base, mine, theirs);
    // sgr-3 is removed by me, sgr-1 by them though I have changed it: it comes anew.
    expect(got.map((r) => [r.key, r.ports])).toEqual([
      ["sgr-2", "444"],
      ["sgr-9", "9"],
      [undefined, "81"],
      [undefined, "5432"],
    ]);
    const taken = rebase("acl", [], [entry("100", { key: "", ports: "22" })], [entry("100")]);
    expect(taken).toMatchObject([{ key: "ingress 100", ports: "22" }]);
  });
});

describe("words", () => {
  it("are in both languages, with the same placeholders", () => {
    const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    expect(Object.keys(rulesKo).sort()).toEqual(Object.keys(rulesEn).sort());
    for (const [key, text] of Object.entries(rulesEn))
      expect(holes(rulesKo[key as keyof typeof rulesKo]), key).toEqual(holes(text));
  });
});
