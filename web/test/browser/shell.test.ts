import type { Browser, Page, WebSocketRoute } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { axe, lab, launch, open, packetRows, patience } from "./page.ts";

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

const settled = (page: Page) => packetRows(page).first().waitFor();

/** A page whose stream the test can cut, and whose calls it can answer. */
async function held(path = "/live"): Promise<{
  page: Page;
  errors: string[];
  ws: () => WebSocketRoute;
  refuse: (on: boolean) => void;
  refused: () => number;
}> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(patience);
  const errors: string[] = [];
  page.on("pageerror", (e) => errors.push(String(e)));
  let last: WebSocketRoute | undefined;
  let refusing = false;
  let refused = 0;
  await page.routeWebSocket(/\/api\/v1\/stream/, (ws) => {
    if (refusing) {
      refused++;
      void ws.close({ code: 1011 });
      return;
    }
    last = ws;
    ws.connectToServer();
  });
  await page.goto(at.url + path);
  await settled(page);
  return {
    page,
    errors,
    ws: () => last!,
    refuse: (on) => {
      refusing = on;
    },
    refused: () => refused,
  };
}

describe("palette", () => {
  it("finds a screen, a resource by its address and an action, by keys alone", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    await page.keyboard.press("Control+k");
    const field = page.locator(".command-palette input");
    await field.waitFor();
    expect(await axe(page)).toEqual([]);
    await page.keyboard.type("captures");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/captures");
    await page.keyboard.press("Control+k");
    await field.waitFor();
    await page.keyboard.type("192.168.0.42");
    await page.locator(".command-palette [role=option]", { hasText: "eth1" }).first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/live\?sel=eni-/);
    await page.keyboard.press("Control+k");
    await field.waitFor();
    await page.keyboard.type("no such thing at all");
    await page.locator(".command-palette [role=status]", { hasText: "Nothing" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".command-palette").waitFor({ state: "detached" });
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("keys", () => {
  it("go to the settings, and those of one character can be switched off", async () => {
    const { page } = await open(browser, `${at.url}/live`);
    await settled(page);
    await page.keyboard.press("g");
    await page.keyboard.press("s");
    await page.locator("#setting-page").waitFor();
    await page.getByText("Switch off keys of one character").click();
    await page.locator("h2").first().click();
    await page.keyboard.press("g");
    await page.keyboard.press("l");
    await page.keyboard.press("?");
    expect(await page.locator("dialog").count()).toBe(0);
    expect(new URL(page.url()).pathname).toBe("/settings");
    await page.keyboard.press("Control+k");
    await page.locator(".command-palette").waitFor();
    await page.close();
  });

  it("ask before F fails an instance that has no role in a drill, unless it is held", async () => {
    const page = await browser.newPage();
    let failed = 0;
    await page.route("**/api/v1/topology", async (route) => {
      const answer = await route.fetch();
      const t = (await answer.json()) as { instances: { role?: string }[] };
      for (const i of t.instances) delete i.role;
      await route.fulfill({ response: answer, json: t });
    });
    await page.route("**/api/v1/instances/*/fail", (route) => {
      failed++;
      return route.fulfill({ status: 200, json: {} });
    });
    await page.route("**/api/v1/captures", (route) =>
      route.request().method() === "POST"
        ? route.fulfill({ status: 200, json: { id: "cap-1" } })
        : route.continue(),
    );
    await page.goto(`${at.url}/live`);
    await page.locator(".main-action .danger").waitFor();
    await page.keyboard.press("f");
    await page.locator("dialog").waitFor();
    expect(failed).toBe(0);
    await page.keyboard.press("Escape");
    await page.locator("dialog").waitFor({ state: "detached" });
    await page.keyboard.down("f");
    await page.waitForRequest("**/fail");
    await page.keyboard.up("f");
    expect(await page.locator("dialog").count()).toBe(0);
    await page.close();
  });

  it("do nothing to what is not shown", async () => {
    const { page } = await open(browser, `${at.url}/live?region=eu-west-1`);
    await page.locator(".switcher").first().waitFor();
    expect(await page.locator(".main-action .danger").count()).toBe(0);
    let asked = 0;
    page.on("request", (r) => {
      if (r.url().endsWith("/fail")) asked++;
    });
    await page.keyboard.press("f");
    await page.keyboard.press("Control+k");
    await page.locator(".command-palette").waitFor();
    expect(asked).toBe(0);
    await page.close();
  });
});

describe("a lab that is away", () => {
  it("is grey through every try, its numbers look old, and comes back by itself", async () => {
    const { page, errors, ws, refuse, refused } = await held();
    const stage = await page.locator(".stage-cell").boundingBox();
    refuse(true);
    await ws().close({ code: 1011 });
    await page.locator(".content.is-stale").waitFor();
    // Every change of the class from now on is noted: it must not blink at each try.
    await page.evaluate(() => {
      const el = document.querySelector(".content")!;
      const w = window as unknown as { blinks: number };
      w.blinks = 0;
      new MutationObserver(() => {
        if (!el.classList.contains("is-stale")) w.blinks++;
      }).observe(el, { attributes: true, attributeFilter: ["class"] });
    });
    await page.locator(".banner", { hasText: /Reconnecting in \d+ s · last data \d\d:\d\d:\d\d/ }).waitFor();
    expect(await page.locator(".main-action .danger").isDisabled()).toBe(true);
    expect(await page.locator(".rates.old").count()).toBe(1);
    expect(await page.locator(".stage-cell").boundingBox()).toEqual(stage);
    expect(await axe(page)).toEqual([]);
    // A try that is refused at once is over before it can be seen.
    const tries = refused();
    await expect.poll(refused).toBeGreaterThan(tries + 1);
    await page.locator(".banner", { hasText: /in \d+ s/ }).waitFor();
    expect(await page.evaluate("blinks")).toBe(0);
    refuse(false);
    await page.locator(".content:not(.is-stale)").waitFor();
    await page.locator(".link-state.live").waitFor();
    expect(errors).toEqual([]);
    await page.close();
  });

  it("has sent what cannot be read: the page says so and goes on", async () => {
    const { page, errors, ws } = await held();
    for (const broken of ["{", Buffer.from([1, 2, 3]), Buffer.alloc(64, 7)]) {
      ws().send(broken);
      await page.locator(".toast", { hasText: "cannot be read" }).waitFor();
      await page.locator(".toast button.icon").last().click();
      await page.locator(".link-state.live").waitFor();
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  it("speaks another version: the page asks to be read anew", async () => {
    const { page, ws } = await held();
    await ws().close({ code: 4400 });
    await page.locator(".banner[role=alert] button").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.close();
  });

  it("shows less to keep up, and nothing moves for that", async () => {
    const { page, ws } = await held();
    const before = await page.locator(".stage-cell").boundingBox();
    ws().send(JSON.stringify({ type: "reduced", factor: 16 }));
    await page.locator(".link-state .reduced").waitFor();
    expect(await page.locator(".stage-cell").boundingBox()).toEqual(before);
    await page.close();
  });
});

describe("names of others", () => {
  it("turn nothing about, and ten million characters of one push nothing aside", async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.route("**/api/v1/topology", async (route) => {
      const answer = await route.fetch();
      const t = (await answer.json()) as { instances: { name?: string }[]; vpcs: { tags?: object }[] };
      t.instances[0]!.name = "exe.\u202egnp<img src=x onerror=alert(1)>";
      t.instances[1]!.name = "x".repeat(10_000_000);
      t.vpcs[0]!.tags = { Name: "\u202ebal" };
      await route.fulfill({ response: answer, json: t });
    });
    await page.goto(`${at.url}/live`);
    await settled(page);
    const text = await page.locator("#app").innerText();
    expect(text).toContain("exe.?gnp<img");
    expect(text).not.toContain("\u202e");
    expect(text.length).toBeLessThan(20_000);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    await page.close();
  });
});

describe("settings", () => {
  it("begin and end an impairment, and show the line that does the same", async () => {
    const { page, errors } = await open(browser, `${at.url}/settings`);
    const part = page.locator("#setting-impairments");
    await part.locator("form").waitFor();
    await part.getByLabel("Share of frames, 0 to 1").fill("7");
    await part.getByRole("button", { name: "Begin" }).click();
    await part.locator("[aria-invalid=true]").waitFor();
    await part.getByLabel("Share of frames, 0 to 1").fill("0.001");
    expect(await part.locator("form .command code").innerText()).toMatch(
      /^curl http.*\/api\/v1\/impairments -H .*"share":0\.001/,
    );
    await part.getByRole("button", { name: "Begin" }).click();
    await part.locator(".in-force li", { hasText: "0.001" }).waitFor();
    await part.getByRole("button", { name: /^End/ }).first().click();
    await part.locator(".in-force").waitFor({ state: "detached" });
    const attach = page.getByLabel("attach: Median, ms");
    await page.getByRole("button", { name: "All as AWS" }).first().click();
    await page.waitForFunction(
      (el) => (el as HTMLInputElement).value === "5000",
      await attach.elementHandle(),
    );
    await page.getByRole("button", { name: "All as fast" }).click();
    await page.waitForFunction((el) => (el as HTMLInputElement).value === "20", await attach.elementHandle());
    await page.getByLabel("Name", { exact: true }).fill("two words");
    await page.getByRole("button", { name: "Take one" }).click();
    await page.locator("#setting-snapshot-wrong", { hasText: "Letters, digits" }).waitFor();
    expect(errors.filter((e) => !e.includes("422"))).toEqual([]);
    await page.close();
  });

  it("have the document of what differs from AWS", async () => {
    const { page, errors } = await open(browser, `${at.url}/settings/differences`);
    await page.locator(".teach").waitFor();
    expect(await axe(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });
});

describe("lists", () => {
  it("are searched, and keep their columns", async () => {
    const { page, errors } = await open(browser, `${at.url}/live`);
    await settled(page);
    for (const tab of ["events", "calls"]) {
      await page.locator(`#tab-${tab}`).click();
      const search = page.locator(".list-search");
      await search.waitFor();
      await search.fill("nothing has this");
      await page.locator(".empty").waitFor();
      expect([tab, await axe(page)]).toEqual([tab, []]);
      await search.press("Escape");
    }
    expect(errors).toEqual([]);
    await page.close();
  });
});
