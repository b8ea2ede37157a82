import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

// Holds tokens.css to its promises: contrast (WCAG 2.2) and distance between the
// verdicts under the Machado 2009 simulations of colour blindness.

const css = readFileSync(new URL("../../src/ui/tokens.css", import.meta.url), "utf8");

function tokens(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`no ${selector} in tokens.css`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((m) => [m[1]!, m[2]!]));
}

const themes = {
  dark: tokens(':root[data-theme="dark"]'),
  light: tokens(':root[data-theme="light"]'),
};

type RGB = [number, number, number];

const linear = (hex: string): RGB =>
  [1, 3, 5].map((i) => {
    const v = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as RGB;

const luminance = (hex: string): number => {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a: string, b: string): number => {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
};

const simulations: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

const seen = ([r, g, b]: RGB, m: number[]): RGB =>
  [0, 3, 6].map((i) => Math.min(1, Math.max(0, m[i]! * r + m[i + 1]! * g + m[i + 2]! * b))) as RGB;

function oklab([r, g, b]: RGB): RGB {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const distance = (a: string, b: string, m: number[]): number => {
  const [p, q] = [oklab(seen(linear(a), m)), oklab(seen(linear(b), m))];
  return 100 * Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
};

const verdicts = ["accept", "reject", "lost", "control", "good"];

describe.each(Object.entries(themes))("%s", (_name, c) => {
  const grounds = [c.bg!, c.surface!, c.raised!];

  it.each(["text", "muted", ...verdicts, "vpc", "az", "subnet", "instance"])(
    "%s reads on every ground",
    (token) => {
      for (const ground of grounds) expect(contrast(c[token]!, ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(["edge", "focus"])("%s is visible on every ground", (token) => {
    for (const ground of grounds) expect(contrast(c[token]!, ground)).toBeGreaterThanOrEqual(3);
  });

  it.each(["accept", "danger", "lost", "reject"])("text reads on a fill of %s", (token) => {
    expect(contrast(c["on-fill"]!, c[token]!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.entries(simulations))("verdicts differ: %s", (_kind, matrix) => {
    for (let i = 0; i < verdicts.length; i++) {
      for (let j = i + 1; j < verdicts.length; j++) {
        const [a, b] = [verdicts[i]!, verdicts[j]!];
        expect([a, b, distance(c[a]!, c[b]!, matrix) >= 8]).toEqual([a, b, true]);
      }
    }
  });
});

it("the system's light theme is the chosen light theme", () => {
  expect(tokens(":root:not([data-theme])")).toEqual(themes.light);
});
