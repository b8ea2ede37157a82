import type { Detail, Hex, Tree, TreeField, TreeLayer } from "./types.ts";

// A decoded frame as rows of a tree, and which field owns which byte. No framework.

export interface Row {
  /** Layer's place, and the field's behind a dot: stable over frames of one kind. */
  id: string;
  level: 1 | 2;
  name: string;
  value: string;
  /** What it was when it was sent, if it is known and the network has rewritten it. */
  sent: string | null;
  off: number;
  len: number;
  /** Of a layer: whether a field of it was rewritten. */
  changed: boolean;
}

/** The field at the same place of the same layer in another tree. */
function counterpart(other: Tree | undefined, l: TreeLayer, i: number, k: number): TreeField | undefined {
  const layer = other?.layers[i];
  if (layer?.name !== l.name) return undefined;
  const f = layer.fields[k];
  return f?.name === l.fields[k]!.name ? f : undefined;
}

/** The rows that are seen: of layers that are not open the head alone. */
export function rowsOf(ended: Tree, sent: Tree | undefined, open: (layer: string) => boolean): Row[] {
  const rows: Row[] = [];
  ended.layers.forEach((l, i) => {
    const before = l.fields.map((f, k) => {
      const other = counterpart(sent, l, i, k);
      return other && other.value !== f.value ? other.value : null;
    });
    const changed = before.some((b) => b !== null);
    rows.push({
      id: String(i),
      level: 1,
      name: l.name,
      value: headOf(l),
      sent: null,
      off: l.off,
      len: l.len,
      changed,
    });
    if (!open(l.name)) return;
    l.fields.forEach((f, k) => {
      rows.push({
        id: `${i}.${k}`,
        level: 2,
        name: f.name,
        value: f.value,
        sent: before[k]!,
        off: f.off,
        len: f.len,
        changed: before[k] !== null,
      });
    });
  });
  return rows;
}

/** What a layer's head says of it: its ends. */
function headOf(l: TreeLayer): string {
  const of = (name: string): string => l.fields.find((f) => f.name === name)?.value ?? "";
  const [from, to] = [of("source port") || of("source"), of("destination port") || of("destination")];
  return from && to ? `${from} → ${to}` : "";
}

/** The field that owns a byte: of several the shortest, else the layer. */
export function ownerOf(
  tree: Tree,
  byte: number,
): { id: string; layer: string; off: number; len: number } | null {
  let best: { id: string; layer: string; off: number; len: number } | null = null;
  tree.layers.forEach((l, i) => {
    if (byte < l.off || byte >= l.off + l.len) return;
    best ??= { id: String(i), layer: l.name, off: l.off, len: l.len };
    l.fields.forEach((f, k) => {
      if (byte >= f.off && byte < f.off + f.len && f.len <= best!.len) {
        best = { id: `${i}.${k}`, layer: l.name, off: f.off, len: f.len };
      }
    });
  });
  return best;
}

export const bytesOf = (hex: Hex | null): readonly string[] => hex?.hex.match(/../g) ?? [];

/** A byte as the character it stands for, or a dot. */
export function character(byte: string): string {
  const n = Number.parseInt(byte, 16);
  return n >= 0x20 && n < 0x7f ? String.fromCharCode(n) : "·";
}

export interface Difference {
  layer: string;
  field: string;
  a: string;
  b: string;
}

/** The fields in which two frames differ, by the layers' and fields' names. */
export function differences(a: Tree, b: Tree): Difference[] {
  const list = (t: Tree): Map<string, Difference> => {
    const by = new Map<string, Difference>();
    const times = new Map<string, number>();
    for (const l of t.layers)
      for (const f of l.fields) {
        const name = `${l.name}/${f.name}`;
        const n = times.get(name) ?? 0;
        times.set(name, n + 1);
        by.set(`${name}#${n}`, { layer: l.name, field: f.name, a: f.value, b: "" });
      }
    return by;
  };
  const [left, right] = [list(a), list(b)];
  const out: Difference[] = [];
  for (const [key, l] of left) {
    const r = right.get(key);
    if (r?.a !== l.a) out.push({ ...l, b: r?.a ?? "" });
  }
  for (const [key, r] of right) if (!left.has(key)) out.push({ ...r, a: "", b: r.a });
  return out;
}

export const treeOf = (d: Detail | null): Tree | undefined => d?.ended?.tree;
