import { effect, signal } from "@preact/signals";
import { ApiError, get } from "../api/client.ts";
import { keyOf, type Shown, shown } from "./shown.ts";
import type { CapturedDetail, Detail, FrameDetail } from "./types.ts";

// Frames as they are asked for: what was shown stays until the next has come, and those
// beside it are fetched before they are wanted.

const keep = 64;
const fetched = new Map<string, Promise<Detail>>();

/** The frame that has come last; it may be another than the one that is asked for. */
export const detail = signal<Detail | null>(null);
export const failure = signal<{ key: string; status: number; text: string } | null>(null);

async function fetchDetail(s: Shown): Promise<Detail> {
  const key = keyOf(s);
  if (s.kind === "frame") {
    const f = await get<FrameDetail>(key);
    return {
      key,
      title: String(f.cursor),
      at: f.at,
      verdict: f.verdict,
      frame: f,
      captured: null,
      ended: f.ended ?? null,
      sent: f.sent ?? null,
      notes: f.notes,
    };
  }
  const c = await get<CapturedDetail>(key);
  return {
    key,
    title: String(c.number),
    at: c.at,
    verdict: c.verdict,
    frame: null,
    captured: c,
    ended: c.frame,
    sent: null,
    notes: [],
  };
}

function ask(s: Shown): Promise<Detail> {
  const key = keyOf(s);
  let p = fetched.get(key);
  if (p) fetched.delete(key);
  else {
    p = fetchDetail(s);
    // A refusal is not kept: the next time it may be there.
    p.catch(() => fetched.delete(key));
  }
  fetched.set(key, p);
  const first = fetched.keys().next();
  if (fetched.size > keep && !first.done) fetched.delete(first.value);
  return p;
}

/** Fetches frames that are likely wanted next. */
export function prefetch(list: readonly Shown[]): void {
  for (const s of list) ask(s).catch(() => undefined);
}

/** What comes later of a frame's flow is not known when it is new: it is asked again. */
export async function askAgain(s: Shown): Promise<void> {
  fetched.delete(keyOf(s));
  const d = await ask(s);
  const now = shown.peek();
  if (now && keyOf(now) === d.key) detail.value = d;
}

effect(() => {
  const s = shown.value;
  if (!s) {
    detail.value = null;
    failure.value = null;
    return;
  }
  const key = keyOf(s);
  const current = (): boolean => shown.peek() !== null && keyOf(shown.peek()!) === key;
  ask(s).then(
    (d) => {
      if (!current()) return;
      failure.value = null;
      detail.value = d;
    },
    (err: unknown) => {
      if (!current()) return;
      const known = err instanceof ApiError ? err : null;
      failure.value = { key, status: known?.status ?? 0, text: known?.message ?? String(err) };
    },
  );
});
