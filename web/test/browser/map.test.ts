import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Topology } from "../../src/api/types.ts";
import { layout } from "../../src/topology/layout.ts";
import { region } from "../unit/region.ts";
import { axe, lab, launch, open, packetRows } from "./page.ts";

// The map with many interfaces. The topology is made here, so that no server has to
// build ten thousand instances; everything else is the running server's.

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

/** A page that is told of this region, and the way to change what it is told. */
async function mapOf(
  n: number,
  width = 1440,
): Promise<{ page: Page; change: (t: (t: Topology) => void) => Promise<void> }> {
  const topology = region(n);
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: "dark" });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.route("**/api/v1/topology", (route) => route.fulfill({ json: topology }));
  await page.goto(`${at.url}/live`);
  await page.locator(".tree .subnet").first().waitFor();
  return {
    page,
    async change(how) {
      how(topology);
      // As after every event, the page reads the topology anew.
      const read = page.waitForResponse("**/api/v1/topology");
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await read;
    },
  };
}

const camera = (page: Page): Promise<string> =>
  page.evaluate(() => document.querySelector<HTMLElement>(".stage")!.style.getPropertyValue("--camera"));

/** Until the camera is another than it was. */
const moved = (page: Page, was: string) =>
  page.waitForFunction(
    (x) => document.querySelector<HTMLElement>(".stage")!.style.getPropertyValue("--camera") !== x,
    was,
  );

const scaleOf = async (page: Page): Promise<number> =>
  Number(/scale\(([^)]*)\)/.exec(await camera(page))![1]);

describe.each([1000, 10_000])("%i interfaces", (n) => {
  it.each([1440, 390])("fit into %i pixels, with few elements", async (width) => {
    const { page } = await mapOf(n, width);
    const stage = (await page.locator(".stage").boundingBox())!;
    for (const box of await page.locator(".box.vpc, .box.subnet").all()) {
      const b = (await box.boundingBox())!;
      expect(b.x).toBeGreaterThanOrEqual(stage.x);
      expect(b.y).toBeGreaterThanOrEqual(stage.y);
      expect(b.x + b.width).toBeLessThanOrEqual(stage.x + stage.width + 1);
      expect(b.y + b.height).toBeLessThanOrEqual(stage.y + stage.height + 1);
    }
    expect(await page.locator(".tree *").count()).toBeLessThan(1000);
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("are found by keyboard and walked from there", async () => {
    const { page } = await mapOf(n);
    await page.keyboard.press("s");
    await page.keyboard.type("02:00:00:00:02:05");
    await page.locator(".map-found [role=option]").first().waitFor();
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Enter");
    const chip = page.locator('[data-eni="eni-000205"]');
    await chip.waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "n-eni-000205");
    expect(await scaleOf(page)).toBeGreaterThanOrEqual(0.35);
    expect(await page.locator(".tree *").count()).toBeLessThan(6000);
    await page.keyboard.press("ArrowDown");
    await page.waitForFunction(() => document.activeElement?.id === "n-i-000206");
    await page.keyboard.press("End");
    const last = layout(region(n), "").order.at(-1)!;
    await page.waitForFunction((id) => document.activeElement?.id === `n-${id}`, last);
    // Far away the tree is that of subnets.
    await page.keyboard.press("0");
    await page.locator(".stage.far").waitFor();
    await page.context().close();
  });
});

describe("the map", () => {
  it("keeps a chip's node through a move, and neither fits nor centres anew", async () => {
    const { page, change } = await mapOf(1000);
    await page.keyboard.press("s");
    await page.keyboard.type("n517");
    await page.locator(".map-found [role=option]").first().waitFor();
    await page.keyboard.press("Enter");
    const chip = (await page.locator('[data-eni="eni-000205"]').elementHandle())!;
    const before = await camera(page);
    await change((t) => {
      t.networkInterfaces[0x205]!.attachment!.instanceId = "i-000204";
      t.networkInterfaces[0x205]!.attachment!.deviceIndex = 1;
    });
    await page.waitForFunction(
      () => document.querySelector<HTMLElement>('[data-eni="eni-000205"]')?.dataset.owner === "i-000204",
    );
    expect(await page.locator('[data-eni="eni-000205"]').evaluate((el, was) => el === was, chip)).toBe(true);
    expect(await camera(page)).toBe(before);
    await page.context().close();
  });

  it("keeps what is typed into its search before the field is there", async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(60_000);
    await page.goto(`${at.url}/live`);
    await page.locator(".chip").first().waitFor();
    // All at once, as no picture is painted between: every key but the last would be one of the page.
    await page.evaluate(() => {
      for (const key of ["s", "1", "0", "m"])
        document.body.dispatchEvent(
          new KeyboardEvent("keydown", {
            key,
            code: /\d/.test(key) ? `Digit${key}` : `Key${key.toUpperCase()}`,
            bubbles: true,
          }),
        );
    });
    const field = page.locator(".map-find input");
    await field.waitFor();
    expect(await field.inputValue()).toBe("10m");
    await page.keyboard.type("x");
    expect(await field.inputValue()).toBe("10mx");
    await page.close();
  });

  it("is where it was after the page is loaded anew", async () => {
    const { page } = await mapOf(1000);
    const fitted = await camera(page);
    await page.keyboard.press("1");
    await moved(page, fitted);
    expect(await scaleOf(page)).toBe(1);
    const one = await camera(page);
    await page.keyboard.press("ArrowRight");
    await moved(page, one);
    await page.waitForFunction(() => localStorage.getItem("enilab.map")?.includes('"scale":1'));
    // Its middle is kept: a banner that comes or goes changes the stage's height.
    const middle = (): Promise<[number, number]> =>
      page.evaluate(() => {
        const stage = document.querySelector<HTMLElement>(".stage")!;
        const [x, y, scale] = (stage.style.getPropertyValue("--camera").match(/-?[\d.]+/g) ?? []).map(Number);
        return [(stage.clientWidth / 2 - x!) / scale!, (stage.clientHeight / 2 - y!) / scale!];
      });
    await page.waitForFunction(() => {
      const stage = document.querySelector<HTMLElement>(".stage")!;
      const x = Number(/-?[\d.]+/.exec(stage.style.getPropertyValue("--camera"))![0]);
      const kept = JSON.parse(localStorage.getItem("enilab.map") ?? "{}") as { x?: number };
      return Math.abs((kept.x ?? Number.NaN) - (stage.clientWidth / 2 - x)) < 1;
    });
    const before = await middle();
    await page.reload();
    await page.locator(".card").first().waitFor();
    const after = await middle();
    expect(await scaleOf(page)).toBe(1);
    expect(Math.abs(after[0] - before[0])).toBeLessThan(2);
    expect(Math.abs(after[1] - before[1])).toBeLessThan(40);
    await page.context().close();
  });

  it("is moved in the overview, by pointer and by keyboard", async () => {
    const { page } = await mapOf(1000);
    await page.keyboard.press("1");
    const overview = page.locator(".minimap");
    await overview.waitFor();
    const box = (await overview.boundingBox())!;
    const first = await camera(page);
    await page.mouse.move(box.x + 10, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 20, box.y + 20, { steps: 4 });
    await page.mouse.up();
    await moved(page, first);
    const second = await camera(page);
    await overview.focus();
    await page.keyboard.press("ArrowLeft");
    await moved(page, second);
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("lights what an overlay is of, and pins the filter of an interface", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    const select = page.locator(".map-overlay select");
    const groups = await select.locator('option[value^="group/"]').all();
    let lit = 0;
    for (const g of groups) {
      await select.selectOption((await g.getAttribute("value"))!);
      await page.locator(".map-overlay.on").waitFor();
      lit = Math.max(lit, await page.locator('.chip[data-lit="yes"]').count());
    }
    expect(lit).toBeGreaterThan(0);
    expect(await axe(page)).toEqual([]);
    await page.locator(".map-overlay button").click();
    await page.locator(".map-overlay.on").waitFor({ state: "detached" });
    const chip = page.locator(".chip.served");
    await chip.dblclick();
    expect(new URL(page.url()).searchParams.get("f")).toBe(`eni:${await chip.getAttribute("data-eni")}`);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("lists a thousand targets of a move with a search", async () => {
    const { page, change } = await mapOf(1000);
    await change((t) => {
      t.networkInterfaces[5]!.attachment!.deviceIndex = 1;
    });
    await page.route("**/move?dryRun=true", (route) => {
      const { targets } = route.request().postDataJSON() as { targets: string[] };
      return route.fulfill({
        json: {
          items: targets.map((instanceId) => ({
            instanceId,
            allowed: instanceId === "i-0002bc",
            deviceIndex: 1,
            code: "AttachmentLimitExceeded",
            message: "no slot",
          })),
        },
      });
    });
    await page.keyboard.press("s");
    await page.keyboard.type("eni-000005");
    await page.locator(".map-found [role=option]").first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator('[data-eni="eni-000005"].selected').waitFor();
    await page.keyboard.press("m");
    await page.locator(".menu-item.refused").first().waitFor();
    // The one that would take it is first, out of 999.
    expect(await page.locator(".menu-item").first().locator("strong").innerText()).toBe("n700");
    expect(await page.locator(".menu-item").count()).toBeLessThan(100);
    expect(await axe(page)).toEqual([]);
    await page.keyboard.type("n70");
    await page.keyboard.press("Enter");
    await page.locator("dialog").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});
