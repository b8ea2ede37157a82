// biome-ignore-all lint/a11y/useKeyWithClickEvents: the tree has the keys for all of its items
import { useRef } from "preact/hooks";
import { fold, folded, hovered, selected } from "./lit.ts";
import { type Row, rowsOf } from "./tree.ts";
import type { Hex } from "./types.ts";
import { w } from "./words.ts";

/** The fields of a frame as a tree: each with its bytes lit, and as it was sent where that differs. */
export function Fields({ ended, sent }: { ended: Hex; sent: Hex | null }) {
  const list = useRef<HTMLDivElement>(null);
  const tree = ended.tree;
  if (!tree) return null;
  const rows = rowsOf(tree, sent?.tree, (layer) => !folded.value.has(layer));
  const current = rows.findIndex((r) => r.id === selected.value?.id);
  const focused = Math.max(0, current);
  const go = (i: number): void => {
    const r = rows[Math.min(rows.length - 1, Math.max(0, i))];
    if (!r) return;
    selected.value = { id: r.id, off: r.off, len: r.len };
    // The pointer may rest on another field: what was done last counts.
    hovered.value = null;
    list.current?.querySelector<HTMLElement>(`[data-row="${r.id}"]`)?.focus();
  };
  const parentOf = (i: number): number => {
    while (i > 0 && rows[i]!.level !== 1) i--;
    return i;
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.ctrlKey || e.altKey || e.metaKey) return;
    const r = rows[focused];
    if (!r) return;
    const layer = tree.layers[Number(r.id.split(".")[0])]!.name;
    switch (e.key) {
      case "ArrowDown":
        go(focused + 1);
        break;
      case "ArrowUp":
        go(focused - 1);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(rows.length - 1);
        break;
      case "Backspace":
        go(parentOf(focused));
        break;
      case "ArrowLeft":
        if (r.level === 2) go(parentOf(focused));
        else fold(layer, true);
        break;
      case "ArrowRight":
        if (e.shiftKey) folded.value = new Set();
        else if (r.level === 1 && folded.value.has(layer)) fold(layer, false);
        else go(focused + 1);
        break;
      default:
        return;
    }
    e.preventDefault();
    e.stopPropagation();
  };
  const name = (r: Row): string => tree.layers[Number(r.id)]!.name;
  return (
    <div class={`pk-fields ${sent ? "pairs" : ""}`}>
      {sent && (
        <div class="pk-field-head" aria-hidden="true">
          <span />
          <span>{w("in")}</span>
          <span>{w("out")}</span>
        </div>
      )}
      <div role="tree" aria-label={w("tree")} ref={list} onKeyDown={onKeyDown}>
        {rows.map((r, i) => (
          <div
            key={r.id}
            data-row={r.id}
            role="treeitem"
            aria-level={r.level}
            aria-selected={i === current}
            aria-expanded={r.level === 1 ? !folded.value.has(r.name) : undefined}
            tabIndex={i === focused ? 0 : -1}
            class={`pk-row level-${r.level} ${r.changed ? "changed" : ""} ${i === current ? "selected" : ""}`}
            onMouseEnter={() => (hovered.value = { id: r.id, off: r.off, len: r.len })}
            onMouseLeave={() => (hovered.value = null)}
            onClick={() => {
              if (r.level === 1) fold(name(r), !folded.value.has(name(r)));
              go(i);
            }}
          >
            <span class="pk-name">{r.name}</span>
            {r.level === 1 ? (
              <>
                <span class="pk-summary">{r.value}</span>
                {r.changed && <span class="badge control">{w("changed")}</span>}
              </>
            ) : (
              <>
                {sent && <code class="pk-before">{r.sent ?? r.value}</code>}
                <code class={sent ? (r.changed ? "pk-after" : "pk-same") : ""}>
                  {r.changed && <span class="hidden">{w("out")} </span>}
                  {sent && !r.changed ? "" : r.value}
                </code>
              </>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}
