import { untracked, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as state from "../app/state.ts";
import { language, t, word } from "../i18n/i18n.ts";
import { FilterBar } from "./bar.tsx";
import { keyOf } from "./cells.ts";
import { type ColumnId, columns, relative, tableWidth, template } from "./columns.ts";
import * as filter from "./filter.ts";
import * as follow from "./follow.ts";
import { Headings } from "./headings.tsx";
import { NoMatch } from "./nomatch.tsx";
import { decidedBy, stationAt } from "./record.ts";
import { active, menuAt, openMenu, RowMenu } from "./rowmenu.tsx";
import "./rowscreens.ts";
import { Table } from "./table.ts";
import { Tools } from "./tools.tsx";
import { w } from "./words.ts";

/** The live table with all that belongs to it: filter, tools, headings, rows, and the rows' menu. */
export function Packets() {
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const table = useRef<Table | null>(null);
  const shown = useSignal({ length: 0, newer: 0 });
  useEffect(() => {
    const made = new Table(scroller.current!, body.current!, state.ring, state.dictionary, {
      rows: follow.rows,
      words: {
        verdict: (name) => word("verdict", name),
        decidedBy,
        eni: stationAt,
        hop(cell, n) {
          // As the filter has it; in words on a second look.
          const name = state.steps.value[n]?.name ?? "";
          cell.textContent = name;
          cell.title = word("step", name);
        },
      },
      pick(ordinal, column) {
        active.value = column;
        follow.pick(ordinal);
      },
      menu(ordinal, column, x, y) {
        follow.unfollow();
        active.value = column;
        state.packet.value = ordinal;
        openMenu(ordinal, column, x, y);
      },
      unfollow: follow.unfollow,
      painted(length, newer) {
        const was = shown.peek();
        if (was.length !== length || was.newer !== newer) shown.value = { length, newer };
      },
    });
    table.current = made;
    follow.attach(made);
    return () => {
      made.close();
      follow.attach(null);
    };
  }, []);
  useSignalEffect(() => {
    language.value;
    state.reasons.value;
    state.steps.value;
    state.hostsById.value;
    table.current?.setColumns(columns.value.map((c) => c.id));
    table.current?.refresh();
  });
  useSignalEffect(() => {
    const made = table.current;
    if (!made) return;
    made.selected = state.packet.value;
    made.active = active.value;
    const zero = relative.value ? zeroOf(state.packet.value) : -1;
    if (zero !== made.zero) {
      made.zero = zero;
      made.refresh();
    }
    made.refresh();
  });
  // Rows of another filter are not those that were sorted or held.
  useSignalEffect(() => {
    filter.filter.value;
    untracked(follow.anew);
  });

  const { length, newer } = shown.value;
  return (
    <div class="packets">
      <FilterBar />
      <Tools newer={newer} />
      {follow.sorted.value && <SortedBar newer={newer} />}
      <div
        class="grid"
        role="grid"
        aria-label={t("packets.label")}
        aria-rowcount={length + 1}
        aria-colcount={columns.value.length}
        aria-readonly="true"
        style={{ "--cols": template.value, "--table": `${tableWidth.value}px` }}
      >
        <div
          class="grid-scroll"
          ref={scroller}
          role="rowgroup"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard
          tabIndex={0}
          aria-label={t("packets.label")}
          onKeyDown={(e) => onKeyDown(e, table.current)}
        >
          <Headings />
          <div class="grid-body" ref={body} role="presentation" />
        </div>
      </div>
      {length === 0 && (filter.filter.value ? <NoMatch /> : <Nothing />)}
      {menuAt.value && <RowMenu />}
    </div>
  );
}

/** Times are told from the selected row on, else from the newest. */
function zeroOf(ordinal: number): number {
  const { ring } = state;
  const of = ring.holds(ordinal) ? ordinal : ring.end - 1;
  return ring.holds(of) ? ring.micros[ring.slot(of)]! : 0;
}

/** Sorts once more, with what has come since. */
function sortAgain(): void {
  const s = follow.sorted.value;
  if (s) follow.sortBy(s.column, s.down, keyOf(s.column as ColumnId));
}

function onKeyDown(e: KeyboardEvent, table: Table | null): void {
  if (e.target !== e.currentTarget && !(e.key === "r" || e.code === "KeyR")) return;
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const across = (by: number): void => {
    const ids = columns.value.map((c) => c.id);
    const i = ids.indexOf(active.value as ColumnId);
    active.value = ids[Math.min(ids.length - 1, Math.max(0, i < 0 ? 0 : i + by))]!;
  };
  if (e.key === "ArrowDown") follow.stepPacket(1);
  else if (e.key === "ArrowUp") follow.stepPacket(-1);
  else if (e.key === "ArrowRight" && state.packet.value >= 0) across(1);
  else if (e.key === "ArrowLeft" && state.packet.value >= 0) across(-1);
  else if (e.code === "KeyR" && follow.sorted.value) sortAgain();
  else if ((e.key === "ContextMenu" || (e.key === "F10" && e.shiftKey)) && state.packet.value >= 0) {
    const at = table?.placeOf(state.packet.value);
    const column = (active.value || "source") as ColumnId;
    openMenu(state.packet.value, column, at?.left ?? 40, at?.bottom ?? 40);
  } else return;
  e.preventDefault();
  e.stopPropagation();
}

function SortedBar({ newer }: { newer: number }) {
  return (
    <p class="sorted" role="status">
      {w("sorted", { count: newer })}{" "}
      <button type="button" class="link" onClick={sortAgain}>
        {w("sortAgain")} <kbd>R</kbd>
      </button>{" "}
      <button type="button" class="link" onClick={follow.followNewest}>
        {w("sortEnd")} <kbd>L</kbd>
      </button>
    </p>
  );
}

function Nothing() {
  return (
    <div class="grid-empty">
      <strong>{t("packets.empty")}</strong>
      <span>{t("packets.emptyHint")}</span>
    </div>
  );
}
