import { mkdirSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open } from "./page.ts";

// The editor with what-if, assertions, questions and who loses what, on the demo.

let browser: Browser;
let at: Awaited<ReturnType<typeof lab>>;
const shots = process.env.ENILAB_SHOTS ?? new URL("shots/", import.meta.url).pathname;

interface Group {
  id: string;
  name: string;
  etag: string;
  rules: {
    id: string;
    direction: string;
    protocol: string;
    fromPort?: number;
    toPort?: number;
    cidr?: string;
  }[];
}

const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const r = await fetch(`${at.url}/api/v1${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await r.text();
  if (!r.ok) throw new Error(`${method} ${path}: ${r.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
};
const items = async <T>(path: string): Promise<T[]> => (await api<{ items: T[] }>("GET", path)).items;
const web = async (): Promise<Group> =>
  (await items<Group>("/security-groups")).find((g) => g.name === "web")!;

let before: Group;

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  at = await lab();
  browser = await launch();
  if (at.real) before = await web();
});

// Each test finds the group as the scenario has it, and nothing asserted.
afterEach(async () => {
  if (!at.real) return;
  for (const a of await items<{ id: string }>("/assertions")) await api("DELETE", `/assertions/${a.id}`);
  const now = await web();
  const key = (r: Omit<Group["rules"][number], "id">): string =>
    [r.direction, r.protocol, r.fromPort, r.toPort, r.cidr].join(" ");
  for (const r of now.rules)
    if (!before.rules.some((o) => key(o) === key(r)))
      await api("DELETE", `/security-groups/${now.id}/rules/${r.id}`);
  for (const { id: _, ...r } of before.rules)
    if (!now.rules.some((o) => key(o) === key(r)))
      await api("POST", `/security-groups/${now.id}/rules`, {
        direction: r.direction,
        rules: [{ protocol: r.protocol, fromPort: r.fromPort, toPort: r.toPort, cidr: r.cidr }],
      });
});

afterAll(async () => {
  await browser.close();
  at.close();
});

const rows = (page: Page) => page.locator(".rules-table tbody tr:not(.note)");
const saveButton = (page: Page) => page.locator(".rules-bar button.primary");
/** Waits for a row with a value typed into it. */
const rowWith = async (page: Page, value: string): Promise<void> =>
  expect
    .poll(() =>
      page
        .locator(".rules-table input")
        .evaluateAll((all) => all.map((x) => (x as { value?: string }).value)),
    )
    .toContain(value);

async function editor(page: Page): Promise<void> {
  await rows(page).first().waitFor();
}

describe("the editor", () => {
  it("tells what a draft would do before it is saved, asks where an assertion turns, and undoes", async ({
    skip,
  }) => {
    if (!at.real) skip("the fixture has no engine");
    const client = (await items<{ id: string; name: string }>("/instances")).find(
      (i) => i.name === "client",
    )!;
    await api("POST", "/assertions", {
      name: "clients reach the web",
      sourceId: client.id,
      destination: "192.168.0.42",
      port: 80,
    });
    const { page, errors } = await open(browser, `${at.url}/sg/${before.id}`);
    await editor(page);
    await expect.poll(() => rows(page).count()).toBe(before.rules.length);
    const http = rows(page).filter({ has: page.locator('input[aria-label^="Ports"]') });
    const numbered = before.rules.findIndex((r) => r.fromPort === 80);
    expect(numbered).toBeGreaterThanOrEqual(0);
    await http.nth(numbered).locator("button").click();
    // Connections that are tracked go on, and the assertion turns.
    await page.locator(".asserted li.turns", { hasText: "clients reach the web" }).waitFor();
    const kept = page.locator(".effects", { hasText: "Kept as tracked" });
    await kept.locator("li", { hasText: "client" }).first().waitFor();
    await page.screenshot({ path: `${shots}/rules-what-if-dark.png` });
    expect(await axe(page)).toEqual([]);
    await saveButton(page).click();
    await page.locator("dialog .diff .minus").waitFor();
    await page.locator("dialog .alert", { hasText: "clients reach the web" }).waitFor();
    expect(await page.locator("dialog button.danger").innerText()).toBe("Save all the same");
    await page.screenshot({ path: `${shots}/rules-red-dark.png` });
    expect(await axe(page)).toEqual([]);
    expect((await web()).rules.length).toBe(before.rules.length);
    await page.locator("dialog button.danger").click();
    await expect.poll(async () => (await web()).rules.length).toBe(before.rules.length - 1);
    // It is red where it is listed, and what was saved can be taken back.
    await page.locator(".toast button", { hasText: "Undo" }).click();
    await expect.poll(async () => (await web()).rules.length).toBe(before.rules.length);
    await expect.poll(() => rows(page).count()).toBe(before.rules.length);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("keeps table and JSON in step, says what is wrong beside it, and what EC2 would refuse", async ({
    skip,
  }) => {
    if (!at.real) skip("the fixture has no engine");
    const { page } = await open(
      browser,
      `${at.url}/sg/${before.id}?add=ingress&protocol=tcp&port=5432&peer=10.9.0.0/16`,
    );
    await rowWith(page, "5432");
    expect(new URL(page.url()).search).toBe("");
    await page.locator(".segments button", { hasText: "JSON" }).click();
    const text = page.locator("#draft-json");
    const typed = await text.inputValue();
    expect(typed).toContain('"ports": "5432"');
    await text.fill(typed.replace("5432", "54x2"));
    await page.locator(".segments button", { hasText: "Table" }).click();
    await rowWith(page, "54x2");
    expect(await page.locator(".note .field-wrong").innerText()).toContain("8000-8080");
    expect(await saveButton(page).isDisabled()).toBe(true);
    await page.locator(".segments button", { hasText: "JSON" }).click();
    await text.fill("[{");
    await page.locator("#draft-json-wrong").waitFor();
    expect(await axe(page)).toEqual([]);
    // What was typed outlives the screen and the page.
    await page.reload();
    await editor(page);
    await page.locator(".segments button", { hasText: "JSON" }).click();
    expect(await text.inputValue()).toBe("[{");
    await page.locator(".rules-bar button", { hasText: "Discard" }).click();
    await expect.poll(() => text.inputValue()).not.toContain("54x2");
    await page.close();
  });

  it("shows both versions where two people edit one group, and loses nothing", async ({ skip }) => {
    if (!at.real) skip("the fixture has no engine");
    const { page } = await open(
      browser,
      `${at.url}/sg/${before.id}?add=ingress&protocol=tcp&port=5432&peer=10.9.0.0/16`,
      {
        theme: "light",
      },
    );
    await rowWith(page, "5432");
    await api("POST", `/security-groups/${before.id}/rules`, {
      direction: "ingress",
      rules: [{ protocol: "tcp", fromPort: 8080, toPort: 8080, cidr: "10.8.0.0/16" }],
    });
    const conflict = page.locator(".conflict");
    await conflict.waitFor();
    expect(await saveButton(page).isDisabled()).toBe(true);
    expect(await conflict.locator(".version").first().locator(".differs").innerText()).toContain("8080");
    expect(await conflict.locator(".version").last().locator(".differs").innerText()).toContain("5432");
    await page.screenshot({ path: `${shots}/rules-conflict-light.png` });
    expect(await axe(page)).toEqual([]);
    await conflict.locator("button.primary").click();
    await conflict.waitFor({ state: "detached" });
    await rowWith(page, "8080");
    await rowWith(page, "5432");
    await page.locator(".what-if", { hasText: "Looked at" }).waitFor();
    await saveButton(page).click();
    await page.locator("dialog button.primary").click();
    await expect
      .poll(async () => (await web()).rules.filter((r) => r.fromPort === 5432 || r.fromPort === 8080).length)
      .toBe(2);
    await page.close();
  });

  it("edits tables and ACLs too, in Korean and on a narrow page", async ({ skip }) => {
    if (!at.real) skip("the fixture has no engine");
    const acl = (await items<{ id: string }>("/network-acls"))[0]!;
    const { page, errors } = await open(
      browser,
      `${at.url}/acl/${acl.id}?add=ingress&action=deny&protocol=udp&port=7&peer=0.0.0.0/0&lang=ko`,
      { width: 900 },
    );
    await editor(page);
    await rowWith(page, "7");
    await page.locator(".note .hint").waitFor();
    await page.screenshot({ path: `${shots}/rules-acl-ko-900.png`, fullPage: true });
    expect(await axe(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.locator(".kinds a").nth(1).click();
    await page.waitForURL(/\/rtb\//);
    await editor(page);
    expect(await axe(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("a question", () => {
  it("is answered there and back, kept as an assertion, and drawn on the map", async ({ skip }) => {
    if (!at.real) skip("the fixture has no engine");
    const client = (await items<{ id: string; name: string }>("/instances")).find(
      (i) => i.name === "client",
    )!;
    const { page, errors } = await open(browser, `${at.url}/ask?from=${client.id}&to=192.168.0.42&port=22`);
    await page.locator(".ask-verdict .mark.reject").waitFor();
    expect(await page.locator(".explanations").innerText()).toContain("ENI_SG_RULES_MISMATCH");
    expect(await page.locator(".looked > div").count()).toBeGreaterThan(6);
    await page.screenshot({ path: `${shots}/ask-no-dark.png`, fullPage: true });
    expect(await axe(page)).toEqual([]);
    await page.locator("button", { hasText: "Assert that it must" }).first().click();
    await page.locator(".must li.red", { hasText: "client must reach" }).waitFor();
    await page.locator(".rail-count", { hasText: "1" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.screenshot({ path: `${shots}/ask-red-dark.png`, fullPage: true });
    // The answer leads to the editor of what is in the way.
    await page.locator(".ask-form input").nth(2).fill("80");
    await page.locator(".ask-form select").nth(1).selectOption("3");
    await page.locator(".ask-form button[type=submit]").click();
    await page.locator(".ask-verdict .mark.accept").waitFor();
    await page.locator(".ask-answer", { hasText: "sent 3, arrived 3, answered 3: as predicted" }).waitFor();
    await page.locator("button", { hasText: "Draw it on the map" }).click();
    await page.locator(".predicted-chip").waitFor();
    await expect.poll(() => page.locator(".on-path").count()).toBeGreaterThan(1);
    await page.screenshot({ path: `${shots}/ask-map-dark.png` });
    expect(await axe(page)).toEqual([]);
    await page.locator(".predicted-chip button.icon").click();
    await page.locator(".predicted-chip").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });

  it("who loses what is told from the inspector, and nothing fails", async ({ skip }) => {
    if (!at.real) skip("the fixture has no engine");
    const one = (await items<{ id: string; name: string }>("/instances")).find((i) => i.name === "EC2-1")!;
    const { page, errors } = await open(browser, `${at.url}/live?sel=${one.id}`, { theme: "light" });
    await page.locator(".about button", { hasText: "Who loses what" }).click();
    await page.locator(".losses").waitFor();
    expect(await page.locator(".losses").innerText()).toContain("client");
    expect(await page.locator(".losses").innerText()).toContain("would move");
    await page.screenshot({ path: `${shots}/losses-light.png` });
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.locator(".losses").waitFor({ state: "detached" });
    await page.locator(".about .editors a").first().click();
    await page.waitForURL(/\/sg\/sg-/);
    await editor(page);
    expect(errors).toEqual([]);
    await page.close();
  });
});
