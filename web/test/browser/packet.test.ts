import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, lab, launch, open, packetRows, type Theme } from "./page.ts";

let browser: Browser;
let at: Awaited<ReturnType<typeof lab>>;
let network: Awaited<ReturnType<typeof lab>>;

beforeAll(async () => {
  at = await lab();
  network = await lab("network");
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  at.close();
  network.close();
});

beforeEach(({ skip }) => {
  if (!at.real) skip("the fixture records no frames");
});

const view = (page: Page) => page.locator("section.packet");
const row = (page: Page, name: string) =>
  page.locator(".pk-row.level-2", { has: page.locator(`.pk-name:text-is("${name}")`) });
const litBytes = (page: Page) =>
  page.locator(".pk-byte.lit").evaluateAll((list) => list.map((b) => Number((b as HTMLElement).dataset.b)));

/** Opens the live table and the first row that has a text. */
async function pick(page: Page, text: RegExp): Promise<void> {
  await packetRows(page).filter({ hasText: text }).first().waitFor();
  await page.locator(".tools button", { hasText: "Space" }).click();
  await packetRows(page).filter({ hasText: text }).first().click();
  await view(page).locator(".pk-row").first().waitFor();
}

/** Sends a frame as a guest of an interface; its cursor, after that of the one before, once it is on record. */
async function send(url: string, eni: string, fields: object, after = 0): Promise<number> {
  const api = (path: string, init?: RequestInit) => fetch(`${url}/api/v1${path}`, init).then((r) => r.json());
  await api("/packets", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ networkInterfaceId: eni, fields }),
  });
  const port = (fields as { dstPort: number }).dstPort;
  for (;;) {
    const list = (await api("/frames?limit=1000")) as { items: { cursor: number; port?: number }[] };
    const f = list.items.find((x) => x.port === port && x.cursor > after);
    if (f) return f.cursor;
  }
}

const primary = async (url: string, name: string): Promise<string> => {
  const get = (path: string) => fetch(`${url}/api/v1${path}`).then((r) => r.json());
  const i = (await get("/instances")).items.find((x: { name: string }) => x.name === name);
  return i.interfaces[0].networkInterfaceId;
};

describe("the packet view", () => {
  it("lights a field's bytes, and of a byte the field", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await pick(page, /UDP/);
    await row(page, "destination").first().hover();
    expect(await litBytes(page)).toEqual([0, 1, 2, 3, 4, 5]);
    await row(page, "TTL").click();
    await page.mouse.move(5, 5);
    expect(await litBytes(page)).toEqual([22]);
    await page.locator('.pk-byte[data-b="23"]').click();
    expect(await page.locator('.pk-row[aria-selected="true"] .pk-name').innerText()).toBe("protocol");
    // And without a mouse, both ways.
    await page.locator('.pk-row[aria-selected="true"]').focus();
    await page.keyboard.press("ArrowDown");
    expect(await litBytes(page)).toEqual([24, 25]);
    await page.locator(".pk-bytes").focus();
    await page.keyboard.press("ArrowLeft");
    expect(await page.locator('.pk-row[aria-selected="true"] .pk-name').innerText()).toBe("protocol");
    await page.locator('.pk-row[aria-selected="true"]').focus();
    await page.keyboard.press("Backspace");
    await page.keyboard.press("ArrowLeft");
    expect(await row(page, "TTL").count()).toBe(0);
    await page.keyboard.press("ArrowRight");
    await row(page, "TTL").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("goes along rows, flows and what was looked at, and compares with a pinned one", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await pick(page, /UDP/);
    const title = view(page).locator("h2");
    const first = await title.innerText();
    await page.getByRole("button", { name: /Pin/ }).click();
    await page.keyboard.press("F8");
    await expect.poll(() => title.innerText()).not.toBe(first);
    const second = await title.innerText();
    await page.keyboard.press("Alt+ArrowLeft");
    await expect.poll(() => title.innerText()).toBe(first);
    await page.keyboard.press("Alt+ArrowRight");
    await expect.poll(() => title.innerText()).toBe(second);
    await page.locator(".pk-table tbody tr").first().waitFor();
    await page.keyboard.press("[");
    await expect.poll(() => title.innerText()).not.toBe(second);
    await page.keyboard.press("]");
    await expect.poll(() => title.innerText()).toBe(second);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("has both sides of what a NAT gateway rewrote, and the tables of its connection", async () => {
    const { page, errors } = await open(browser, `${network.url}/live`);
    const list = () => fetch(`${network.url}/api/v1/frames?limit=1000`).then((r) => r.json());
    const translated = (f: { source: string; destination: string }): boolean =>
      f.source === "203.0.113.2" && f.destination === "198.51.100.20";
    await expect.poll(async () => (await list()).items.some(translated)).toBe(true);
    await page.goto(`${network.url}/packets/${(await list()).items.find(translated).cursor}`);
    await view(page).locator(".pk-row").first().waitFor();
    const source = row(page, "source").last();
    expect(await source.locator(".pk-before").innerText()).toMatch(/^10\.0\.1\.10$/);
    expect(await source.locator(".pk-after").innerText()).toContain("203.0.113.2");
    const mac = row(page, "source").first();
    expect(await mac.locator(".pk-after").count()).toBe(1);
    const check = row(page, "header checksum");
    expect(await check.innerText()).toMatch(/correct[\s\S]*correct/);
    expect(await page.locator(".pk-byte.rewritten").count()).toBeGreaterThan(12);
    await page.locator("#tab-flow").click();
    await page.locator(".pk-part h3", { hasText: "nat" }).waitFor();
    await page.locator(".pk-list li").nth(1).waitFor();
    expect(await axe(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("has an address, and says of what is gone where it may be", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await pick(page, /UDP/);
    const number = (await view(page).locator("h2").innerText()).replace(/\D/g, "");
    const other = await open(browser, `${at.url}/packets/${number}`);
    await other.page.locator(".pk-row").first().waitFor();
    expect(await axe(other.page)).toEqual([]);
    await other.page.goto(`${at.url}/packets/0`);
    await other.page.locator(".pk-gone strong", { hasText: "not on record any more" }).waitFor();
    expect(await axe(other.page)).toEqual([]);
    await other.page.close();
    await page.close();
  });

  it("shows hostile bytes as text, and what an expert notices", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await packetRows(page).first().waitFor();
    const eni = await primary(at.url, "client");
    const hostile = Buffer.from("<img src=x onerror=alert(1)>\u202e\u0000").toString("hex");
    const fields = { dst: "192.168.0.42", protocol: "tcp", dstPort: 80, srcPort: 41999, payloadHex: hostile };
    const first = await send(at.url, eni, { ...fields, dstPort: 6553 });
    const cursor = await send(at.url, eni, { ...fields, dstPort: 6553 }, first);
    await page.goto(`${at.url}/packets/${cursor}`);
    await page.locator(".pk-row").first().waitFor();
    expect(await page.locator(".pk img").count()).toBe(0);
    expect(
      await page
        .locator(".pk-text")
        .allInnerTexts()
        .then((x) => x.join("")),
    ).toContain("<img");
    await page.locator(".pk-notes li", { hasText: "Retransmission" }).waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("the step mode", () => {
  it("steps on and back, and stands where its address says", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await packetRows(page).nth(5).waitFor();
    await page.locator(".mode-switch button").last().click();
    await page.locator(".step-time").waitFor();
    await expect.poll(() => page.url()).toMatch(/mode=step&t=\d+/);
    const time = page.locator(".step-time");
    const [t0, first] = [await time.innerText(), page.url()];
    await page.keyboard.press(",");
    await expect.poll(() => time.innerText()).not.toBe(t0);
    await page.keyboard.press(",");
    const back = page.url();
    await page.keyboard.press(".");
    await page.keyboard.press(".");
    await expect.poll(() => page.url()).toBe(first);
    expect(await time.innerText()).toBe(t0);
    expect(back).not.toBe(first);
    expect(await axe(page)).toEqual([]);
    // The address, opened anew, shows the same instant and packet.
    const title = await view(page).locator("h2").innerText();
    const other = await open(browser, first);
    await other.page.locator(".step-time").waitFor();
    expect(await other.page.locator(".step-time").innerText()).toBe(t0);
    await expect.poll(() => view(other.page).locator("h2").innerText()).toBe(title);
    await other.page.close();
    await page.keyboard.press("Escape");
    await page.locator(".step-bar").waitFor({ state: "detached" });
    expect(page.url()).not.toContain("mode=step");
    await page.goBack();
    await page.locator(".step-time").waitFor();
    await page.goBack();
    await page.locator(".step-bar").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });

  it("plays at a hundredth, while traffic goes on", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await packetRows(page).nth(5).waitFor();
    await page.locator(".mode-switch button").last().click();
    await page.locator(".step-time").waitFor();
    await page.locator(".scrubber input").fill("0");
    await page.locator(".step-tools .segments button").last().click();
    const began = await page.locator(".step-time").innerText();
    await page.keyboard.press("p");
    await expect.poll(() => page.locator(".step-time").innerText()).not.toBe(began);
    await page.keyboard.press("p");
    const stood = await page.locator(".step-time").innerText();
    const sent = await fetch(`${at.url}/api/v1/frames?limit=1`).then((r) => r.json());
    await expect
      .poll(async () => (await fetch(`${at.url}/api/v1/frames?limit=1`).then((r) => r.json())).next)
      .toBeGreaterThan(sent.next);
    expect(await page.locator(".step-time").innerText()).toBe(stood);
    await page.goto(`${at.url}/live?mode=step&t=1`);
    await page.locator(".step-bar [role=alert]", { hasText: "The recording begins at" }).waitFor();
    // The oldest frames leave the recording while they are looked at.
    expect(errors.filter((e) => !e.includes("410"))).toEqual([]);
    await page.close();
  });
});

describe("a capture", () => {
  it("is read by tshark, cut to a window, and opened in the same view", async () => {
    const json = { "content-type": "application/json" };
    const api = `${at.url}/api/v1`;
    const c = await fetch(`${api}/captures`, {
      method: "POST",
      headers: json,
      body: '{"maxFrames":200,"comment":"<b>of a test"}',
    }).then((r) => r.json());
    await expect
      .poll(async () => (await fetch(`${api}/captures/${c.id}`).then((r) => r.json())).state, {
        timeout: 20_000,
      })
      .toBe("stopped");
    const list = await fetch(`${api}/captures/${c.id}/frames?limit=1000`).then((r) => r.json());
    expect(list.total).toBe(200);
    const nanos = (iso: string): bigint =>
      BigInt(Date.parse(`${iso.slice(0, 19)}Z`)) * 1_000_000n +
      BigInt((iso.slice(20, -1) || "0").padEnd(9, "0"));
    const [from, to] = [nanos(list.items[40].at), nanos(list.items[90].at)];
    const within = list.items.filter((f: { at: string }) => nanos(f.at) >= from && nanos(f.at) <= to).length;
    const folder = mkdtempSync(join(tmpdir(), "eni-"));
    const count = async (query: string): Promise<string[]> => {
      const file = join(folder, "x.pcapng");
      const answer = await fetch(`${api}/captures/${c.id}/pcapng${query}`);
      writeFileSync(file, new DataView(await answer.arrayBuffer()));
      return execFileSync("tshark", ["-r", file, "-T", "fields", "-e", "frame.comment"], { encoding: "utf8" })
        .trim()
        .split("\n");
    };
    expect((await count("")).length).toBe(200);
    const part = await count(`?from=${from}&to=${to}`);
    expect(part.length).toBe(within);
    expect(part[0]).toContain("verdict=");
    rmSync(folder, { recursive: true });

    const { page, errors } = await open(browser, `${at.url}/captures`);
    await page.locator("tr", { hasText: c.id }).getByRole("link", { name: "Open" }).click();
    await page.locator("tbody tr").nth(40).getByRole("button").click();
    await view(page).locator(".pk-row").first().waitFor();
    expect(await view(page).locator("h2").innerText()).toBe("Packet 41");
    await page.keyboard.press("F8");
    await expect.poll(() => view(page).locator("h2").innerText()).toBe("Packet 42");
    await expect.poll(() => page.url()).toContain(`/captures/${c.id}/42`);
    expect(await axe(page)).toEqual([]);
    await page.reload();
    await expect.poll(() => view(page).locator("h2").innerText()).toBe("Packet 42");
    expect(errors).toEqual([]);
    await page.close();
    await fetch(`${api}/captures/${c.id}`, { method: "DELETE" });
  });
});

for (const theme of ["dark", "light"] as Theme[])
  for (const language of ["en", "ko"])
    for (const width of [1440, 900, 390])
      it(`breaks no rule of axe: ${theme}, ${language}, ${width} px`, async () => {
        const { page } = await open(browser, `${at.url}/live?lang=${language}&mode=step`, { theme, width });
        await page.locator(".pk-row").first().waitFor();
        expect(await axe(page)).toEqual([]);
        const shots = process.env.ENILAB_SHOTS;
        if (shots) await page.screenshot({ path: join(shots, `step-${theme}-${language}-${width}.png`) });
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
        await page.close();
      });
