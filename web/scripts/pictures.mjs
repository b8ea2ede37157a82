// Takes the README's pictures of the page anew: node scripts/pictures.mjs ../bin/enilab
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const images = join(web, "../docs/images");
const binary = resolve(process.argv[2] ?? join(web, "../bin/enilab"));

/** A server of a scenario in a directory of its own, and its URL once it is ready. */
async function serve(scenario) {
  const data = mkdtempSync(join(tmpdir(), "enilab-pictures-"));
  const server = spawn(binary, ["serve", "--listen", "127.0.0.1:0", "--data", data, "--scenario", scenario], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = async () => {
    const gone = new Promise((done) => server.once("exit", done));
    server.kill();
    await gone;
    rmSync(data, { recursive: true });
  };
  let url = "";
  for await (const line of createInterface({ input: server.stdout })) {
    url = line.match(/^enilab is at (.*?)\/?$/)?.[1] ?? url;
    if (line === "Ready.") return { url, stop };
  }
  throw new Error(`${binary} did not start`);
}

async function picture(browser, scenario, theme, file, act) {
  const { url, stop } = await serve(scenario);
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: theme });
  await page.goto(url);
  await page.locator(".packets tbody tr, [role=row]").first().waitFor();
  await act(page);
  await page.screenshot({ path: join(images, file) });
  await page.close();
  await stop();
}

/** Until the chart of the last half minute has something to show. */
const flowing = (page) => page.waitForTimeout(12_000);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
await picture(browser, "demo", "dark", "failover-dark.png", async (page) => {
  await flowing(page);
  await page.keyboard.press("f");
  await page.locator(".record-title .badge.good").waitFor({ timeout: 60_000 });
  await page.waitForTimeout(2_000); // the chart's end, and dots on the new way
});
await picture(browser, "internet", "light", "internet-light.png", flowing);
await browser.close();
