import { batch, computed, effect, signal } from "@preact/signals";
import { ApiError, post } from "../api/client.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { offerUndo } from "../build/form.ts";
import { diff, drafted, isEmpty, rebase } from "./changes.ts";
import { hints, isMistake, wrong } from "./check.ts";
import { fromText, type KindId, type Row, same, type TextError, toText } from "./rows.ts";
import { save as saveDiff } from "./save.ts";
import { etagNow, nameOf, rowsNow } from "./there.ts";
import type { Effects } from "./types.ts";
import { w } from "./words.ts";

// The draft that is open: of one security group, route table or network ACL. It is
// kept when another is opened, and over a reload of the page.

interface Open {
  kind: KindId;
  id: string;
  /** What the draft began with, and its etag. */
  base: readonly Row[];
  etag: string;
}

export const open = signal<Open | null>(null);
export const rows = signal<readonly Row[]>([]);
/** The JSON text while it is edited; null: it is what the rows say. */
export const text = signal<string | null>(null);
export const textError = signal<TextError | null>(null);
export const effects = signal<Effects | null>(null);
/** What the server refuses of the draft, and the row that it is about, -1 for none. */
export const refused = signal<{ message: string; row: number } | null>(null);
export const asking = signal(false);
export const saving = signal(false);
export const seconds = signal(10);

export const shownText = computed(
  () => text.value ?? (open.value ? toText(open.value.kind, rows.value) : ""),
);
export const changes = computed(() =>
  open.value ? diff(open.value.kind, open.value.base, rows.value) : { added: [], removed: [], changed: [] },
);
export const dirty = computed(() => !isEmpty(changes.value) || text.value !== null);
export const wrongs = computed(() => rows.value.map((r) => (open.value ? wrong(open.value.kind, r) : {})));
export const hintsOf = computed(() => (open.value ? hints(open.value.kind, rows.value) : new Map()));
/** Whether the draft could be saved, as far as the page can tell. */
export const sound = computed(
  () =>
    textError.value === null &&
    wrongs.value.every((x) => Object.keys(x).length === 0) &&
    ![...hintsOf.value.values()].some(isMistake),
);

/** What somebody else has made of it meanwhile; null: nothing. */
export const theirs = computed<readonly Row[] | null>(() => {
  const o = open.value;
  if (!o || saving.value || !state.topology.value) return null;
  const now = etagNow(o.kind, o.id);
  if (now === o.etag) return null;
  return now === "" ? [] : rowsNow(o.kind, o.id);
});
export const gone = computed(() => {
  const o = open.value;
  return Boolean(o && state.topology.value && etagNow(o.kind, o.id) === "");
});

const stored = (id: string): string => `draft:${id}`;
const recall = (id: string): { etag: string; base: Row[]; rows: Row[]; text: string | null } | null => {
  try {
    return JSON.parse(sessionStorage.getItem(stored(id)) ?? "null");
  } catch {
    return null; // of another version of the page
  }
};

/** Opens what there is of an id, with the draft that was left of it. */
export function openDraft(kind: KindId, id: string): boolean {
  if (open.value?.id === id) return true;
  const etag = etagNow(kind, id);
  const left = recall(id);
  if (!etag && !left) return false;
  batch(() => {
    open.value = left
      ? { kind, id, base: left.base, etag: left.etag }
      : { kind, id, base: rowsNow(kind, id), etag };
    rows.value = left?.rows ?? open.value.base;
    text.value = null;
    textError.value = null;
    if (left?.text) setText(left.text);
    effects.value = null;
    refused.value = null;
  });
  return true;
}

effect(() => {
  const o = open.value;
  if (!o) return;
  if (dirty.value)
    sessionStorage.setItem(
      stored(o.id),
      JSON.stringify({ etag: o.etag, base: o.base, rows: rows.value, text: text.value }),
    );
  else sessionStorage.removeItem(stored(o.id));
});

// What nobody has begun to change follows what there is.
effect(() => {
  const [o, now] = [open.value, theirs.value];
  if (!o || !now || dirty.value || gone.value) return;
  startFrom(now, now);
});

function startFrom(base: readonly Row[], mine: readonly Row[]): void {
  const o = open.value;
  if (!o) return;
  batch(() => {
    open.value = { ...o, base, etag: etagNow(o.kind, o.id) };
    rows.value = mine;
    text.value = null;
    textError.value = null;
  });
}

export function setCell(row: number, column: string, value: string): void {
  setRows(rows.value.map((r, i) => (i === row ? { ...r, [column]: value } : r)));
}

export function setRows(next: readonly Row[]): void {
  batch(() => {
    rows.value = next;
    text.value = null;
    textError.value = null;
  });
}

export function setText(next: string): void {
  const o = open.value;
  if (!o) return;
  const read = fromText(o.kind, next, o.base);
  batch(() => {
    text.value = next;
    if (Array.isArray(read)) {
      rows.value = read;
      textError.value = null;
    } else textError.value = read;
  });
}

/** Ends the edit of the text: what could be read of it is in the rows. */
export function leaveText(): void {
  if (textError.value === null) text.value = null;
}

export function revert(): void {
  const o = open.value;
  if (!o) return;
  const [before, typed] = [rows.value, text.value];
  const now = gone.value ? o.base : rowsNow(o.kind, o.id);
  startFrom(now, now);
  offerUndo(w("reverted"), async () => {
    setRows(before);
    if (typed !== null) setText(typed);
  });
}

/** Goes on from what they have saved, with my changes put on top of it. */
export function rebaseDraft(): void {
  const [o, now] = [open.value, theirs.value];
  if (o && now) startFrom(now, rebase(o.kind, o.base, rows.value, now));
}

let timer = 0;
let asked = 0;

/** What-if of the draft, once nothing has been typed for a moment. */
export function askSoon(): () => void {
  return effect(() => {
    const [o, d, ok, back] = [open.value, changes.value, sound.value, seconds.value];
    clearTimeout(timer);
    if (!o || isEmpty(d) || !ok || gone.value) {
      asked++;
      batch(() => {
        effects.value = null;
        refused.value = null;
        asking.value = false;
      });
      return;
    }
    asking.value = true;
    timer = window.setTimeout(() => void ask(o, back), askAfterMs);
  });
}

const askAfterMs = 250;

async function ask(o: Open, back: number): Promise<void> {
  const mine = ++asked;
  const all = drafted(o.kind, o.id, changes.value);
  try {
    const got =
      all.length === 0
        ? null
        : await post<Effects>("/what-if", { changes: all.map((x) => x.change), seconds: back });
    if (mine !== asked) return;
    batch(() => {
      effects.value = got;
      refused.value = null;
    });
  } catch (err) {
    if (mine !== asked) return;
    const message = err instanceof Error ? err.message : String(err);
    // The server names the change; people know it by its row.
    const at = /body\.changes\[(\d+)\]/.exec(message);
    const row = at ? all[Number(at[1])]?.row : undefined;
    batch(() => {
      effects.value = null;
      refused.value = { message: said(message), row: row ? rows.value.indexOf(row) : -1 };
    });
  } finally {
    if (mine === asked) asking.value = false;
  }
}

const said = (message: string): string =>
  message
    .split("; ")
    .filter((x) => !x.endsWith("EC2 would refuse this change"))
    .join("; ")
    .replace(/^body\.changes\[\d+\]:? ?/, "");

export async function save(): Promise<boolean> {
  const o = open.value;
  if (!o || saving.value) return false;
  saving.value = true;
  try {
    const undo = await saveDiff(o.kind, { id: o.id, etag: o.etag }, changes.value);
    sessionStorage.removeItem(stored(o.id));
    batch(() => {
      // Until the page has heard of it, what was saved stands for what there is.
      open.value = null;
      saving.value = false;
    });
    changed();
    offerUndo(w("saved", { name: nameOf(o.kind, o.id) }), undo);
    return true;
  } catch (err) {
    // That it was changed meanwhile is seen, and both versions shown, once the page has it.
    const message = err instanceof Error ? err.message : String(err);
    if (!(err instanceof ApiError && err.status === 412)) refused.value = { message, row: -1 };
    changed();
    return false;
  } finally {
    saving.value = false;
  }
}

/** Rows that both have, mine alone and theirs alone, for the two versions side by side. */
export const isIn = (kind: KindId, r: Row, list: readonly Row[]): boolean =>
  list.some((o) => same(kind, o, r));
