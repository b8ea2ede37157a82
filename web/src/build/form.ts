import { batch, computed, signal } from "@preact/signals";
import { ApiError } from "../api/client.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { say } from "../ui/announce.ts";
import { toast, toastError } from "../ui/toast.tsx";
import type { Seen, Undo } from "./api.ts";
import type { BuildKey } from "./words.ts";
import { w } from "./words.ts";

// The one open form: what was typed into it, and what the server said of it.

export type Value = string | boolean | string[];
export type Values = Record<string, Value>;

export interface Option {
  value: string;
  label: string;
}

export interface Field {
  name: string;
  label: BuildKey;
  type: "text" | "number" | "select" | "check" | "many";
  options?: (v: Values) => Option[];
  hint?: BuildKey;
  placeholder?: string;
  required?: boolean;
  /** A number that zero and less would not mean. */
  positive?: boolean;
  /** Words that a refusal calls this field, without regard to case. */
  about?: string[];
  shown?: (v: Values) => boolean;
  /** What is wrong with what was typed, as this page can tell; "": nothing. */
  wrong?: (v: Values) => string;
}

export interface Done {
  id: string;
  undo?: Undo;
}

/** What the person stands at: ids of what is selected and of what it belongs to. */
export interface Place {
  vpc: string;
  subnet: string;
  instance: string;
  eni: string;
  group: string;
  table: string;
  acl: string;
  host: string;
}

export interface Kind {
  id: string;
  label: BuildKey;
  fields: (editing: string) => Field[];
  start: (at: Place) => Values;
  /** Values of what there is, to be edited; absent: it cannot be. */
  read?: (id: string) => Values | null;
  save: (v: Values, editing: string, seen: Seen | null) => Promise<Done>;
  /** The resource whose changes by others are noticed. */
  guards?: (v: Values, editing: string) => string;
}

interface Open {
  kind: Kind;
  editing: string;
  seen: Seen | null;
}

export const open = signal<Open | null>(null);
export const values = signal<Values>({});
/** What is wrong, by field; "" is the whole form. */
export const wrong = signal<Readonly<Record<string, string>>>({});
export const sending = signal(false);

const text = (v: Value | undefined): string => (typeof v === "string" ? v.trim() : "");
export const str = (v: Values, name: string): string => text(v[name]);
export const list = (v: Values, name: string): string[] => {
  const x = v[name];
  if (Array.isArray(x)) return x;
  return text(x)
    .split(/[\s,]+/)
    .filter(Boolean);
};
export const yes = (v: Values, name: string): boolean => v[name] === true;

function etagOf(id: string): string {
  const t = state.topology.value;
  const all = [...(t?.securityGroups ?? []), ...(t?.routeTables ?? []), ...(t?.networkAcls ?? [])];
  return all.find((x) => x.id === id)?.etag ?? "";
}

const seenOf = (kind: Kind, v: Values, editing: string): Seen | null => {
  const id = kind.guards?.(v, editing) ?? "";
  const etag = id ? etagOf(id) : "";
  return etag ? { id, etag } : null;
};

/** Somebody else has changed what the open form is about. */
export const conflict = computed(() => {
  const o = open.value;
  return Boolean(o?.seen && etagOf(o.seen.id) !== o.seen.etag);
});

/** Goes on from what there is now; what was typed stays. */
export function lookAgain(): void {
  const o = open.value;
  if (o?.seen) open.value = { ...o, seen: { id: o.seen.id, etag: etagOf(o.seen.id) } };
  wrong.value = {};
}

const drafts = new Map<string, Values>();
const draftKey = (o: Open): string => `${o.kind.id}/${o.editing}`;

export function openForm(kind: Kind, at: Place, editing = ""): void {
  keepDraft();
  const fresh = editing ? kind.read?.(editing) : kind.start(at);
  if (!fresh) return;
  batch(() => {
    // What was typed into this form before it was left is still there.
    values.value = { ...fresh, ...drafts.get(`${kind.id}/${editing}`) };
    wrong.value = {};
    open.value = { kind, editing, seen: seenOf(kind, fresh, editing) };
    state.inspectorTab.value = "build";
    state.inspectorOpen.value = true;
  });
}

const typed = new Set<string>();

/** Remembers what was typed into a form that another takes the place of. */
function keepDraft(): void {
  const o = open.value;
  if (!o || typed.size === 0) return;
  drafts.set(draftKey(o), Object.fromEntries([...typed].map((name) => [name, values.value[name] ?? ""])));
  typed.clear();
}

export function setValue(name: string, value: Value): void {
  typed.add(name);
  values.value = { ...values.value, [name]: value };
  if (wrong.value[name]) wrong.value = { ...wrong.value, [name]: "" };
  const o = open.value;
  const guarded = o?.kind.guards?.(values.value, o.editing);
  if (o && guarded !== undefined && guarded !== (o.seen?.id ?? ""))
    open.value = { ...o, seen: seenOf(o.kind, values.value, o.editing) };
}

export function closeForm(): void {
  const o = open.value;
  if (o) drafts.delete(draftKey(o));
  typed.clear();
  open.value = null;
  wrong.value = {};
}

/** Where a refusal belongs: beside the field that it is about, else to the form. */
export function place(err: unknown, fields: readonly Field[]): Record<string, string> {
  const message = err instanceof Error ? err.message : String(err);
  const said = err instanceof ApiError && err.code ? `${err.code}: ${message}` : message;
  const about = err instanceof ApiError ? err.fields : [];
  const named = (f: Field): string[] => [f.name, ...(f.about ?? [])].map((x) => x.toLowerCase());
  for (const { location, message: own } of about) {
    const last = location.toLowerCase().replace(/\[\d+\]|\.\d+/g, "");
    const parts = last.split(".");
    const f =
      fields.find((x) => named(x).some((n) => last === n || last.endsWith(`.${n}`))) ??
      fields.find((x) => named(x).some((n) => parts.includes(n)));
    // Beside the field its place in the request would only be in the way.
    if (f) return { [f.name]: (err as ApiError).code || !own ? said : own };
  }
  // EC2 says of some parameters only in its text which one is meant.
  const words = new Set(message.toLowerCase().match(/[a-z.]+/g) ?? []);
  const f = fields.find((x) => named(x).some((n) => n.length > 4 && words.has(n)));
  return { [f?.name ?? ""]: said };
}

/** The last change that can be taken back, for whoever comes to it later than the message stays. */
export const undoable = signal<{ what: string; run: () => void } | null>(null);

export function offerUndo(what: string, undo: Undo | undefined): void {
  say(what);
  undoable.value = null;
  if (!undo) {
    toast(what);
    return;
  }
  const run = (): void => {
    // Once: a second time there would be nothing to take back.
    if (undoable.value !== last) return;
    undoable.value = null;
    undo()
      .then(
        () => say(w("undone")),
        (err: unknown) => toastError(err),
      )
      .finally(changed);
  };
  const last = { what, run };
  undoable.value = last;
  toast(what, { label: w("undo"), run });
}

export async function submit(): Promise<void> {
  const o = open.value;
  if (!o || sending.value) return;
  const fields = o.kind.fields(o.editing).filter((f) => f.shown?.(values.value) ?? true);
  const lacking = fields.filter((f) => f.required && list(values.value, f.name).length === 0);
  if (lacking.length > 0) {
    wrong.value = Object.fromEntries(lacking.map((f) => [f.name, w("required")]));
    focusFirst();
    return;
  }
  const unread = fields.filter(
    (f) => f.type === "number" && !/^(-?\d+)?$/.test(str(values.value, f.name).trim()),
  );
  const said = fields.flatMap((f) => {
    const why = f.wrong?.(values.value) ?? "";
    return why ? [[f.name, why] as const] : [];
  });
  const small = fields.filter((f) => f.positive && Number(str(values.value, f.name) || "1") <= 0);
  if (unread.length + small.length + said.length > 0) {
    wrong.value = Object.fromEntries([
      ...said,
      ...small.map((f) => [f.name, w("positive")]),
      ...unread.map((f) => [f.name, w("wholeNumber")]),
    ]);
    focusFirst();
    return;
  }
  sending.value = true;
  wrong.value = {};
  try {
    const done = await o.kind.save(values.value, o.editing, o.seen);
    if (done.id) state.selection.value = done.id;
    const name = [w(o.kind.label), str(values.value, "name")].filter(Boolean).join(" ");
    closeForm();
    offerUndo(w(o.editing ? "saved" : "made", { what: name }), done.undo);
    changed();
  } catch (err) {
    wrong.value = place(err, fields);
    focusFirst();
    changed();
  } finally {
    sending.value = false;
  }
}

function focusFirst(): void {
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>(".build-form [aria-invalid=true]")?.focus(),
  );
}
