import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { lab, launch, open } from "./page.ts";

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

it("records, refuses a bad filter beside the field, and stops", async () => {
  const { page } = await open(browser, `${at.url}/captures`);
  await page.locator(".screen-head button.primary").click();
  const filter = page.locator("dialog input[type=text]").first();
  await filter.fill("frobnicate 7");
  await page.locator("dialog button[type=submit]").click();
  await page.locator("dialog [role=alert]").waitFor();
  await filter.fill("udp");
  await page.locator("dialog button[type=submit]").click();
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.locator(".badge.recording").first().waitFor();
  const link = page.locator("a[href$='/pcapng']").first();
  expect(await link.getAttribute("download")).toMatch(/\.pcapng$/);
  await page.locator(".row-actions button", { hasText: "Stop" }).first().click();
  await page.locator(".badge.quiet").first().waitFor();
  expect(await page.locator(".command code").innerText()).toMatch(
    /^curl -N '.*live\.pcapng.*' \| wireshark -k -i -$/,
  );
  await page.close();
});
