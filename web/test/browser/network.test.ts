import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open, packetRows } from "./page.ts";

// The scenario internet: hosts beyond an internet gateway, a private instance behind
// a NAT gateway. On the fixture also a peering connection and a route that leads nowhere.

let browser: Browser;
let at: Awaited<ReturnType<typeof lab>>;
const shots = process.env.ENILAB_SHOTS ?? new URL("shots/", import.meta.url).pathname;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  at = await lab("network");
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  at.close();
});

const gateway = (page: Page, kind: string) => page.locator(`.gateway.${kind}`).first();

async function settled(page: Page): Promise<void> {
  await packetRows(page).first().waitFor();
  await gateway(page, "nat").waitFor();
}

/** Sends a frame from the one whose name the form lists, and waits for its fate. */
async function send(page: Page, from: RegExp, to: string): Promise<void> {
  await page.locator("#tab-path").click();
  const sender = page.locator(".path-form select").first();
  const value = await sender.locator("option", { hasText: from }).first().getAttribute("value");
  await sender.selectOption(value);
  if (to) await page.locator(".path-form input[type=text]").first().fill(to);
  await page.locator(".path-form button[type=submit]").click();
  await page.locator(".answer .hops").waitFor();
}

/** What stands in the fields of one name, at all stations. */
const fields = (page: Page, name: string) =>
  page.locator(".whys > div", { has: page.locator("dt", { hasText: name }) }).locator("dd");

describe("the network around the subnets", () => {
  it("is drawn as it is, each thing with the tab that tells of it", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    expect(await page.locator(".box.internet").count()).toBe(1);
    expect(await page.locator(".gateway.host").count()).toBe(2);
    expect(await page.locator(".chip.served .chip-public").innerText()).toBe("203.0.113.1");
    // The gateway's own interface is the gateway, and no loose one.
    expect(await page.locator(".box.tray").count()).toBe(0);
    await gateway(page, "igw").click();
    await page.locator(".facts dd", { hasText: "203.0.113.1" }).waitFor();
    await page.locator(".gateway.host", { hasText: "customer" }).click();
    await page.locator(".record-title", { hasText: "customer" }).waitFor();
    await page.locator(".box.subnet .can-select", { hasText: "private" }).click();
    const routes = page.locator(".routes li");
    expect(await routes.filter({ hasText: "0.0.0.0/0" }).locator("button").innerText()).toBe("nat");
    expect(await page.locator(".entries li").count()).toBe(4);
    await routes.filter({ hasText: "0.0.0.0/0" }).locator("button").click();
    await page.locator(".connections tbody tr").first().waitFor();
    expect(await page.locator(".record-title code").innerText()).toMatch(/^nat-/);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("shows a route that leads nowhere as such", async ({ skip }) => {
    if (at.real) skip("the scenario has none");
    const { page } = await open(browser, `${at.url}/live`);
    await settled(page);
    await page.locator(".box.subnet .can-select", { hasText: "private" }).click();
    const dead = page.locator(".routes li.blackhole");
    expect(await dead.locator("code").first().innerText()).toBe("10.8.0.0/16");
    expect(await dead.locator(".badge").innerText()).toBe("blackhole");
    await gateway(page, "peering").click();
    await page.locator(".facts dd", { hasText: "billing" }).waitFor();
    await gateway(page, "transit").click();
    await page.locator(".routes li.active", { hasText: "10.9.0.0/16" }).locator("button").waitFor();
    expect(await page.locator(".routes li.blackhole").count()).toBe(1);
    await page.close();
  });

  it("freezes and recovers a host of the internet", async ({ skip }) => {
    if (!at.real) skip("the fixture's hosts do not fail");
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    await page.locator(".gateway.host", { hasText: "updates" }).click();
    await page.locator(".actions button.danger").click();
    await page.locator(".gateway.host.dim .badge").waitFor();
    await page.locator(".actions button.primary").click();
    await page.locator(".gateway.host.dim").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("a row of the live table", () => {
  it("tells what decided where its frame went, each thing in a field", async ({ skip }) => {
    if (!at.real) skip("the fixture records no frames");
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    // Of all frames those that the NAT gateway translates, at rest; what comes back
    // follows no route of a VPC.
    const translated = /203\.0\.113\.2\s*198\.51\.100\.20/;
    await page.locator(".chip", { hasText: /192\.168\.2\.10|10\.0\.1\.10/ }).click();
    await page.locator(".check-row input").check();
    await packetRows(page).filter({ hasText: translated }).first().waitFor();
    await page.locator(".tools button", { hasText: "Space" }).click();
    await packetRows(page).filter({ hasText: translated }).first().click();
    const detail = page.locator("section.packet");
    const field = (name: string) => detail.locator(`dt:text-is("${name}") + dd`).first();
    expect(await field("Route").innerText()).toMatch(/private.*0\.0\.0\.0\/0 → NAT nat/);
    expect(await field("Then route").innerText()).toMatch(/public.*0\.0\.0\.0\/0/);
    expect(await field("Gateway").innerText()).toMatch(/IGW way-out/);
    expect(await field("Network ACL").innerText()).toMatch(/egress 100/);
    expect(await field("Translation").innerText()).toContain("changed addresses");
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("a traced frame", () => {
  it("tells at every station what decided, and shows its way", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    await send(page, /worker/, "198.51.100.20");
    const routes = await fields(page, "Route").allInnerTexts();
    expect(routes.length).toBe(2);
    expect(routes[0]).toMatch(/private.*0\.0\.0\.0\/0 → NAT nat/);
    expect(routes[1]).toMatch(/public.*0\.0\.0\.0\/0 → IGW way-out/);
    expect((await fields(page, "Network ACL").allInnerTexts()).join()).toMatch(/egress 100.*ingress 100/);
    expect((await fields(page, "Rule").or(fields(page, "Connection")).allInnerTexts())[0]).toMatch(/sgr-/);
    expect((await fields(page, "Translation").allInnerTexts()).at(-1)).toMatch(/→ 203\.0\.113\.2:\d+/);
    for (const kind of ["nat", "igw"]) expect(await page.locator(`.gateway.${kind}.on-path`).count()).toBe(1);
    expect(await page.locator(".gateway.host.on-path").innerText()).toContain("updates");
    // The frame as it arrived stands beside the one that was sent.
    const source = page.locator(".field.differs", { hasText: "203.0.113.2" });
    expect(await source.locator("code").first().innerText()).toMatch(/^192\.168\.2\.10$|^10\.0\.1\.10$/);
    // Another tab needs the stage for itself.
    await page.locator("#tab-failover").click();
    expect(await page.locator(".on-path").count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("may come from the internet", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    await gateway(page, "host").click();
    await page.locator(".actions button:not(.danger)").click();
    expect(await page.locator(".path-form input[type=text]").first().inputValue()).toBe("203.0.113.1");
    await page.locator(".path-form button[type=submit]").click();
    await page.locator(".answer .why.accept").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe.each([
  ["dark", 1440, "en"],
  ["light", 1440, "ko"],
  ["dark", 900, "ko"],
  ["light", 900, "en"],
] as const)("%s, %i pixels, %s", (theme, width, language) => {
  it("is readable to everybody", async () => {
    const { page, errors } = await open(browser, `${at.url}/live?lang=${language}`, { theme, width });
    await settled(page);
    const look = async (name: string): Promise<void> => {
      await page.screenshot({ path: `${shots}/network-${name}-${theme}-${width}.png` });
      expect([name, await axe(page)]).toEqual([name, []]);
      expect([name, await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)]).toEqual([
        name,
        0,
      ]);
    };
    const close = async (): Promise<void> => {
      if (width < 1100) await page.locator(".drawer-close").click();
    };
    await look("live");
    for (const kind of ["igw", "nat", "host"]) {
      await gateway(page, kind).click();
      await page.locator(".record-title code").waitFor();
      if (kind === "nat") await page.locator(".connections").waitFor();
      await look(kind);
      await close();
    }
    await page.locator(".box.subnet .can-select").first().click();
    await page.locator(".routes").waitFor();
    await look("subnet");
    await send(page, /worker/, "198.51.100.20");
    await page.locator(".frame details").first().waitFor();
    await look("path");
    expect(errors).toEqual([]);
    await page.close();
  });
});
