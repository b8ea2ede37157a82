import { computed, signal } from "@preact/signals";
import type { Key } from "../i18n/en.ts";

// The table's columns: which are shown, in which order and how wide. The browser
// remembers them, and the address has them for whoever gets the link.

export const columnIds = [
  "no",
  "time",
  "source",
  "destination",
  "proto",
  "ports",
  "length",
  "verdict",
  "rule",
  "eni",
  "hop",
] as const;

export type ColumnId = (typeof columnIds)[number];

const widths: Readonly<Record<ColumnId, number>> = {
  no: 50,
  time: 110,
  source: 100,
  destination: 100,
  proto: 52,
  ports: 130,
  length: 36,
  verdict: 76,
  rule: 88,
  eni: 80,
  hop: 64,
};

export const minWidth = 36;
const maxWidth = 600;

export interface Column {
  id: ColumnId;
  width: number;
}

const standard: readonly Column[] = columnIds.map((id) => ({ id, width: widths[id] }));

export const heading = (id: ColumnId): Key => `packets.${id}` as Key;

/** "no,time:140,source"; null: nothing of it is a column. */
export function readColumns(text: string | null): Column[] | null {
  const out: Column[] = [];
  for (const part of text?.split(",") ?? []) {
    const [id, width] = part.split(":") as [ColumnId, string | undefined];
    if (!columnIds.includes(id) || out.some((c) => c.id === id)) continue;
    const n = Number(width);
    out.push({
      id,
      width: width && Number.isFinite(n) ? Math.min(maxWidth, Math.max(minWidth, n)) : widths[id],
    });
  }
  return out.length > 0 ? out : null;
}

export const writeColumns = (all: readonly Column[]): string =>
  all.map((c) => (c.width === widths[c.id] ? c.id : `${c.id}:${Math.round(c.width)}`)).join(",");

const stored = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // a browser that keeps nothing
  }
};

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It is kept for this page only.
  }
}

const query = new URLSearchParams(location.search);

export const columns = signal<readonly Column[]>(
  readColumns(query.get("cols")) ?? readColumns(stored("packets.columns")) ?? standard,
);
/** Times of the clock, or seconds from the selected row. */
export const relative = signal((query.get("time") ?? stored("packets.time")) === "rel");

export const template = computed(() =>
  // The last has what is left over.
  columns.value
    .map((c, i, all) => (i < all.length - 1 ? `${c.width}px` : `minmax(${c.width}px, 1fr)`))
    .join(" "),
);
export const tableWidth = computed(() => columns.value.reduce((sum, c) => sum + c.width + 6, 18));

/** The address says what differs from the standard. */
function address(): void {
  const q = new URLSearchParams(location.search);
  const now = writeColumns(columns.value);
  if (now === writeColumns(standard)) q.delete("cols");
  else q.set("cols", now);
  if (relative.value) q.set("time", "rel");
  else q.delete("time");
  const text = q.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
}

function change(next: readonly Column[]): void {
  columns.value = next;
  store("packets.columns", writeColumns(next));
  address();
}

export function setRelative(on: boolean): void {
  relative.value = on;
  store("packets.time", on ? "rel" : "abs");
  address();
}

export const shows = (id: ColumnId): boolean => columns.value.some((c) => c.id === id);

/** Shows or hides a column; the last one stays. */
export function toggle(id: ColumnId): void {
  const now = columns.value;
  if (!shows(id)) {
    // Where it stands in the standard order.
    const before = columnIds.slice(columnIds.indexOf(id) + 1).find(shows);
    const at = before ? now.findIndex((c) => c.id === before) : now.length;
    change([...now.slice(0, at), { id, width: widths[id] }, ...now.slice(at)]);
  } else if (now.length > 1) change(now.filter((c) => c.id !== id));
}

export function move(id: ColumnId, by: -1 | 1): void {
  const now = [...columns.value];
  const i = now.findIndex((c) => c.id === id);
  const j = i + by;
  if (i < 0 || j < 0 || j >= now.length) return;
  [now[i], now[j]] = [now[j]!, now[i]!];
  change(now);
}

export function resize(id: ColumnId, width: number): void {
  change(
    columns.value.map((c) =>
      c.id === id ? { id, width: Math.min(maxWidth, Math.max(minWidth, Math.round(width))) } : c,
    ),
  );
}

export const reset = (): void => {
  change(standard);
  setRelative(false);
};
