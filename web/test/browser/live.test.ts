import type { Browser, ElementHandle, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lab, launch, open, packetRows } from "./page.ts";

let browser: Browser;
let at: Awaited<ReturnType<typeof lab>>;

beforeAll(async () => {
  at = await lab();
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  at.close();
});

/** The chip of the interface that the clients talk to. */
const served = (page: Page) => page.locator(".chip.served");

async function settled(page: Page): Promise<void> {
  await packetRows(page).first().waitFor();
  await served(page).waitFor();
}

describe("live screen", () => {
  it("shows the lab and its packets without an error", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    const first = await packetRows(page).first().innerText();
    await page.waitForFunction(
      (was) => document.querySelector(".grid-body .row:not([hidden])")?.textContent !== was,
      first,
    );
    expect(await page.locator(".card").count()).toBeGreaterThanOrEqual(4);
    expect(await page.locator(".link-state").innerText()).toContain("live");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("pauses, picks and follows again", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    await page.keyboard.press("Space");
    const pill = page.locator(".pill");
    await pill.waitFor();
    const still = await packetRows(page).first().innerText();
    const waiting = await pill.innerText();
    await page.waitForFunction((was) => document.querySelector(".pill")?.textContent !== was, waiting);
    expect(await packetRows(page).first().innerText()).toBe(still);
    await packetRows(page).nth(2).click();
    await page.locator("section.packet").waitFor();
    const title = await page.locator("section.packet h2").innerText();
    await page.keyboard.press("j");
    await page.waitForFunction(
      (was) => document.querySelector("section.packet h2")?.textContent !== was,
      title,
    );
    await page.keyboard.press("l");
    await page.locator("section.packet").waitFor({ state: "detached" });
    await page.locator(".pill").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });

  it("refuses a move to another zone in EC2's words", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await settled(page);
    await served(page).click();
    await page.keyboard.press("m");
    const refused = page.locator(".menu-item.refused").first();
    await refused.waitFor();
    // A refused target stays reachable, so that its reason can be read and heard.
    await refused.focus();
    await page.keyboard.press("Enter");
    const toast = page.locator(".toast.error");
    await toast.waitFor();
    expect(await toast.locator("strong").innerText()).toMatch(/^[A-Z]\w+/);
    await page.close();
  });
});

describe("failover", () => {
  it("moves the same chip, measures the outage and proves the five checks", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    const chip = (await served(page).elementHandle()) as ElementHandle<HTMLElement>;
    const before = await chip.evaluate((el) => ({ owner: el.dataset.owner, mac: el.dataset.mac }));

    await page.keyboard.press("f");
    await page.locator(".failover .outage.running .big").waitFor();
    await page.waitForFunction((was) => {
      const el = document.querySelector<HTMLElement>(".chip.served");
      return el?.dataset.owner && el.dataset.owner !== was;
    }, before.owner);
    const after = await served(page).elementHandle();
    // The node that slid is the node that was there: focus and selection live on it.
    expect(await chip.evaluate((el, other) => el === other, after)).toBe(true);
    expect(await chip.evaluate((el) => el.dataset.mac)).toBe(before.mac);

    await page.locator("[data-failover]").waitFor();
    const outage = Number(await page.locator(".failover [data-outage]").getAttribute("data-outage"));
    expect(outage).toBeGreaterThan(0);
    const checks = await page
      .locator("[data-check]")
      .evaluateAll((all) =>
        all.map((el) => [(el as HTMLElement).dataset.check, (el as HTMLElement).dataset.result]),
      );
    expect(checks.map(([name]) => name).sort()).toEqual(["eip", "eni", "groups", "ip", "mac"]);
    for (const [name, result] of checks) {
      expect([name, result === "same" || (name === "eip" && result === "not-exercised")]).toEqual([
        name,
        true,
      ]);
    }
    expect(errors).toEqual([]);

    // Put the lab back as it was, and see that way too.
    await page.keyboard.press("r");
    await page.locator(".badge", { hasText: "frozen" }).waitFor({ state: "detached" });
    await page.keyboard.press("b");
    await page.waitForFunction(
      (was) => document.querySelector<HTMLElement>(".chip.served")?.dataset.owner === was,
      before.owner,
    );
    expect(await chip.evaluate((el) => el.isConnected)).toBe(true);
    await page.close();
  });

  it("has a page of its own that a link opens", async () => {
    const { page, errors } = await open(browser, `${at.url}/failovers`);
    await page.locator("tbody a").first().click();
    await page.locator("[data-failover]").waitFor();
    const address = page.url();
    expect(address).toMatch(/\/failovers\/[^/]+$/);
    await page.goto(address);
    await page.locator("[data-failover]").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});
