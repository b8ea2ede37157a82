import { batch, effect, signal } from "@preact/signals";
import { inspectorTab, selection } from "./state.ts";

export type Screen = "live" | "drills" | "captures";

export const screen = signal<Screen>("live");
/** The failover record of /drills/:id, or "". */
export const drillId = signal("");

function read(): void {
  const [, first = "", second = ""] = location.pathname.split("/");
  batch(() => {
    screen.value = first === "drills" || first === "captures" ? first : "live";
    drillId.value = first === "drills" ? decodeURIComponent(second) : "";
    const sel = new URLSearchParams(location.search).get("sel");
    if (sel) {
      selection.value = sel;
      inspectorTab.value = sel.startsWith("i-") ? "instance" : "eni";
    }
  });
}

export const pathOf = (s: Screen, id = ""): string => `/${s}${id ? `/${encodeURIComponent(id)}` : ""}`;

export function go(s: Screen, id = ""): void {
  if (screen.value === s && drillId.value === id) return;
  history.pushState(null, "", pathOf(s, id));
  batch(() => {
    screen.value = s;
    drillId.value = id;
  });
}

/** A link that stays inside the page unless a modifier asks for a new tab. */
export function follow(e: MouseEvent, s: Screen, id = ""): void {
  if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
  e.preventDefault();
  go(s, id);
}

export function startRouter(): void {
  read();
  addEventListener("popstate", read);
  // The selection is part of the address but not a step of the history.
  effect(() => {
    const sel = selection.value;
    if (screen.value !== "live") return;
    const q = new URLSearchParams(location.search);
    if (sel) q.set("sel", sel);
    else q.delete("sel");
    const query = q.toString();
    history.replaceState(null, "", `/live${query ? `?${query}` : ""}`);
  });
}
