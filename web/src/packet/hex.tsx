// biome-ignore-all lint/a11y/useSemanticElements: a fieldset groups controls, and these are bytes
// biome-ignore-all lint/a11y/useKeyWithMouseEvents: the arrow keys do it for the keyboard
// biome-ignore-all lint/a11y/noNoninteractiveTabindex: arrow keys go from field to field, and it scrolls
import { signal } from "@preact/signals";
import { hovered, selectByte, selected } from "./lit.ts";
import { bytesOf, character, ownerOf } from "./tree.ts";
import type { Hex } from "./types.ts";
import { w } from "./words.ts";

const width = 16;
type Which = "in" | "out";
const which = signal<Which>("out");

/** The bytes of a frame: what is pointed at lights its field, and the field its bytes. */
export function HexView({ ended, sent, length }: { ended: Hex; sent: Hex | null; length: number }) {
  const out = bytesOf(ended);
  const before = bytesOf(sent);
  const bytes = sent && which.value === "in" ? before : out;
  const lit = hovered.value ?? selected.value;
  const tree = ended.tree;
  const at = (e: Event): number => {
    const b = (e.target as HTMLElement).dataset.b;
    return b === undefined ? -1 : Number(b);
  };
  const move = (e: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[e.key];
    if (by === undefined || e.ctrlKey || e.altKey || !tree) return;
    e.preventDefault();
    e.stopPropagation();
    const s = selected.value;
    const from = s ? (by > 0 ? s.off + s.len - 1 : s.off) : by > 0 ? -1 : bytes.length;
    selectByte(tree, Math.min(bytes.length - 1, Math.max(0, from + by)));
  };
  const lines = [];
  for (let i = 0; i < bytes.length; i += width) {
    const line = bytes.slice(i, i + width);
    const style = (k: number): string =>
      `${lit && k >= lit.off && k < lit.off + lit.len ? "lit " : ""}${sent && before[k] !== out[k] ? "rewritten" : ""}`;
    lines.push(
      <div key={i} class="pk-line">
        <span class="pk-off">{i.toString(16).padStart(4, "0")}</span>
        <span>
          {line.map((b, k) => (
            <span key={k} class={`pk-byte ${style(i + k)}`} data-b={i + k}>
              {b}
            </span>
          ))}
        </span>
        <span class="pk-text" aria-hidden="true">
          {line.map((b, k) => (
            <span key={k} class={style(i + k)} data-b={i + k}>
              {character(b)}
            </span>
          ))}
        </span>
      </div>,
    );
  }
  return (
    <div class="pk-hex">
      {sent && (
        <fieldset class="segments">
          <legend class="hidden">{w("hexOf")}</legend>
          {(["in", "out"] as const).map((x) => (
            <button key={x} type="button" aria-pressed={which.value === x} onClick={() => (which.value = x)}>
              {w(x)}
            </button>
          ))}
        </fieldset>
      )}
      <div
        class="pk-bytes"
        role="group"
        aria-label={w("hex")}
        tabIndex={0}
        onKeyDown={move}
        onMouseOver={(e) => {
          const owner = tree && at(e) >= 0 ? ownerOf(tree, at(e)) : null;
          hovered.value = owner && { id: owner.id, off: owner.off, len: owner.len };
        }}
        onMouseLeave={() => (hovered.value = null)}
        onClick={(e) => {
          if (tree && at(e) >= 0) selectByte(tree, at(e));
        }}
      >
        {lines}
      </div>
      {bytes.length < length && (
        <p class="quiet small">{w("cut", { kept: String(bytes.length), length: String(length) })}</p>
      )}
    </div>
  );
}
