import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open, packetRows } from "./page.ts";

let browser: Browser;
let at: Awaited<ReturnType<typeof lab>>;
const shots = process.env.ENILAB_SHOTS ?? new URL("shots/", import.meta.url).pathname;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  at = await lab();
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  at.close();
});

describe.each(["dark", "light"] as const)("%s", (theme) => {
  it.each(["en", "ko"])("has no accessibility violation: %s", async (language) => {
    const { page, errors } = await open(browser, `${at.url}/live?lang=${language}`, { theme });
    await packetRows(page).first().waitFor();
    expect(await axe(page)).toEqual([]);
    for (const tab of ["eni", "instance", "network", "path"]) {
      await page.locator(".chip.served").click();
      await page.locator(`#tab-${tab}`).click();
      expect([tab, await axe(page)]).toEqual([tab, []]);
    }
    for (const tab of ["flows", "events"]) {
      await page.locator(`#tab-${tab}`).click();
      expect([tab, await axe(page)]).toEqual([tab, []]);
    }
    for (const screen of ["drills", "failovers", "captures"]) {
      await page.locator(`.rail a[href="/${screen}"]`).click();
      await page.locator("main.screen h2").first().waitFor();
      expect([screen, await axe(page)]).toEqual([screen, []]);
    }
    await page.locator(".screen-head button.primary").click();
    await page.locator("dialog").waitFor();
    expect(["new capture", await axe(page)]).toEqual(["new capture", []]);
    await page.keyboard.press("Escape");
    await page.locator(`.rail a[href="/live"]`).click();
    await page.locator("#tab-packets").click();
    await packetRows(page).nth(2).click();
    await page.locator("section.packet").waitFor();
    expect(["packet", await axe(page)]).toEqual(["packet", []]);
    await page.keyboard.press("Escape");
    await page.locator(".chip.served").click();
    await page.keyboard.press("m");
    await page.locator(".menu-item").first().waitFor();
    expect(["move menu", await axe(page)]).toEqual(["move menu", []]);
    await page.locator(".menu-item:not(.refused)").first().click();
    await page.locator("dialog").waitFor();
    expect(["move", await axe(page)]).toEqual(["move", []]);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("?");
    await page.locator("dialog").waitFor();
    expect(await axe(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it.each([1440, 900, 390])("fits %i pixels", async (width) => {
    const { page } = await open(browser, `${at.url}/live`, { theme, width });
    if (width < 720) await page.locator(".phone-switch button").last().click();
    await packetRows(page).nth(5).waitFor();
    await page.screenshot({ path: `${shots}/live-${theme}-${width}.png` });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await axe(page)).toEqual([]);
    await page.close();
  });
});
