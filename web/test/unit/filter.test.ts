import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { Dictionary } from "../../src/stream/dictionary.ts";
import { Ring } from "../../src/stream/ring.ts";
import { Snapshot } from "../../src/traffic/snapshot.ts";
import { withEni, without, withVerdict } from "../../src/traffic/terms.ts";
import { charactersOf, offsetOf, tokens } from "../../src/traffic/tokens.ts";

const messages = readFileSync(new URL("../../../testdata/stream/messages.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

describe("tokens", () => {
  const kinds = (text: string): string =>
    tokens(text)
      .filter((x) => x.kind !== "space")
      .map((x) => `${x.kind}=${x.text}`)
      .join(" ");

  it("tells fields, operators, values and words apart", () => {
    expect(kinds("-verdict:accept and len > 1000")).toBe(
      "field=-verdict op=: value=accept keyword=and field=len op=> value=1000",
    );
    expect(kinds('port:(80,443) or rule:"implicit deny"')).toBe(
      'field=port op=: paren=( word=80 paren=, word=443 paren=) keyword=or field=rule op=: quote="implicit deny"',
    );
    expect(kinds("t:2026-01-31T12:00:00Z organ")).toBe("field=t op=: value=2026-01-31T12:00:00Z word=organ");
  });

  it("loses no character of anything", () => {
    for (const text of ["", '"', "한국 🦊:x", "!!(", "a=b=c", "<>", "not not", '\\"']) {
      expect(
        tokens(text)
          .map((x) => x.text)
          .join(""),
      ).toBe(text);
    }
  });

  it("counts places in characters, as the server does", () => {
    expect(offsetOf("🦊 x", 2)).toBe(3);
    expect(charactersOf("🦊 x", 3)).toBe(2);
  });
});

describe("conditions that buttons set", () => {
  it("are found, replaced and taken out", () => {
    expect(withVerdict.of("dst:10.0.0.1 verdict:lost")).toBe("lost");
    expect(withVerdict.set("dst:10.0.0.1 verdict:lost len>3", "reject")).toBe(
      "dst:10.0.0.1 len>3 verdict:reject",
    );
    expect(withVerdict.set("verdict:lost", "")).toBe("");
    expect(withEni.set("", "eni-1")).toBe("eni:eni-1");
  });

  it("leave alone what somebody has written otherwise", () => {
    expect(withVerdict.of("-verdict:lost")).toBe("all");
    expect(withVerdict.of("(verdict:lost or len>3)")).toBe("all");
    expect(withVerdict.of('rule:"verdict:lost x"')).toBe("all");
    expect(withVerdict.set("a or b", "lost")).toBe("(a or b) verdict:lost");
  });

  it("are left out with what joined them", () => {
    const cut = (text: string, term: string): string => without(text, text.indexOf(term), term.length);
    expect(cut("a and b", "b")).toBe("a");
    expect(cut("a and b", "a")).toBe("b");
    expect(cut("a or -b c", "b")).toBe("a or c");
    expect(cut("x and b or c", "b")).toBe("x or c");
    expect(cut("x b and c", "b")).toBe("x c");
    expect(cut("(a or b) c", "b")).toBe("(a) c");
    expect(cut("not a b", "a")).toBe("b");
  });
});

describe("a sorted snapshot", () => {
  const ring = new Ring(8);
  beforeEach(() => ring.clear());
  const push = (n: number, length: (i: number) => number): void => {
    for (let i = 0; i < n; i++) ring.push(ring.end, 0, 0, 0, 0, 0, length(i), 0, 0, 1, 0, 0, 0, 0, 0, 0);
  };
  const lengths = (s: Snapshot): number[] =>
    Array.from({ length: s.length }, (_, i) => ring.length[ring.slot(s.at(i))]!);

  it("holds still while frames come, and counts them", () => {
    push(4, (i) => [3, 9, 1, 9][i]!);
    const s = new Snapshot(ring, (o) => ring.length[ring.slot(o)]!, true);
    expect(lengths(s)).toEqual([9, 9, 3, 1]);
    expect(s.at(0)).toBeGreaterThan(s.at(1)); // of equals the newest first
    push(3, () => 99);
    s.sync();
    expect(lengths(s)).toEqual([9, 9, 3, 1]);
    expect(s.newer).toBe(3);
    expect(s.rowOf(s.at(2))).toBe(2);
  });

  it("lets rows go that the ring overwrites", () => {
    push(6, (i) => i);
    const s = new Snapshot(ring, (o) => ring.length[ring.slot(o)]!, false);
    push(4, () => 50);
    s.sync();
    expect(lengths(s)).toEqual([2, 3, 4, 5]);
    expect(s.rowOf(-1)).toBe(-1);
  });
});

describe("messages of the stream", () => {
  it("tell whose an interface was at an instant", () => {
    const d = new Dictionary();
    for (const m of messages) if (m.type === "dict") d.learn(m.kind, m.items);
    expect(d.who("eni-7", 1)?.name).toBe("EC2-1");
    expect(d.who("eni-7", 1_769_860_800_250_000)).toEqual({
      since: 1_769_860_800_250_000,
      instance: "i-2",
      name: "EC2-2",
      device: 1,
    });
    expect(d.who("eni-8", 1)).toBeNull();
    expect(d.way(3).via).toBe("igw-1");
  });

  it("say what is in force, what is wrong, and how much matches", () => {
    const of = (type: string): Record<string, unknown>[] => messages.filter((m) => m.type === type);
    expect(of("filtered").map((m) => [m.n, m.filter, Boolean(m.error)])).toEqual([
      [2, "dst:192.168.0.42", false],
      [3, "dst:192.168.0.42 prot:tcp", true],
    ]);
    expect(of("matches")[0]).toMatchObject({ n: 2, ms: 250, seen: 2604, matched: 78, shown: 78, unseen: 0 });
    expect(of("hello")[0]).toMatchObject({ version: 4 });
  });
});
