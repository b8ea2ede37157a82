import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, packetRows, patience, type Theme } from "./page.ts";

// The states that the page can be in, each with its picture, without a violation and
// within its width: `make screenshots` keeps the pictures.

let browser: Browser;
let demo: Awaited<ReturnType<typeof lab>>;
let internet: Awaited<ReturnType<typeof lab>>;
const folder = process.env.ENILAB_SHOTS ?? new URL("shots/", import.meta.url).pathname;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  demo = await lab();
  internet = await lab("network");
  browser = await launch();
});

afterAll(async () => {
  await browser.close();
  demo.close();
  internet.close();
});

interface State {
  name: string;
  path?: string;
  of?: "demo" | "internet" | "empty";
  width?: number;
  /** Before the page is opened. */
  prepare?: (page: Page) => Promise<unknown>;
  act?: (page: Page) => Promise<unknown>;
  /** Whatever came of it: others find the lab as it was. */
  after?: (page: Page) => Promise<unknown>;
}

const dock = (tab: string) => async (page: Page) => {
  await page.locator(`#tab-${tab}`).click();
  await page.locator(".dock tbody tr").first().waitFor();
};
const inspect = (tab: string) => async (page: Page) => {
  await page.locator(".chip.served").click();
  await page.locator(`#tab-${tab}`).click();
  await page.locator(`#panel-${tab} > *`).first().waitFor();
};
/** The stream breaks once the page shows something, and every other is refused. */
const away = (page: Page) => {
  let broken = false;
  return page.routeWebSocket(/\/api\/v1\/stream/, (ws) => {
    if (broken) {
      void ws.close({ code: 1011 });
      return;
    }
    const server = ws.connectToServer();
    let heard = 0;
    server.onMessage((m) => {
      ws.send(m);
      if (++heard !== 40) return;
      broken = true;
      void ws.close({ code: 1011 });
    });
  });
};

const states: State[] = [
  { name: "live" },
  { name: "live-900", width: 900 },
  { name: "live-390", width: 390 },
  {
    name: "table-390",
    width: 390,
    act: async (page) => {
      await page.locator(".phone-switch button").last().click();
      await packetRows(page).first().waitFor();
    },
  },
  { name: "live-zoom-200", width: 720 },
  {
    name: "packet",
    act: async (page) => {
      await packetRows(page).nth(2).click();
      await page.locator("section.packet").waitFor();
    },
  },
  {
    name: "flows",
    act: async (page) => {
      await dock("flows")(page);
      await page.locator(".pk-heading").waitFor();
    },
  },
  { name: "events", act: dock("events") },
  { name: "calls", act: dock("calls") },
  { name: "interface", act: inspect("eni") },
  { name: "instance", act: inspect("instance") },
  { name: "network", act: inspect("network") },
  { name: "path", act: inspect("path") },
  {
    name: "build-refused",
    act: async (page) => {
      await page.locator("#tab-build").click();
      await page.locator("[data-kind=host]").click();
      await page.locator(".build-form button[type=submit]").click();
      await page.locator(".field-wrong").first().waitFor();
    },
  },
  {
    name: "move",
    act: async (page) => {
      await page.locator(".chip.served").click();
      await page.keyboard.press("m");
      await page.locator(".menu-item").first().waitFor();
    },
  },
  {
    name: "palette",
    act: async (page) => {
      await page.keyboard.press("Control+k");
      await page.locator(".command-palette [role=option]").first().waitFor();
    },
  },
  {
    name: "keys",
    act: async (page) => {
      await page.keyboard.press("?");
      await page.locator("dialog").waitFor();
    },
  },
  { name: "settings", path: "/settings" },
  { name: "settings-390", path: "/settings", width: 390 },
  { name: "drills", path: "/drills" },
  { name: "captures", path: "/captures" },
  { name: "failovers", path: "/failovers" },
  { name: "internet", of: "internet" },
  {
    name: "empty",
    of: "empty",
    // Another test may have built something.
    prepare: (page) =>
      page.request.put(`${process.env.ENILAB_EMPTY_URL?.replace(/\/$/, "")}/api/v1/scenario`, {
        data: { text: "description: nothing\n", force: true },
      }),
  },
  {
    name: "away",
    prepare: away,
    act: async (page) => {
      await page.locator(".content.is-stale").waitFor();
    },
  },
  {
    name: "paused-traffic",
    prepare: async (page) => {
      await page.request.put(`${demo.url}/api/v1/traffic`, { data: { paused: true } });
    },
    act: (page) => page.locator(".quiet-lab").waitFor(),
    after: (page) => page.request.put(`${demo.url}/api/v1/traffic`, { data: { paused: false } }),
  },
];

const address = (s: State): string => {
  const base =
    s.of === "internet" ? internet.url : s.of === "empty" ? (process.env.ENILAB_EMPTY_URL ?? "") : demo.url;
  return base.replace(/\/$/, "") + (s.path ?? "/live");
};

/** What is there before a state's own doing. */
const begun = (s: State): string =>
  s.path
    ? "main.screen h2"
    : s.of === "empty"
      ? ".empty-lab"
      : (s.width ?? 1440) < 720
        ? ".chip"
        : ".grid-body .row:not([hidden])";

const looks = (["dark", "light"] as Theme[]).flatMap((theme) =>
  ["en", "ko"].map((language) => ({ theme, language })),
);

// All of them with `make screenshots`; otherwise each in both themes, and in one language
// after the other.
const whole = Boolean(process.env.ENILAB_SHOTS);
const shown = (theme: Theme, language: string): State[] =>
  states.filter((_, i) => whole || (i % 2 === 0) === ((theme === "dark") === (language === "en")));

describe.each(looks)("$theme, $language", ({ theme, language }) => {
  it.each(shown(theme, language))("$name", async (s) => {
    if (s.of === "empty" && !process.env.ENILAB_EMPTY_URL) {
      console.warn("SKIPPED: no empty server is named");
      return;
    }
    const page = await browser.newPage({
      viewport: { width: s.width ?? 1440, height: 900 },
      colorScheme: theme,
    });
    page.setDefaultTimeout(patience);
    try {
      await s.prepare?.(page);
      await page.goto(`${address(s)}?lang=${language}`);
      if (s.name !== "paused-traffic") await page.locator(begun(s)).first().waitFor();
      await s.act?.(page);
      await page.screenshot({ path: join(folder, `${s.name}-${theme}-${language}.png`) });
      expect(await axe(page)).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      // The primary action is in reach, whole.
      const boxes = await page.locator(".main-action button").evaluateAll((all) =>
        all.map((b) => {
          const { left, right } = b.getBoundingClientRect();
          return { left, right };
        }),
      );
      for (const { left, right } of boxes) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(s.width ?? 1440);
      }
    } finally {
      await s.after?.(page);
      await page.close();
    }
  });
});
