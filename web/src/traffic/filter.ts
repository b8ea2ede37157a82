import { signal } from "@preact/signals";

// The one filter of the page. The server evaluates it: rows, the map's dots and all
// counts of matches come from there. What is in force is what the server has confirmed.

/** Where and why a filter cannot be read, as the server says; places in characters. */
export interface Fault {
  at: number;
  length: number;
  code: string;
  args: Record<string, string>;
  problem: string;
  hint: string;
}

/** How much the filter let through in the last second. */
export interface Matches {
  perSecond: number;
  /** One of so many is shown. */
  factor: number;
  /** Whether frames without a record may have matched too. */
  partly: boolean;
}

/** In force; "": everything. */
export const filter = signal("");
/** Asked for and not confirmed yet; null: nothing. */
export const asked = signal<string | null>(null);
export const fault = signal<{ text: string; fault: Fault } | null>(null);
export const matches = signal<Matches | null>(null);
/** Filters in force before, for going back and forth. */
const past: string[] = [];
const ahead: string[] = [];

let number = 0;
let send: (n: number, text: string) => void = () => undefined;

/** The session says how a wish goes out. */
export function onWish(fn: (n: number, text: string) => void): void {
  send = fn;
}

/** Asks for a filter; push makes it a step of the browser's history. */
export function apply(text: string, push = true): void {
  const wanted = text.trim();
  if (wanted === (asked.value ?? filter.value)) {
    fault.value = null;
    return;
  }
  if (push) {
    past.push(filter.value);
    ahead.length = 0;
    address(wanted, true);
  }
  asked.value = wanted;
  fault.value = null;
  number++;
  send(number, wanted);
}

/** The filter before, or the one after it; false: there is none. */
export function step(by: -1 | 1): boolean {
  const from = by < 0 ? past : ahead;
  const next = from.pop();
  if (next === undefined) return false;
  (by < 0 ? ahead : past).push(filter.value);
  address(next, true);
  apply(next, false);
  return true;
}

/** What the server says of the filter of a number; true: rows of it follow. */
export function settled(n: number, text: string, wrong: Fault | undefined): boolean {
  // A connection begins with the filter of its address, which has no number.
  if (n !== 0 && n !== number) return false;
  if (n !== 0 || asked.value === text) asked.value = null;
  if (wrong) {
    fault.value = { text, fault: wrong };
    address(filter.value, false);
    return false;
  }
  filter.value = text;
  fault.value = null;
  matches.value = null;
  window_.length = 0;
  return true;
}

/** A new connection began with a filter; what was asked for meanwhile is asked again. */
export function connected(began: string): void {
  if (asked.value !== null && asked.value !== began) send(number, asked.value);
  else if (!began) settled(0, "", undefined);
}

const window_: { ms: number; seen: number; matched: number; shown: number; unseen: number }[] = [];

/** Counts of matches since the last ones. */
export function counted(m: (typeof window_)[number]): void {
  window_.push(m);
  if (window_.length > 4) window_.shift();
  const sum = { ms: 0, matched: 0, shown: 0, unseen: 0 };
  for (const one of window_) {
    sum.ms += one.ms;
    sum.matched += one.matched;
    sum.shown += one.shown;
    sum.unseen += one.unseen;
  }
  matches.value = {
    perSecond: (sum.matched * 1000) / Math.max(1, sum.ms),
    factor: sum.shown > 0 ? Math.round(sum.matched / sum.shown) : 1,
    partly: sum.unseen > 0,
  };
}

/** Puts the filter into the address of the live screen. */
function address(text: string, push: boolean): void {
  if (!/^\/(live)?$/.test(location.pathname)) return;
  const q = new URLSearchParams(location.search);
  if (text) q.set("f", text);
  else q.delete("f");
  const query = q.toString();
  const url = `/live${query ? `?${query}` : ""}`;
  if (push) history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

/** Begins with the filter of the address, and follows the browser's history. */
export function startFilter(): void {
  asked.value = new URLSearchParams(location.search).get("f")?.trim() || null;
  addEventListener("popstate", () => {
    if (!/^\/(live)?$/.test(location.pathname)) return;
    apply(new URLSearchParams(location.search).get("f") ?? "", false);
  });
}
