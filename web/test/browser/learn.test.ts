import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open } from "./page.ts";

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

describe("exercises", () => {
  it("are begun, judged by the server as they are done, and remembered", async ({ skip }) => {
    if (!at.real) skip("the fixture has no exercises");
    const { page, errors } = await open(browser, `${at.url}/learn?lang=en`);
    const one = page.locator("li[data-exercise=first-failover]");
    await one.waitFor();
    expect(await page.locator(".exercises > li").count()).toBeGreaterThan(11);
    expect(await axe(page)).toEqual([]);

    // The laboratory is not empty: nothing is lost without a word.
    await one.getByRole("button", { name: "Begin" }).click();
    await page.getByRole("button", { name: "Replace and begin" }).click();
    await page.locator(".coach .isNext").waitFor();
    await page.locator(".coach summary").click();
    expect(await axe(page)).toEqual([]);

    await page.keyboard.press("Escape");
    await page.locator("body").click({ position: { x: 400, y: 60 } });
    await page.keyboard.press("f");
    await page.locator(".coach .isReached").waitFor({ timeout: 60_000 });
    await page.reload();
    await page.locator(".coach .isReached").waitFor();

    await page.goto(`${at.url}/learn?lang=ko`);
    await one.getByText("목표 4개 중 1개").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.goto(`${at.url}/live?lang=en`);
    await page.locator(".coach").getByRole("button", { name: "Leave the exercise" }).click();
    await page.locator(".coach").waitFor({ state: "detached" });
    await page.reload();
    await page.locator(".chip").first().waitFor();
    expect(await page.locator(".coach").count()).toBe(0);
    await page.evaluate(() => fetch("/api/v1/reset", { method: "POST" }));
    // The server's own 409 is what led to the question.
    expect(errors.filter((e) => !e.includes("409"))).toEqual([]);
    await page.close();
  });
});
