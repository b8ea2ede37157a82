import { select } from "../app/select.ts";
import * as state from "../app/state.ts";

const node = (id: string): HTMLElement | null => document.getElementById(`n-${id}`);

/** Arrow keys of the tree: up and down in reading order, left to the parent, right to the child. */
export function walk(e: KeyboardEvent, order: string[]): void {
  const current = (e.target as HTMLElement).closest<HTMLElement>("[role=treeitem]");
  if (!current) return;
  const i = order.indexOf(current.id.slice(2));
  if (i < 0) return;
  let next = -1;
  switch (e.key) {
    case "ArrowDown":
      next = i + 1;
      break;
    case "ArrowUp":
      next = i - 1;
      break;
    case "ArrowRight":
      if (level(order[i + 1]) > level(order[i])) next = i + 1;
      break;
    case "ArrowLeft":
      for (next = i - 1; next >= 0 && level(order[next]) >= level(order[i]); next--);
      break;
    case "Home":
      next = 0;
      break;
    case "End":
      next = order.length - 1;
      break;
    case "Enter":
    case " ":
      e.preventDefault();
      e.stopPropagation();
      select(order[i]!);
      return;
    default:
      return;
  }
  e.preventDefault();
  e.stopPropagation();
  const id = order[next];
  if (id === undefined) return;
  roving.current = id;
  node(id)?.focus();
}

const level = (id: string | undefined): number =>
  id ? Number(node(id)?.getAttribute("aria-level") ?? 0) : 0;

/** The one tree item in the tab order: the focused one, else the selected, else the first. */
export const roving = { current: "" };

export function tabIndexOf(id: string, order: string[]): 0 | -1 {
  const wanted =
    roving.current && order.includes(roving.current)
      ? roving.current
      : order.includes(state.selection.value)
        ? state.selection.value
        : order[0];
  return id === wanted ? 0 : -1;
}
