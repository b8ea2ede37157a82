import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open, packetRows } from "./page.ts";

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

const served = (page: Page) => page.locator(".chip.served");
const ownerOf = (page: Page) => served(page).getAttribute("data-owner");

async function movedFrom(page: Page, owner: string | null): Promise<void> {
  await page.waitForFunction((was) => {
    const el = document.querySelector<HTMLElement>(".chip.served");
    return el?.dataset.owner && el.dataset.owner !== was;
  }, owner);
}

/** The record that is shown is complete, and another than before. */
async function settled(page: Page, before: string | null): Promise<string> {
  await page.waitForFunction((was) => {
    const el = document.querySelector<HTMLElement>("[data-failover]");
    return el?.dataset.failover && el.dataset.failover !== was;
  }, before);
  return (await page.locator("[data-failover]").getAttribute("data-failover")) ?? "";
}

const records = async (page: Page) =>
  (await page.evaluate(async () => (await (await fetch("/api/v1/failovers?limit=10")).json()).items)) as {
    kind: string;
    state: string;
    fromInstanceId: string;
    toInstanceId: string;
  }[];

// The fixture pretends one failover; taking turns is the server's.
describe("failing and recovering in turn", () => {
  it.skipIf(!process.env.ENILAB_URL)("F, R, F, R, F moves the interface each time", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    await page.locator(".policy-line .badge.good").waitFor();
    let shown: string | null = null;
    const owners = [await ownerOf(page)];
    for (let turn = 0; turn < 3; turn++) {
      if (turn > 0) {
        await page.keyboard.press("r");
        await page.locator(".policy-line[data-nobody=false]").waitFor();
      }
      const before = owners.at(-1) ?? null;
      await page.keyboard.press("f");
      if (turn === 1) {
        // A page that was just loaded counts the same outage, from the last reply on.
        await page.reload();
        await page.locator(".failover .outage .big").waitFor();
      }
      await movedFrom(page, before);
      owners.push(await ownerOf(page));
      shown = await settled(page, shown);
      // The one that failed is the only other: nobody could take it now, and nothing is lost yet.
      const line = page.locator(".policy-line[data-nobody=true] .badge.lost");
      await line.waitFor();
      expect(await line.innerText()).toBe("no standby is fit");
      expect(
        Number(await page.locator(".failover [data-outage]").getAttribute("data-outage")),
      ).toBeGreaterThan(0);
    }
    // Rows keep the owner of their time: what was lost on EC2-1 is not EC2-2's now.
    await page.locator(".segments button", { hasText: "lost" }).click();
    // The table shows the choice with its next paint.
    await page.waitForFunction(() => {
      const rows = [...document.querySelectorAll(".grid-body .row:not([hidden])")];
      return rows.length > 2 && rows.every((r) => r.children[7]?.textContent?.includes("lost"));
    });
    const names = await page
      .locator(".grid-body .row:not([hidden])")
      .evaluateAll((rows) =>
        rows
          .filter((r) => r.children[3]?.textContent === "192.168.0.42")
          .map((r) => r.querySelector("[data-col=eni]")?.textContent ?? ""),
      );
    expect(names.length).toBeGreaterThan(0);
    expect(new Set(names)).toEqual(new Set(["EC2-1 eth1"]));
    expect(await axe(page)).toEqual([]);
    // All is lost: the panel counts, and is red.
    await page.keyboard.press("f");
    await page.locator(".failover .outage.running .big").waitFor();
    const alarm = page.locator(".policy-line .badge.alarm");
    await alarm.waitFor();
    expect(await alarm.innerText()).toBe("nobody can take it");
    expect(await page.locator(".policy-line .badge.good").count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    // The first that recovers takes it.
    await page.keyboard.press("r");
    await movedFrom(page, owners[3] ?? null);
    await settled(page, shown);
    await page.keyboard.press("r");
    await page.locator(".policy-line[data-nobody=false]").waitFor();
    expect(owners[0]).toBe(owners[2]);
    expect(owners[1]).toBe(owners[3]);
    const made = await records(page);
    // The fourth is the one after all was lost.
    expect(made.slice(1, 4).map((r) => [r.kind, r.state, r.fromInstanceId, r.toInstanceId])).toEqual(
      [2, 1, 0].map((i) => ["failover", "completed", owners[i], owners[i + 1]]),
    );
    expect(errors).toEqual([]);

    // Back by B on the selected interface, and recorded as that.
    const now = await ownerOf(page);
    await served(page).click();
    await page.keyboard.press("b");
    await movedFrom(page, now);
    expect((await records(page))[0]?.kind).toBe("failback");
    await page.close();
  });

  it("does not count an outage for another instance's failure", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    // The move back of the test before may still be counted.
    await page.locator(".policy-line .badge.good").waitFor();
    await page.waitForFunction(() => !document.querySelector(".outage.running"));
    const name = await page.locator(".card", { hasText: "EC2-3" }).first().getAttribute("data-instance");
    await page.evaluate(async (id) => {
      await fetch(`/api/v1/instances/${id}/fail`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: '{"mode":"freeze"}',
      });
    }, name);
    const badge = page.locator(`.card[data-instance="${name}"] .badge.lost`);
    await badge.waitFor();
    expect(await page.locator(".outage.running").count()).toBe(0);
    await page.evaluate(async (id) => {
      await fetch(`/api/v1/instances/${id}/recover`, { method: "POST" });
    }, name);
    await badge.waitFor({ state: "detached" });
    await page.close();
  });
});

describe("hands and keys", () => {
  it("pauses by Space after a click on a button", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    await page.locator(".segments button").nth(1).click();
    await page.keyboard.press("Space");
    await page.locator(".tools button[aria-pressed=true]", { hasText: "Resume" }).waitFor();
    // The button that was clicked before is as it was.
    expect(await page.locator(".segments button").nth(1).getAttribute("aria-pressed")).toBe("true");
    await page.close();
  });

  it("leaves Space to a control that the keyboard came to", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    await page.locator(".segments button").first().focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.locator(".segments button[aria-pressed=true]").nth(0).waitFor();
    expect(await page.locator(".segments button").nth(1).getAttribute("aria-pressed")).toBe("true");
    expect(await page.locator(".tools button", { hasText: "Resume" }).count()).toBe(0);
    await page.close();
  });

  it("drags a chip even when the first move is off it, and copies what it will do", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await served(page).waitFor();
    const from = (await served(page).boundingBox())!;
    const owner = await ownerOf(page);
    const target = page.locator(`.card:not([data-instance="${owner}"])`, { hasText: /EC2-[12]/ }).first();
    const to = (await target.boundingBox())!;
    await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + 20, to.y + 12);
    await page.locator(".stage.is-dragging").waitFor();
    await page.locator(".take").first().waitFor();
    await page.mouse.up();
    await page.locator("dialog").waitFor();
    await page.locator("dialog input[type=checkbox]").check();
    const command = await page.locator("dialog button[title*='aws ']").getAttribute("title");
    expect(command).toContain(`--endpoint-url ${new URL(at.url).origin}`);
    expect(command).toMatch(/detach-network-interface .*--force/);
    await page.keyboard.press("Escape");
    await page.close();
  });
});

describe("Korean", () => {
  it("has no English sentence but those that are marked as such", async () => {
    const { page } = await open(browser, `${at.url}/live?lang=ko`);
    await packetRows(page).first().waitFor();
    const english = () =>
      page.evaluate(() => {
        const found: string[] = [];
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let n = walker.nextNode(); n; n = walker.nextNode()) {
          const own = n.parentElement!;
          if (
            own.closest(
              "[lang=en], [translate=no], code, pre, kbd, script, noscript, style, .rates, .grid, .legend",
            )
          )
            continue;
          // Three lower-case words in a row are a sentence; ids, names and AWS's terms are none.
          if (/(?:\b[a-z]{2,}\b[ ,]+){2}\b[a-z]{2,}\b/.test(n.textContent ?? ""))
            found.push(n.textContent ?? "");
        }
        return found;
      });
    expect(await english()).toEqual([]);
    for (const tab of ["eni", "instance", "network", "path", "failover"]) {
      await page.locator(".chip.served").click();
      await page.locator(`#tab-${tab}`).click();
      expect([tab, await english()]).toEqual([tab, []]);
    }
    await page.locator("#tab-path").click();
    await page.locator(".path-form button[type=submit]").click();
    await page.locator(".answer").waitFor();
    expect(await english()).toEqual([]);
    // EC2's own words stay EC2's, marked, and are said once.
    await served(page).click();
    await page.keyboard.press("m");
    await page.locator(".menu-item.refused").first().focus();
    await page.keyboard.press("Enter");
    const said = await page.locator(".toast.error [lang=en]").innerText();
    expect(said.length).toBeGreaterThan(10);
    expect(said.indexOf(said.slice(0, 30), 1)).toBe(-1);
    expect(await english()).toEqual([]);
    for (const screen of ["drills", "failovers", "captures"]) {
      await page.locator(`.rail a[href="/${screen}"]`).click();
      await page.locator(`.rail a[href="/${screen}"][aria-current]`).waitFor();
      await page.locator("main.screen h2").first().waitFor();
      expect([screen, await english()]).toEqual([screen, []]);
    }
    await page.close();
  });
});
