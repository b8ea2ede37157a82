import { batch, effect, signal } from "@preact/signals";
import { get, post } from "../api/client.ts";
import type { Check, Completions } from "./checking.ts";
import * as filter from "./filter.ts";
import { charactersOf } from "./tokens.ts";

// What is being typed: its faults and completions, as the server tells them.

export const draft = signal("");
/** Of the draft; null: it can be read, or nobody has said yet. */
export const fault = signal<filter.Fault | null>(null);
/** How many records the draft would let through; null: not known. */
export const would = signal<{ matched: number; records: number } | null>(null);
export const completions = signal<(Completions & { text: string }) | null>(null);
/** Completions are on their way: those that are there are of an earlier text. */
export const pending = signal(false);

const pauseMs = 120;
let timer = 0;
let due: (() => void) | undefined;
let turn = 0;

// What is in force shows in the bar, unless somebody is typing something else.
let shown = "";
effect(() => {
  const now = filter.asked.value ?? filter.filter.value;
  if (draft.peek() === shown) draft.value = now;
  shown = now;
});
effect(() => {
  const refused = filter.fault.value;
  if (!refused) return;
  draft.value = refused.text;
  fault.value = refused.fault;
});

/** The text or the caret changed; asks once the fingers rest. */
export function typed(text: string, caret: number, complete: boolean): void {
  if (text !== draft.value) {
    draft.value = text;
    fault.value = null;
    would.value = null;
  }
  clearTimeout(timer);
  const mine = ++turn;
  pending.value = complete;
  due = () => {
    due = undefined;
    clearTimeout(timer);
    void ask(text, caret, complete, mine);
  };
  timer = window.setTimeout(due, pauseMs);
}

/** Somebody waits for the completions. */
export const hurry = (): void => due?.();

async function ask(text: string, caret: number, complete: boolean, mine: number): Promise<void> {
  try {
    const at = charactersOf(text, caret);
    const [c, next] = await Promise.all([
      post<Check>("/filters/check", { filter: text }),
      complete
        ? get<Completions>(`/filters/complete?at=${at}&filter=${encodeURIComponent(text)}`)
        : Promise.resolve(null),
    ]);
    if (mine !== turn) return;
    batch(() => {
      pending.value = false;
      if (draft.value !== text) return;
      fault.value = c.error ?? null;
      would.value = c.valid ? { matched: c.matched, records: c.records } : null;
      completions.value = next && { ...next, text };
    });
  } catch {
    // Too long for a completion, or no server: the banner says so, and Enter asks again.
    if (mine !== turn) return;
    batch(() => {
      pending.value = false;
      completions.value = null;
    });
  }
}

export function closeCompletions(): void {
  clearTimeout(timer);
  due = undefined;
  turn++;
  batch(() => {
    pending.value = false;
    completions.value = null;
  });
}

/** Back to what is in force. */
export function restore(): void {
  closeCompletions();
  filter.fault.value = null;
  draft.value = filter.filter.value;
  shown = draft.value;
  fault.value = null;
  would.value = null;
}
