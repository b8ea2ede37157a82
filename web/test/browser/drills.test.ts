import type { Browser, Page } from "playwright-core";
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

/** Runs the drill that the page shows and waits for its verdict. */
async function run(page: Page, runs: number, how: { aws?: boolean } = {}): Promise<void> {
  await page.locator(".run-fields input").first().fill(String(runs));
  if (how.aws) await page.locator(".run-fields select").selectOption("aws");
  await page.locator(".run-form button[type=submit]").click();
  await page.locator(".trial-head[data-state=done]").waitFor();
}

describe("drills", () => {
  it("are read, run beside the laboratory, judged, drawn, found by link, and compared", async ({ skip }) => {
    if (!at.real) skip("the fixture runs no drills");
    const { page, errors } = await open(browser, `${at.url}/live?lang=en`);
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.locator("tr[data-drill=eni-failover] a").first().click();
    await page.locator("article.teach h3").first().waitFor();
    await page.locator("#tab-outline").click();
    await page.locator(".outline ol li").first().waitFor();
    await page.locator("#tab-file").click();
    expect(await page.locator("pre.yaml").innerText()).toContain("hypothesis:");

    await run(page, 30);
    expect(await page.locator(".trial-title .badge").getAttribute("data-verdict")).toBe("held");
    const held = page.locator(".outcomes tbody tr");
    expect(await held.count()).toBeGreaterThan(8);
    expect(await held.nth(4).innerText()).toMatch(/held.*outage.*30 \/ 30/s);
    expect(await page.locator(".picture.histogram svg rect.data").count()).toBeGreaterThan(4);
    expect(await page.locator(".picture.timeline svg rect.gap").count()).toBeGreaterThan(0);
    expect(await axe(page)).toEqual([]);

    // The living laboratory has not been touched.
    const records = await page.evaluate(() => fetch("/api/v1/failovers").then((r) => r.json()));
    expect(records.items.filter((f: { state: string }) => f.state === "running")).toEqual([]);

    // Whoever gets the link sees the same.
    const link = page.url();
    const value = await held.nth(4).innerText();
    await page.reload();
    await page.locator(".trial-head[data-state=done]").waitFor();
    expect(await page.locator(".outcomes tbody tr").nth(4).innerText()).toBe(value);

    await page.locator("a.back").click();
    await run(page, 10, { aws: true });
    expect(page.url()).not.toBe(link);
    await page.locator(".beside select").selectOption(link.split("/").pop()!);
    await page.locator(".beside .picture.comparison").first().waitFor();
    expect(await page.locator(".beside p.quiet").innerText()).toContain("durations: A aws, B fast");
    await page.reload();
    await page.locator(".beside .picture.comparison").first().waitFor();
    expect(await axe(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("compares strategies in a table and pictures", async ({ skip }) => {
    if (!at.real) skip("the fixture runs no drills");
    const { page } = await open(browser, `${at.url}/drills/four-strategies?lang=ko`, { theme: "light" });
    await page.locator(".run-form").waitFor();
    expect(await page.locator(".strategy-row input:checked").count()).toBe(4);
    await page.locator(".strategy-row input").nth(1).uncheck();
    await run(page, 3);
    expect(await page.locator(".variant").count()).toBe(3);
    expect(await page.locator(".side-by-side tbody th[scope=row]").count()).toBeGreaterThan(5);
    await page.locator(".picture.comparison").first().waitFor();
    expect(await page.locator(".picture.comparison text.axis").first().textContent()).toContain("중단 시간");
    expect(await axe(page)).toEqual([]);
    await page.close();
  });

  it("is stopped in the middle, and keeps what it has", async ({ skip }) => {
    if (!at.real) skip("the fixture runs no drills");
    const { page } = await open(browser, `${at.url}/drills/eni-failover?lang=en&runs=1000`);
    await page.locator(".run-form").waitFor();
    expect(await page.locator(".run-fields input").first().inputValue()).toBe("1000");
    await page.locator(".run-form button[type=submit]").click();
    await page.locator(".outcomes").waitFor(); // results come while it runs
    await page.locator("progress").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.locator(".trial-head button.danger").click();
    await page.locator(".trial-head[data-state=stopped]").waitFor();
    const done = await page.locator(".trial-head > p").first().innerText();
    expect(Number(/([\d,]+) of 1,000 runs/.exec(done)?.[1]?.replace(",", ""))).toBeGreaterThan(0);
    await page.close();
  });

  it("says why it is not carried out in a laboratory that is not empty", async ({ skip }) => {
    if (!at.real) skip("the fixture runs no drills");
    const { page } = await open(browser, `${at.url}/drills/eni-failover?lang=en`);
    await page.locator(".run-form input[type=radio]").nth(2).check();
    await page.locator(".run-form button[type=submit]").click();
    await page.locator(".refusal").waitFor();
    expect(await page.locator(".refusal").innerText()).toContain("not empty");
    // Nothing was changed: the way to do it all the same is a button of its own.
    await page.locator(".refusal button.danger").waitFor();
    expect(await axe(page)).toEqual([]);
    expect(
      await page.evaluate(() =>
        fetch("/api/v1/instances")
          .then((r) => r.json())
          .then((x) => x.items.length),
      ),
    ).toBe(4);
    await page.close();
  });
});

describe("records of moves", () => {
  it("are listed with what began them, opened by link and compared", async ({ skip }) => {
    if (!at.real) skip("the fixture keeps one record");
    const { page } = await open(browser, `${at.url}/failovers?lang=en`);
    const api = (path: string, body: object) =>
      page.evaluate(
        ([p, b]) =>
          fetch(`/api/v1${p}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(b),
          }).then((r) => r.json()),
        [path, body] as const,
      );
    const instances = await page.evaluate(() => fetch("/api/v1/instances").then((r) => r.json()));
    const id = (name: string): string => instances.items.find((i: { name: string }) => i.name === name).id;
    const rows = page.locator(".record-table tbody tr");
    const before = await rows.count();
    for (const fault of ["freeze", "freeze"]) {
      const owner = await page.evaluate(() =>
        fetch("/api/v1/topology")
          .then((r) => r.json())
          .then(
            (t) =>
              t.networkInterfaces.find((n: { privateIps: { address: string }[] }) =>
                n.privateIps.some((p) => p.address === "192.168.0.42"),
              ).attachment.instanceId,
          ),
      );
      const known = await rows.count();
      await api(`/instances/${owner}/fail`, { mode: fault });
      await rows.nth(known).waitFor();
      await page.locator(".record-table tbody tr").first().locator(".badge.good").waitFor();
      await api(`/instances/${owner}/recover`, {});
    }
    expect(await rows.count()).toBe(before + 2);
    expect(await rows.first().innerText()).toContain("fault: frozen of");
    await rows.nth(0).locator("input").check();
    await rows.nth(1).locator("input").check();
    await page.locator(".screen-head button").click();
    await page.locator(".comparison").waitFor();
    const link = page.url();
    const shown = await page.locator(".comparison table").innerText();
    await page.reload();
    await page.locator(".comparison").waitFor();
    expect(page.url()).toBe(link);
    await page.waitForFunction(
      (text) => document.querySelector<HTMLElement>(".comparison table")?.innerText === text,
      shown,
    );
    // Requests, round trips and connections of the record, and of both: also after a reload.
    await page.locator(".record-card .course canvas").nth(2).waitFor();
    await page.locator(".comparison .course canvas").nth(2).waitFor();
    await page.locator(".record-card .course [role=img]").first().focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    // The crosshair is shared: each plot says what was there.
    expect(await page.locator(".record-card .course-value code").count()).toBe(5);
    expect(await axe(page)).toEqual([]);
    expect(id("EC2-1")).toBeTruthy();

    // A link of before records moved to their own place.
    const record = new URL(link).pathname.split("/").pop()!;
    await page.goto(`${at.url}/drills/${record}`);
    await page.locator(`[data-failover=${record}]`).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/failovers/${record}`);
    await page.locator("a.button[href*='runs=20']").click();
    await page.locator(".run-form").waitFor();
    expect(await page.locator(".run-fields input").first().inputValue()).toBe("20");
    await page.close();
  });
});
