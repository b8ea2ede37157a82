import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ColumnId } from "./columns.ts";
import { type RowRecord, recordOf } from "./record.ts";
import { entriesOf } from "./rowentries.ts";
import { w } from "./words.ts";

/** The column at which a keyboard, or the last click, stands. */
export const active = signal<ColumnId | "">("");

/** The menu that is open: of which frame, at which column, where in the window. */
export const menuAt = signal<{ record: RowRecord; column: ColumnId; x: number; y: number } | null>(null);

let back: HTMLElement | null = null;

export function openMenu(ordinal: number, column: ColumnId, x: number, y: number): void {
  const record = recordOf(ordinal);
  if (!record) return;
  back = document.querySelector<HTMLElement>(".packets .grid-scroll");
  menuAt.value = { record, column, x, y };
}

function close(): void {
  menuAt.value = null;
  back?.focus();
}

/** What can be done with a frame. */
export function RowMenu() {
  const ref = useRef<HTMLDivElement>(null);
  const at = menuAt.value;
  useEffect(() => {
    const el = ref.current;
    if (!el || !at) return;
    const x = Math.max(8, Math.min(at.x, innerWidth - el.offsetWidth - 8));
    // Above the place if it does not fit below.
    const y = at.y + el.offsetHeight + 8 > innerHeight ? Math.max(8, at.y - el.offsetHeight) : at.y;
    el.style.transform = `translate(${x}px, ${y}px)`;
    el.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (e: Event): void => {
      if (!el.contains(e.target as Node)) menuAt.value = null;
    };
    addEventListener("pointerdown", away, true);
    addEventListener("blur", close);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("blur", close);
    };
  }, [at]);
  if (!at) return null;
  const list = entriesOf(at.record, at.column);
  const onKeyDown = (e: KeyboardEvent): void => {
    const items = [...(ref.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const i = items.indexOf(document.activeElement as HTMLElement);
    if (e.key === "Escape" || e.key === "Tab") close();
    else if (e.key === "ArrowDown") items[(i + 1) % items.length]?.focus();
    else if (e.key === "ArrowUp") items[(i - 1 + items.length) % items.length]?.focus();
    else if (e.key === "Home") items[0]?.focus();
    else if (e.key === "End") items.at(-1)?.focus();
    else if (e.key !== " " && e.key !== "Enter") return;
    else {
      items[i]?.click();
    }
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div
      ref={ref}
      class="menu row-menu"
      role="menu"
      tabIndex={-1}
      aria-label={w("rowMenu", { seq: String(at.record.seq) })}
      onKeyDown={onKeyDown}
    >
      {list.map((e, i) => (
        <button
          key={e.id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={`menu-line ${i > 0 && Math.floor(e.order / 100) !== Math.floor(list[i - 1]!.order / 100) ? "apart" : ""}`}
          onClick={() => {
            close();
            e.run(at.record, at.column);
          }}
        >
          {e.label(at.record, at.column)}
        </button>
      ))}
    </div>
  );
}
