// The page against a real server, measured in Chromium: frames a second, script time,
// heap, event to pixel, bytes. Run by `make bench-web`; web/scripts/bench.sh starts it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { scenario } from "./scenario.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "600" },
    rates: { type: "string", default: "1000,10000,50000" },
    enis: { type: "string", default: "1000,10000" },
    busy: { type: "string", default: "10000" },
  },
});
const bin = positionals[0];
const seconds = Number(values.seconds);
const numbers = (s) => s.split(",").map(Number);

// Each rate with few interfaces, each number of interfaces at one rate.
const rows = [
  ...numbers(values.rates).map((rate) => ({ enis: 20, rate })),
  ...numbers(values.enis).map((enis) => ({ enis, rate: Number(values.busy) })),
];

/** Budgets of the specification; null: none is set. */
const budgets = [
  ["first traffic, ms", (r) => r.first, (v) => v <= 1500, "≤ 1500"],
  ["frames/s", (r) => r.fps, (v, r) => v >= (r.rate > 10_000 ? 30 : 55), "≥ 55, at 50,000/s ≥ 30"],
  ["p95 frame, ms", (r) => r.p95, (v) => v <= 20, "≤ 20"],
  ["script, ms/s", (r) => r.script, (v) => v <= 150, "≤ 150"],
  ["heap, MB", (r) => r.heap, (v) => v <= 60, "≤ 60"],
  ["heap grown, MB", (r) => r.grown, (v) => v <= 5, "flat"],
  ["event to pixel p95, ms", (r) => r.pixel, (v) => v <= 150, "≤ 150"],
  ["received, kB/s", (r) => r.bytes, () => null, ""],
  ["topology, kB", (r) => r.topology, () => null, ""],
];

async function serve(enis, rate) {
  const dir = mkdtempSync(join(tmpdir(), "enilab-bench-"));
  const file = join(dir, "scenario.yaml");
  writeFileSync(file, scenario(enis, rate));
  const child = spawn(bin, ["serve", "--listen", "127.0.0.1:0", "--data", join(dir, "data"), "--scenario", file]);
  const url = await new Promise((resolve, reject) => {
    let out = "";
    let at = "";
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${out}`)));
    child.stderr.on("data", (d) => {
      out += d;
    });
    child.stdout.on("data", (d) => {
      out += d;
      at = /^enilab is at (.*?)\/?$/m.exec(out)?.[1] ?? at;
      if (/^Ready\.$/m.test(out)) resolve(at);
    });
  });
  return {
    url,
    async stop() {
      child.removeAllListeners("exit");
      const gone = new Promise((done) => child.on("exit", done));
      child.kill();
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs in the page before anything else: notes each painted frame, and when the newest record got onto the screen. */
function watch() {
  const seen = { frames: [], pixels: [], first: 0 };
  window.__bench = seen;
  let last = 0;
  const frame = (now) => {
    if (last) seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  let shown = "";
  // The time of a row is the event's, on the same machine's clock.
  setInterval(() => {
    const row = document.querySelector(".grid-body .row:not([hidden])");
    const cell = /(\d\d):(\d\d):(\d\d)\.(\d{6})/.exec(row?.textContent ?? "");
    if (!cell || cell[0] === shown) return;
    shown = cell[0];
    seen.first ||= performance.now();
    const d = new Date();
    const at = d.setHours(Number(cell[1]), Number(cell[2]), Number(cell[3]), Number(cell[4]) / 1000);
    const late = Date.now() - at;
    if (late >= 0 && late < 60_000) seen.pixels.push(late);
  }, 8);
}

const quantile = (list, q) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};

async function measure({ enis, rate }) {
  const server = await serve(enis, rate);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc", "--enable-precise-memory-info"],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const errors = [];
    page.on("pageerror", (e) => errors.push(String(e)));
    let bytes = 0;
    let topology = 0;
    page.on("websocket", (ws) => ws.on("framereceived", (f) => (bytes += f.payload.length)));
    page.on("response", async (r) => {
      if (r.url().endsWith("/api/v1/topology")) topology = (await r.body().catch(() => "")).length;
    });
    await page.addInitScript(watch);
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Performance.enable");
    await page.goto(`${server.url}/live`);
    await page.locator(".tree").waitFor({ timeout: 120_000 });
    await page.waitForFunction(() => window.__bench.first > 0, undefined, { timeout: 120_000 });
    const first = await page.evaluate(() => window.__bench.first);
    // What loading leaves behind is not what running costs.
    await page.waitForTimeout(5000);
    const metric = async (name) =>
      (await cdp.send("Performance.getMetrics")).metrics.find((m) => m.name === name)?.value ?? Number.NaN;
    const heap = async () => {
      await cdp.send("HeapProfiler.collectGarbage");
      return (await metric("JSHeapUsedSize")) / 1e6;
    };
    const before = { heap: await heap(), script: await metric("ScriptDuration"), at: Date.now(), bytes };
    await page.evaluate(() => {
      window.__bench.frames.length = 0;
      window.__bench.pixels.length = 0;
    });
    await page.waitForTimeout(seconds * 1000);
    const passed = (Date.now() - before.at) / 1000;
    const got = await page.evaluate(() => ({ frames: window.__bench.frames, pixels: window.__bench.pixels }));
    const script = ((await metric("ScriptDuration")) - before.script) * 1000;
    const received = bytes - before.bytes;
    const after = await heap();
    const counted = await page.evaluate(() => document.querySelector(".topbar")?.textContent ?? "");
    return {
      enis,
      rate,
      counted,
      first,
      fps: got.frames.length / passed,
      p95: quantile(got.frames, 0.95),
      script: script / passed,
      heap: after,
      grown: after - before.heap,
      pixel: quantile(got.pixels, 0.95),
      bytes: received / passed / 1000,
      topology: topology / 1000,
      errors,
    };
  } finally {
    await browser.close();
    await server.stop();
  }
}

const version = execFileSync(bin, ["version"], { encoding: "utf8" }).trim().split("\n")[0];
console.log(`${version}; ${seconds} s a row; ${cpus().length} × ${cpus()[0]?.model.trim()}; load ${loadavg()[0].toFixed(1)}\n`);
const results = [];
for (const row of rows) {
  const r = await measure(row);
  if (r.errors.length > 0) throw new Error(`the page failed: ${r.errors[0]}`);
  results.push(r);
}
const table = [
  ["", ...results.map((r) => `${r.rate}/s, ${r.enis} ENIs`), "budget"],
  ...budgets.map(([name, of, holds, budget]) => [
    name,
    ...results.map((r) => {
      const v = of(r);
      const text = v >= 100 ? v.toFixed(0) : v.toFixed(1);
      return holds(v, r) === false ? `**${text}**` : text;
    }),
    budget,
  ]),
];
console.log(`| ${table[0].join(" | ")} |\n|${"---|".repeat(table[0].length)}`);
for (const line of table.slice(1)) console.log(`| ${line.join(" | ")} |`);
console.log(`\nBold: outside its budget. Load at the end: ${loadavg()[0].toFixed(1)}.`);
