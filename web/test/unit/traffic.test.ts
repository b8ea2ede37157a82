import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", { search: "?cols=time,length:70,bogus,time&f=x", pathname: "/live" });
vi.stubGlobal("history", { replaceState: () => undefined, pushState: () => undefined });

const filter = await import("../../src/traffic/filter.ts");
const columns = await import("../../src/traffic/columns.ts");

const wrong = { at: 0, length: 1, code: "unknown_field", args: {}, problem: "no", hint: "yes" };

describe("the filter", () => {
  it("is in force when the server says so, and another way back", () => {
    const sent: [number, string][] = [];
    filter.onWish((n, text) => sent.push([n, text]));
    filter.apply("a");
    expect([filter.filter.value, filter.asked.value]).toEqual(["", "a"]);
    expect(filter.settled(sent[0]![0], "a", undefined)).toBe(true);
    expect([filter.filter.value, filter.asked.value]).toEqual(["a", null]);
    filter.apply("b");
    filter.apply("c");
    // The answer to a wish that is out of date changes nothing.
    expect(filter.settled(sent[1]![0], "b", undefined)).toBe(false);
    expect(filter.settled(sent[2]![0], "c", wrong)).toBe(false);
    expect(filter.filter.value).toBe("a");
    expect(filter.fault.value?.fault.code).toBe("unknown_field");
    filter.apply("d");
    filter.settled(4, "d", undefined);
    expect(filter.step(-1)).toBe(true);
    expect(sent.at(-1)![1]).toBe("a");
  });

  it("is asked for again when a connection began with another one", () => {
    const sent: string[] = [];
    filter.onWish((_, text) => sent.push(text));
    filter.apply("e");
    filter.connected("a");
    expect(sent).toEqual(["e", "e"]);
  });

  it("tells rates over the last second", () => {
    for (let i = 0; i < 6; i++) filter.counted({ ms: 250, seen: 100, matched: 50, shown: 25, unseen: 0 });
    expect(filter.matches.value).toEqual({ perSecond: 200, factor: 2, partly: false });
  });
});

describe("columns", () => {
  it("are read from the address, each once, within bounds", () => {
    expect(columns.writeColumns(columns.columns.value)).toBe("time,length:70");
    expect(columns.readColumns("no:9999,eni:1")).toEqual([
      { id: "no", width: 600 },
      { id: "eni", width: 36 },
    ]);
    expect(columns.readColumns("<img>,x:1")).toBeNull();
    expect(columns.readColumns(null)).toBeNull();
  });

  it("come and go where they belong, and one stays", () => {
    columns.toggle("source");
    expect(columns.columns.value.map((c) => c.id)).toEqual(["time", "source", "length"]);
    columns.move("length", -1);
    expect(columns.columns.value.map((c) => c.id)).toEqual(["time", "length", "source"]);
    for (const id of ["time", "length", "source"] as const) columns.toggle(id);
    expect(columns.columns.value).toHaveLength(1);
  });
});
