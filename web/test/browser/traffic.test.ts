import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, launch, open, packetRows, type Theme } from "./page.ts";

// The live table under its filter, against a real server: the fixture speaks no filters.

const at = (process.env.ENILAB_URL ?? "").replace(/\/$/, "");
if (!at) console.warn("SKIPPED: the filter and the live table, for want of ENILAB_URL");
const shots = process.env.ENILAB_SHOTS ?? new URL("shots/", import.meta.url).pathname;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await launch();
});

afterAll(() => browser.close());

const bar = (page: Page) => page.locator("#filter-input");

async function live(query = "", options: { theme?: Theme; width?: number } = {}) {
  const opened = await open(browser, `${at}/live${query}`, options);
  // A phone shows the map first.
  if ((options.width ?? 1440) < 720) await opened.page.locator(".phone-switch button").last().click();
  await packetRows(opened.page).first().waitFor();
  return opened;
}

async function choose(page: Page, text: string): Promise<void> {
  await bar(page).fill(text);
  await page.keyboard.press("Escape"); // the completions, if there are any yet
  await bar(page).fill(text);
  await page.keyboard.press("Enter");
}

const cells = (page: Page, column: string) =>
  page
    .locator(`.grid-body .row:not([hidden]) [data-col="${column}"]`)
    .evaluateAll((all) => all.map((x) => x.textContent ?? ""));

/** Waits until every row of a column is as wanted, of some at least. */
async function allRows(page: Page, column: string, want: string): Promise<void> {
  await page.waitForFunction(
    ([c, w]) => {
      const all = [...document.querySelectorAll(`.grid-body .row:not([hidden]) [data-col="${c}"]`)];
      return all.length > 2 && all.every((x) => x.textContent === w);
    },
    [column, want] as const,
  );
}

describe.skipIf(!at)("the filter", () => {
  it("is typed, completed by the keyboard, applied, and part of the address", async () => {
    const { page, errors } = await live();
    await page.keyboard.press("/");
    await page.keyboard.type("dst:192.168.0.42 pro", { delay: 20 });
    await page.locator(".filter-option", { hasText: "proto:" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    await page.locator(".filter-option", { hasText: "udp" }).waitFor();
    await page.keyboard.type("ud", { delay: 20 });
    await page.waitForFunction(() => document.querySelectorAll(".filter-option").length === 1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect((await bar(page).inputValue()).trim()).toBe("dst:192.168.0.42 proto:udp");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await allRows(page, "proto", "UDP");
    await allRows(page, "destination", "192.168.0.42");
    expect(new URL(page.url()).searchParams.get("f")).toBe("dst:192.168.0.42 proto:udp");
    await page.locator(".map-note", { hasText: "dst:192.168.0.42 proto:udp" }).waitFor();
    await page.locator(".notice", { hasText: "filter matches" }).waitFor();
    // The link shows the same to somebody else.
    const other = await live(new URL(page.url()).search);
    await allRows(other.page, "proto", "UDP");
    expect(await bar(other.page).inputValue()).toBe("dst:192.168.0.42 proto:udp");
    await other.page.close();
    // Back in the browser, and back and forth in the bar.
    await page.goBack();
    await page.waitForFunction(() => !document.querySelector(".map-note"));
    await choose(page, "proto:tcp");
    await allRows(page, "proto", "TCP");
    await bar(page).press("Alt+ArrowLeft");
    await page.waitForFunction(() => !document.querySelector(".map-note"));
    await bar(page).press("Alt+ArrowRight");
    await page.locator(".map-note", { hasText: "proto:tcp" }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("loses nothing of what is typed faster than the server answers", async () => {
    const { page, errors } = await live();
    await page.route("**/api/v1/filters/**", async (route) => {
      await new Promise((r) => setTimeout(r, 400));
      await route.continue();
    });
    await page.keyboard.press("/");
    await page.keyboard.type("dst:192.168.0.42 prot");
    await page.keyboard.press("Tab");
    await page.keyboard.type("ud");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => bar(page).inputValue()).toBe("dst:192.168.0.42 proto:udp ");
    await page.keyboard.type("dport:");
    await page.locator(".filter-option").first().waitFor();
    // What is listed is of before these: they are a part of what is completed.
    const port = await page.locator(".filter-option code").first().innerText();
    await page.keyboard.type(port.slice(0, 1));
    await page.locator(".filter-option").first().click();
    await expect.poll(() => bar(page).inputValue()).toBe(`dst:192.168.0.42 proto:udp dport:${port} `);
    // Enter takes the text as it is.
    await bar(page).fill("proto:tcp");
    await page.keyboard.press("Enter");
    await allRows(page, "proto", "TCP");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("is refused with its place, changes nothing then, and can be restored", async () => {
    const { page, errors } = await live("?f=proto:udp");
    await allRows(page, "proto", "UDP");
    await bar(page).fill("proto:udp verdict:acept");
    await page.locator(".tok-wrong", { hasText: "acept" }).waitFor();
    await page.locator(".filter-said", { hasText: "accept, reject, lost or control" }).waitFor();
    await page.keyboard.press("Escape");
    await bar(page).fill("ttl:64");
    await page.keyboard.press("Enter");
    await page.locator(".filter-said", { hasText: "records hold no TTL" }).waitFor();
    expect(await bar(page).getAttribute("aria-invalid")).toBe("true");
    expect(new URL(page.url()).searchParams.get("f")).toBe("proto:udp");
    expect(new Set(await cells(page, "proto"))).toEqual(new Set(["UDP"]));
    await page.keyboard.press("Escape");
    if ((await bar(page).inputValue()) !== "proto:udp") await page.keyboard.press("Escape");
    expect(await bar(page).inputValue()).toBe("proto:udp");
    // An address with a filter that cannot be read says so, and shows everything.
    const bad = await live("?f=port:http");
    await bad.page.locator(".filter-said", { hasText: "no port" }).waitFor();
    await bad.page.close();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("says of each condition what it lets through if nothing matches, and is kept as a chip", async () => {
    const { page } = await live();
    await choose(page, "dst:192.168.0.42 dport:9");
    const none = page.locator(".no-match");
    await none.locator("li", { hasText: "dport:9" }).getByText("0 by itself").waitFor();
    expect(await none.locator("li").count()).toBe(2);
    await none.locator("li", { hasText: "dport:9" }).getByRole("button").click();
    await allRows(page, "destination", "192.168.0.42");
    await page.getByRole("button", { name: "Keep this filter" }).click();
    await page.getByRole("button", { name: "Clear the filter" }).first().click();
    await page.locator(".map-note").waitFor({ state: "detached" });
    await page.reload();
    await page.locator(".chip-use", { hasText: "dst:192.168.0.42" }).click();
    await allRows(page, "destination", "192.168.0.42");
    await page.getByRole("button", { name: "Forget dst:192.168.0.42" }).click();
    await page.locator(".chip-use").waitFor({ state: "detached" });
    await page.close();
  });

  it("takes hostile text for text", async () => {
    const hostile = '"<img src=x onerror=alert(1)>"';
    const { page, errors } = await open(browser, `${at}/live?f=${encodeURIComponent(`inst:${hostile}`)}`);
    await page.locator(".no-match li code", { hasText: "<img" }).waitFor();
    expect(await page.locator(".live-screen img").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe.skipIf(!at)("the live table", () => {
  it("sorts a snapshot that holds still, and follows again", async () => {
    const { page } = await live();
    await page.waitForFunction(
      () => Number(document.querySelector(".grid")?.getAttribute("aria-rowcount")) > 400,
    );
    await page.locator('.row.head [data-col="length"] button').click();
    const sorted = page.locator(".sorted");
    await sorted.waitFor();
    const lengths = (await cells(page, "length")).map(Number);
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    expect(await page.locator('.row.head [data-col="length"]').getAttribute("aria-sort")).toBe("descending");
    const numbers = await cells(page, "no");
    const said = await sorted.innerText();
    await page.waitForFunction(
      (was) => document.querySelector<HTMLElement>(".sorted")?.innerText !== was,
      said,
    );
    expect(await cells(page, "no")).toEqual(numbers);
    // R takes in what has come; the keyboard is at the heading still.
    await page.keyboard.press("r");
    await page.waitForFunction(
      (was) => document.querySelector('.grid-body [data-col="no"]')?.textContent !== was,
      numbers[0],
    );
    await page.keyboard.press("l");
    await sorted.waitFor({ state: "detached" });
    await page.close();
  });

  it("has a menu for each row, by mouse and keyboard, about the cell", async () => {
    const { page, errors } = await live();
    await page.locator(".grid-scroll").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight"); // No.
    await page.keyboard.press("ArrowRight"); // Time
    await page.keyboard.press("ArrowRight"); // Source
    const source = await page.locator(".row.selected [data-col=source]").innerText();
    await page.keyboard.press("Shift+F10");
    const menu = page.locator(".row-menu");
    await menu.waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(`Filter for src:${source}`);
    await page.keyboard.press("Enter");
    await allRows(page, "source", source);
    // The selected frame is selected still.
    await page.locator(".row.selected").waitFor();
    await packetRows(page).nth(1).locator('[data-col="proto"]').click({ button: "right" });
    await menu.getByRole("menuitem", { name: "Follow this flow" }).click();
    await page.waitForFunction(() => new URLSearchParams(location.search).get("f")?.startsWith("flow:"));
    await packetRows(page).first().waitFor();
    await packetRows(page).first().locator('[data-col="verdict"]').click({ button: "right" });
    await menu.waitFor();
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "detached" });
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("grid-scroll");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("remembers its columns, in the address too", async () => {
    const { page } = await live();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("checkbox", { name: "Proto" }).uncheck();
    await page.getByRole("spinbutton", { name: "Width of Source" }).fill("140");
    await page.getByRole("checkbox", { name: "Seconds from the selected row" }).check();
    await page.keyboard.press("Escape");
    expect(await page.locator('.row.head [data-col="proto"]').count()).toBe(0);
    const q = new URL(page.url()).searchParams;
    expect(q.get("cols")).toContain("source:140");
    expect(q.get("time")).toBe("rel");
    await page.waitForFunction(() =>
      /^[+−]/.test(document.querySelector('.grid-body [data-col="time"]')?.textContent ?? ""),
    );
    await page.goto(`${at}/live`);
    await packetRows(page).first().waitFor();
    expect(await page.locator('.row.head [data-col="proto"]').count()).toBe(0);
    await page.close();
  });

  it.each([
    ["dark", "en", 1440],
    ["light", "ko", 1440],
    ["light", "en", 900],
    ["dark", "ko", 390],
  ] as const)("breaks no rule of axe, %s %s at %d", async (theme, lang, width) => {
    const { page } = await live(`?lang=${lang}&f=proto:tcp`, { theme, width });
    await allRows(page, "proto", "TCP");
    const shot = (name: string) =>
      page.screenshot({ path: `${shots}traffic-${name}-${theme}-${lang}-${width}.png` });
    await shot("filtered");
    expect(await axe(page)).toEqual([]);
    await bar(page).fill("proto:tcp reason:");
    await page.locator(".filter-option").first().waitFor();
    await shot("completing");
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await bar(page).fill("proto:tcp prt:80");
    await page.locator(".tok-wrong").waitFor();
    await page.keyboard.press("Escape");
    await bar(page).fill("proto:tcp prt:80 ");
    await page.locator(".filter-said b").waitFor();
    await shot("fault");
    expect(await axe(page)).toEqual([]);
    await choose(page, "proto:tcp dport:9");
    await page.locator(".no-match li").first().waitFor();
    await shot("none");
    expect(await axe(page)).toEqual([]);
    await choose(page, "proto:tcp");
    await allRows(page, "proto", "TCP");
    await packetRows(page).first().locator('[data-col="source"]').click({ button: "right" });
    await page.locator(".row-menu").waitFor();
    await shot("menu");
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.close();
  });
});
