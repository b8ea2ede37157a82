import { describe, expect, it } from "vitest";
import { readLearned, withMet } from "../../src/learn/progress.ts";

describe("what was learned", () => {
  it("is read from what the browser has kept, and nonsense is nothing", () => {
    expect(readLearned('{"first-failover":2}')).toEqual({ "first-failover": 2 });
    for (const text of [null, "", "x", "null", "[1]", '"a"', '{"a":-1,"b":"2","c":1.5,"d":{}}']) {
      expect(readLearned(text), String(text)).toEqual({});
    }
  });

  it("only grows: an exercise that is begun anew loses nothing", () => {
    const kept = { a: 3 };
    expect(withMet(kept, "a", 1)).toBe(kept);
    expect(withMet(kept, "a", 4)).toEqual({ a: 4 });
    expect(withMet(kept, "b", 1)).toEqual({ a: 3, b: 1 });
  });
});
