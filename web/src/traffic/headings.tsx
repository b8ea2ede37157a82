import { t } from "../i18n/i18n.ts";
import { keyOf } from "./cells.ts";
import { type Column, columns, heading, minWidth, resize } from "./columns.ts";
import * as follow from "./follow.ts";
import { w } from "./words.ts";

/** The headings: each sorts, and its edge makes it wider. */
export function Headings() {
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {columns.value.map((c, i) => (
        <Heading key={c.id} column={c} index={i} />
      ))}
    </div>
  );
}

function Heading({ column, index }: { column: Column; index: number }) {
  const now = follow.sorted.value?.column === column.id ? follow.sorted.value : null;
  const sort = (): void => {
    // The largest first, then the smallest first, then as they come.
    if (!now) follow.sortBy(column.id, true, keyOf(column.id));
    else if (now.down) follow.sortBy(column.id, false, keyOf(column.id));
    else follow.sortBy(column.id, false, null);
  };
  return (
    <span
      role="columnheader"
      data-col={column.id}
      aria-colindex={index + 1}
      aria-sort={now ? (now.down ? "descending" : "ascending") : "none"}
    >
      <button type="button" class="sort" title={w("sortBy", { name: t(heading(column.id)) })} onClick={sort}>
        {t(heading(column.id))}
        {now && <i aria-hidden="true">{now.down ? "▾" : "▴"}</i>}
      </button>
      {/* Widths can be set in the columns' menu too, which a keyboard reaches. */}
      <i class="edge" aria-hidden="true" onPointerDown={(e) => drag(e, column)} />
    </span>
  );
}

function drag(e: PointerEvent, column: Column): void {
  const edge = e.currentTarget as HTMLElement;
  const from = e.clientX;
  e.preventDefault();
  edge.setPointerCapture(e.pointerId);
  const onMove = (m: PointerEvent): void =>
    resize(column.id, Math.max(minWidth, column.width + m.clientX - from));
  edge.addEventListener("pointermove", onMove);
  const end = (): void => edge.removeEventListener("pointermove", onMove);
  edge.addEventListener("pointerup", end, { once: true });
  edge.addEventListener("pointercancel", end, { once: true });
}
