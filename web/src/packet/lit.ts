import { signal } from "@preact/signals";
import { ownerOf } from "./tree.ts";
import type { Tree } from "./types.ts";

/** The field that is lit, by its row's id, and the bytes that it has. */
export interface Lit {
  id: string;
  off: number;
  len: number;
}

/** What is pointed at, else what is selected. */
export const hovered = signal<Lit | null>(null);
export const selected = signal<Lit | null>(null);
/** Layers that are folded, by name: they stay so from frame to frame. */
export const folded = signal<ReadonlySet<string>>(new Set());

export function fold(layer: string, closed: boolean): void {
  const next = new Set(folded.value);
  if (closed) next.add(layer);
  else next.delete(layer);
  folded.value = next;
}

/** Selects the field that owns a byte, in a layer that is then open. */
export function selectByte(tree: Tree, byte: number): void {
  const owner = ownerOf(tree, byte);
  if (!owner) return;
  fold(owner.layer, false);
  selected.value = { id: owner.id, off: owner.off, len: owner.len };
  hovered.value = null;
}
