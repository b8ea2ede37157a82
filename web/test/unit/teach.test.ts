import { readdirSync, readFileSync } from "node:fs";
import type { Token } from "marked";
import { expect, it } from "vitest";
import { tokensOf } from "../../src/drills/markdown.ts";

const folder = new URL("../../../docs/drills/", import.meta.url);
const pages = readdirSync(folder).filter((f) => f.endsWith(".md") && !f.startsWith("README"));

// What src/drills/teach.tsx has an element for.
const known = new Set(
  ["heading", "paragraph", "list", "list_item", "text", "code", "table", "space"].concat([
    "strong",
    "em",
    "codespan",
    "link",
    "br",
    "escape",
  ]),
);

function walk(tokens: Token[] | undefined, visit: (k: Token) => void): void {
  for (const k of tokens ?? []) {
    visit(k);
    if ("tokens" in k) walk(k.tokens, visit);
    if (k.type === "list") walk((k as { items: Token[] }).items, visit);
    if (k.type === "table") {
      const table = k as unknown as { header: { tokens: Token[] }[]; rows: { tokens: Token[] }[][] };
      for (const c of [...table.header, ...table.rows.flat()]) walk(c.tokens, visit);
    }
  }
}

it("finds the pages", () => {
  expect(pages.length).toBeGreaterThan(20);
});

it.each(pages)("%s has nothing that the page would leave out", (name) => {
  const tokens = tokensOf(readFileSync(new URL(name, folder), "utf8"));
  const left: string[] = [];
  walk(tokens, (k) => {
    if (!known.has(k.type)) left.push(`${k.type}: ${k.raw}`);
  });
  expect(left).toEqual([]);
  expect(tokens.filter((k) => k.type === "heading").length).toBeGreaterThan(3);
  // The way back to the list and the other language are the screen's own.
  expect(tokens[0]!.raw).not.toContain("README");
});

it("makes no element of a page's HTML", () => {
  const kinds: string[] = [];
  walk(tokensOf("# T\n\nA <img src=x onerror=alert(1)> and [x](javascript:alert(1))\n"), (k) =>
    kinds.push(k.type),
  );
  expect(kinds).toContain("html");
  expect(known.has("html")).toBe(false);
});
