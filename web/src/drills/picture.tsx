import { h, type VNode } from "preact";
import { useMemo } from "preact/hooks";
import { type Key, t, word } from "../i18n/i18n.ts";
import type { Picture } from "./types.ts";

// The server draws what the report shows, as SVG. Of it only shapes and texts are
// taken over, element by element: what is no picture does not come through.

const elements = new Set(["svg", "g", "rect", "line", "circle", "path", "text", "title"]);
const attributes = new Set(
  [
    "viewBox",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "width",
    "height",
    "rx",
    "cx",
    "cy",
    "r",
    "d",
    "class",
  ].concat("text-anchor", "transform"),
);

/** The words of the pictures' axes, in the page's language. */
function translated(text: string): string {
  const [, title, legend] = /^(.*): (bar from p50 to p99.*)$/.exec(text) ?? [];
  if (title && legend) return `${named(title)}: ${t("picture.legend")}`;
  return named(text);
}

const fixed: Readonly<Record<string, Key>> = {
  runs: "picture.runs",
  steps: "picture.steps",
  "as the file says": "strategy.file",
  "not measured": "failover.notMeasured",
  "not concerned": "picture.notConcerned",
};

function named(text: string): string {
  const [, side, rest] = /^([AB]): (.*)$/.exec(text) ?? [];
  if (side && rest) return `${side}: ${named(rest)}`;
  const [, client] = /^outage of (.*)$/.exec(text) ?? [];
  if (client) return t("picture.outageOf", { client });
  const key = fixed[text];
  if (key) return t(key);
  for (const prefix of ["phase", "failover.strategy", "metric"]) {
    const known = word(prefix, text);
    if (known !== text) return known;
  }
  return text;
}

function adopt(node: Element): VNode | null {
  const name = node.localName;
  if (!elements.has(name)) return null;
  const props: Record<string, string> = {};
  for (const a of node.attributes) if (attributes.has(a.name)) props[a.name] = a.value;
  if (name === "svg") {
    props.role = "img";
    props["aria-label"] = node.getAttribute("aria-label") ?? "";
  }
  if (name === "text") return h(name, props, translated(node.textContent ?? ""));
  if (name === "title") return h(name, props, node.textContent ?? "");
  return h(name, props, ...[...node.children].map(adopt));
}

/** One picture of the report. */
export function Drawn({ picture: p, label }: { picture: Picture; label: string }) {
  const drawn = useMemo(() => {
    const root = new DOMParser().parseFromString(
      p.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '),
      "image/svg+xml",
    ).documentElement;
    root.setAttribute("aria-label", label);
    return root.localName === "svg" ? adopt(root) : null;
  }, [p.svg, label]);
  return (
    // Where it is wider than the screen it scrolls, by keyboard too.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it a keyboard cannot scroll
    <figure class={`picture ${p.kind}`} aria-label={label} tabIndex={0}>
      {drawn}
    </figure>
  );
}

/** What a picture is of. */
export function pictureLabel(p: Picture): string {
  switch (p.kind) {
    case "histogram":
      return t("picture.histogram", { metric: word("metric", p.metric ?? "") });
    case "timeline":
      return t("picture.timeline", { run: p.run ?? 0 });
    case "client":
      return t("picture.outageOf", { client: p.client ?? "" });
    default:
      return t("picture.comparison", { metric: word("metric", p.metric ?? "") });
  }
}
