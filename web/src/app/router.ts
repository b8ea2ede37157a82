import { batch, computed, effect, signal } from "@preact/signals";
import { inspectorTab, selection } from "./state.ts";

export type Screen =
  | "live"
  | "drills"
  | "learn"
  | "failovers"
  | "captures"
  | "sg"
  | "rtb"
  | "acl"
  | "ask"
  | "packets"
  | "settings";

export const screen = signal<Screen>("live");
/** What of the screen: the drill and its trial of /drills/:name/:trial, the record of /failovers/:id. */
export const ids = signal<readonly string[]>([]);
/** What it is compared with: ?with=. */
export const otherId = signal("");
/** What follows the question mark: of /ask from, to, port and protocol, of /sg/:id the rule. */
export const query = signal("");
/** Whose failure is asked about, in a dialog of its own; "": nobody's. */
export const lossesOf = signal("");
/** The failover record of /failovers/:id, or "". */
export const recordId = computed(() => (screen.value === "failovers" ? (ids.value[0] ?? "") : ""));

const screens: readonly string[] = [
  "drills",
  "learn",
  "failovers",
  "captures",
  "sg",
  "rtb",
  "acl",
  "ask",
  "packets",
  "settings",
];

function read(): void {
  const [, first = "", ...rest] = location.pathname.split("/").map(decodeURIComponent);
  const asked = new URLSearchParams(location.search);
  // Records were below /drills once, and links to them are in people's notes.
  const old = first === "drills" && (rest[0]?.startsWith("fo-") ?? false);
  if (old) history.replaceState(null, "", pathTo("failovers", rest));
  batch(() => {
    screen.value = old ? "failovers" : screens.includes(first) ? (first as Screen) : "live";
    ids.value = screen.value === "live" ? [] : rest.filter(Boolean);
    otherId.value = asked.get("with") ?? "";
    query.value = location.search;
    const sel = asked.get("sel");
    if (sel) {
      selection.value = sel;
      inspectorTab.value = sel.startsWith("i-") ? "instance" : "eni";
    }
  });
}

export const pathTo = (s: Screen, of: readonly string[], other = ""): string =>
  `/${[s, ...of].map(encodeURIComponent).join("/")}${other ? `?with=${encodeURIComponent(other)}` : ""}`;

export const pathOf = (s: Screen, id = ""): string => pathTo(s, id ? [id] : []);

export function go(s: Screen, of: readonly string[] = [], other = ""): void {
  const path = pathTo(s, of, other);
  if (path === location.pathname + location.search) return;
  history.pushState(null, "", path);
  batch(() => {
    screen.value = s;
    ids.value = of;
    otherId.value = other;
    query.value = location.search;
  });
}

/** Goes to a path of the page with what follows its question mark. */
export function goTo(path: string): void {
  if (path !== location.pathname + location.search) history.pushState(null, "", path);
  read();
}

/** Follows a link inside the page, unless a modifier asks for a new tab. */
export function inPage(e: MouseEvent, path: string): void {
  if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
  e.preventDefault();
  goTo(path);
}

/** The editor of a group, a table or an ACL; of a group with one rule, or with one to be added in the draft. */
export const rulesPath = (id: string, asked: Readonly<Record<string, string>> = {}): string =>
  `/${id.slice(0, id.indexOf("-"))}/${encodeURIComponent(id)}${tail(asked)}`;

/** Could one reach the other? */
export const askPath = (asked: { from?: string; to?: string; port?: string; protocol?: string }): string =>
  `/ask${tail(asked)}`;

function tail(asked: Readonly<Record<string, string | undefined>>): string {
  const q = new URLSearchParams();
  for (const [key, value] of Object.entries(asked)) if (value) q.set(key, value);
  const text = q.toString();
  return text && `?${text}`;
}

/** A link that stays inside the page unless a modifier asks for a new tab. */
export const followInto = (e: MouseEvent, s: Screen, of: readonly string[]): void => inPage(e, pathTo(s, of));

export const follow = (e: MouseEvent, s: Screen, id = ""): void => followInto(e, s, id ? [id] : []);

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
