import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";

/** How long a step may take, in ms: less while one looks for what is wrong. */
export const patience = Number(process.env.ENILAB_PATIENCE ?? 60_000);

export type Theme = "light" | "dark";

/** Where the lab is: a running server of the demo or with the internet, or the fixture when none is named. */
export async function lab(
  around: "demo" | "network" = "demo",
): Promise<{ url: string; close: () => void; real: boolean }> {
  const url = around === "demo" ? process.env.ENILAB_URL : process.env.ENILAB_INTERNET_URL;
  if (url) return { url: url.replace(/\/$/, ""), close: () => undefined, real: true };
  // The fixture is plain JavaScript for Node; it has no types.
  // @ts-expect-error
  const { serve } = await import("../fixture/server.mjs");
  console.warn("no URL of a server is set: testing against the fixture");
  return { ...(await serve(0, { network: around === "network" })), real: false };
}

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });

/** A page whose console errors and exceptions are collected. */
export async function open(
  browser: Browser,
  address: string,
  { theme = "dark", width = 1440 }: { theme?: Theme; width?: number } = {},
): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: theme });
  page.setDefaultTimeout(patience);
  const errors: string[] = [];
  page.on("console", (m) => {
    if (m.type() === "error") errors.push(m.text());
  });
  page.on("pageerror", (e) => errors.push(String(e)));
  await page.goto(address);
  await page.locator("h1").waitFor();
  return { page, errors };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** The rules of axe that the page breaks, one line each. */
export async function axe(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so that the page's policy stays in force.
  await page.evaluate(axeSource);
  const violations = (await page.evaluate(
    // WCAG 2.5.3 is an experimental rule of axe, and off by itself.
    "axe.run(document, { resultTypes: ['violations'], rules: { 'label-content-name-mismatch': { enabled: true } } }).then((r) => r.violations)",
  )) as Violation[];
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`));
}

export const packetRows = (page: Page) => page.locator(".grid-body .row:not([hidden])");
