import { select } from "../app/select.ts";
import { levels, picture, reveal, roving, walkOrder } from "./sight.ts";

const node = (id: string): HTMLElement | null => document.getElementById(`n-${id}`);

/** The place in a list from which the keyboard goes on: how deep each id is, and where it is now. */
export function nextOf(
  key: string,
  order: readonly string[],
  i: number,
  level: (id: string | undefined) => number,
): number {
  let next = -1;
  switch (key) {
    case "ArrowDown":
      return i + 1;
    case "ArrowUp":
      return i - 1;
    case "ArrowRight":
      return level(order[i + 1]) > level(order[i]) ? i + 1 : -1;
    case "ArrowLeft":
      for (next = i - 1; next >= 0 && level(order[next]) >= level(order[i]); next--);
      return next;
    case "Home":
      return 0;
    case "End":
      return order.length - 1;
    default:
      return -1;
  }
}

const level = (id: string | undefined): number => (id ? (levels.value.get(id) ?? 0) : 0);

/** Arrow keys of the tree: up and down in reading order, left to the parent, right to the child. */
export function walk(e: KeyboardEvent): void {
  const current = (e.target as HTMLElement).closest<HTMLElement>("[role=treeitem]");
  if (!current || e.ctrlKey || e.metaKey || e.altKey) return;
  const here = current.id.slice(2);
  if (e.key === "Enter" || e.key === " ") {
    e.preventDefault();
    e.stopPropagation();
    select(here);
    return;
  }
  if (!/^(Arrow|Home$|End$)/.test(e.key)) return;
  const order = walkOrder.value;
  const i = order.indexOf(here);
  if (i < 0) return;
  e.preventDefault();
  e.stopPropagation();
  const id = order[nextOf(e.key, order, i, level)];
  if (id !== undefined) focusOn(id);
  // Far away what is in a subnet is dots: to the right one goes into it.
  else if (e.key === "ArrowRight" && level(here) === 3) goInto(here);
}

/** Gives a place of the picture the focus; its element is made if it was out of sight. */
export function focusOn(id: string): void {
  roving.value = id;
  reveal(id);
  const there = node(id);
  if (there) there.focus({ preventScroll: true });
  // Preact makes it before the next picture.
  else requestAnimationFrame(() => node(id)?.focus({ preventScroll: true }));
}

function goInto(subnet: string): void {
  const order = picture.value?.order ?? [];
  const inner = order[order.indexOf(subnet) + 1];
  if (inner && level(inner) > level(subnet)) focusOn(inner);
}
