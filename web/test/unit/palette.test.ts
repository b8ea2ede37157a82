import { describe, expect, it } from "vitest";
import { isShownName, plain, plainNames } from "../../src/api/names.ts";
import type { Topology } from "../../src/api/types.ts";
import { entry, search } from "../../src/palette/search.ts";
import { curl } from "../../src/settings/line.ts";
import { numberOf, numbers, texts } from "../../src/settings/values.ts";

const run = (): void => undefined;
const one = (label: string, detail = "", also = "") => entry({ group: "", label, detail, run }, also);
const labels = (text: string, most = 10): string[] => search(all, text, most).found.map((e) => e.label);
const all = [
  one("Fail EC2-1 (freeze)", "i-1"),
  one("client eth0 10.0.0.10", "eni-1"),
  one("EC2-1", "i-1 · t3.micro"),
  one("Captures", "", "캡처"),
  one("eth1 10.0.0.1", "eni-2", "203.0.113.9"),
];

describe("search", () => {
  it("puts what begins with the words before what has them somewhere", () => {
    expect(labels("ec2-1")).toEqual(["EC2-1", "Fail EC2-1 (freeze)"]);
    expect(labels("fail ec2")).toEqual(["Fail EC2-1 (freeze)"]);
  });

  it("finds ids, addresses and words of the other language", () => {
    expect(labels("203.0.113")).toEqual(["eth1 10.0.0.1"]);
    expect(labels("eni-1")).toEqual(["client eth0 10.0.0.10"]);
    expect(labels("캡처".normalize("NFD"))).toEqual(["Captures"]);
    expect(labels("tower")).toEqual([]);
  });

  it("says how many there are beyond those it shows", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => one(`web-${i}`));
    const { found, total } = search(many, "web", 50);
    expect([found.length, total]).toEqual([50, 20_000]);
    expect(search(many, "web-19999", 50).found[0]?.label).toBe("web-19999");
  });
});

describe("names of others", () => {
  it("are one line of what is shown", () => {
    expect(plain("exe.\u202egnp")).toBe("exe.?gnp");
    expect(plain("a\u0000b\nc")).toBe("a?b?c");
    expect(plain("동쪽 é")).toBe("동쪽 é");
    expect(plain("x".repeat(10_000_000)).length).toBe(128);
  });

  it("stay as they are for whoever saves a form without touching them", () => {
    const t = {
      vpcs: [
        { id: "vpc-1", tags: { Name: "a\u202eb" } },
        { id: "vpc-2", tags: { Name: "ab" } },
      ],
    };
    plainNames(t as unknown as Topology);
    expect(t.vpcs[0]!.tags.Name).toBe("a?b");
    expect(isShownName("vpc-1", "a?b")).toBe(true);
    expect(isShownName("vpc-1", "other")).toBe(false);
    expect(isShownName("vpc-2", "ab")).toBe(false);
  });
});

describe("settings", () => {
  it("write a call as a shell takes it", () => {
    expect(curl("POST", "http://h/a?b=c&d")).toBe("curl -X POST 'http://h/a?b=c&d'");
    expect(curl("PUT", "http://h/a", { n: "it's" })).toBe(
      `curl -X PUT http://h/a -H 'content-type: application/json' -d '{"n":"it'\\''s"}'`,
    );
  });

  it("send what was typed, and nothing for what was not", () => {
    const v = { a: "0.5", b: "", c: "x", d: " y " };
    expect(numbers(v, "a", "b", "c")).toEqual({ a: 0.5 });
    expect([numberOf(v, "b"), numberOf(v, "c")]).toEqual([undefined, null]);
    expect(texts(v, "b", "d")).toEqual({ d: "y" });
  });
});
