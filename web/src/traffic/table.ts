import type { Dictionary } from "../stream/dictionary.ts";
import { type Ring, verdictNames } from "../stream/ring.ts";
import type { ColumnId } from "./columns.ts";
import * as text from "./text.ts";
import type { Rows } from "./window.ts";

export const rowHeight = 24;
const overscan = 4;
const paintMs = 66;

export interface TableWords {
  verdict(name: string): string;
  decidedBy(ordinal: number): string;
  eni(id: string, micros: number): string;
  /** Writes where a frame ended. */
  hop(cell: HTMLElement, step: number): void;
}

export interface TableHooks {
  words: TableWords;
  /** What is shown now. */
  rows(): Rows;
  /** A person picked a row, at a column. */
  pick(ordinal: number, column: ColumnId): void;
  /** A person wants the menu of a row, at a place of the window. */
  menu(ordinal: number, column: ColumnId, x: number, y: number): void;
  /** A person scrolled away from the newest row. */
  unfollow(): void;
  /** After each paint: rows shown and rows waiting. */
  painted(length: number, newer: number): void;
}

interface Row {
  el: HTMLElement;
  cells: HTMLElement[];
  ordinal: number;
  row: number;
}

/** The live table: pooled rows over a scroller as tall as the data, painted 15 times a second. */
export class Table {
  selected = -1;
  /** The column at which a keyboard stands. */
  active: ColumnId | "" = "";
  /** Microseconds from which times are told; -1: by the clock. */
  zero = -1;
  private columns: readonly ColumnId[] = [];
  private readonly ring: Ring;
  private readonly dictionary: Dictionary;
  private readonly hooks: TableHooks;
  private readonly scroller: HTMLElement;
  private readonly body: HTMLElement;
  private readonly rows: Row[] = [];
  private lastPaint = 0;
  private frame = 0;
  private dirty = true;
  private ownScroll = false;
  private height = -1;

  constructor(
    scroller: HTMLElement,
    body: HTMLElement,
    ring: Ring,
    dictionary: Dictionary,
    hooks: TableHooks,
  ) {
    this.scroller = scroller;
    this.body = body;
    this.ring = ring;
    this.dictionary = dictionary;
    this.hooks = hooks;
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    body.addEventListener("click", this.onClick);
    body.addEventListener("contextmenu", this.onMenu);
    const loop = (now: number): void => {
      this.frame = requestAnimationFrame(loop);
      if (now - this.lastPaint < paintMs && !this.dirty) return;
      this.lastPaint = now;
      this.paint();
    };
    this.frame = requestAnimationFrame(loop);
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.scroller.removeEventListener("scroll", this.onScroll);
    this.body.removeEventListener("click", this.onClick);
    this.body.removeEventListener("contextmenu", this.onMenu);
  }

  /** Other columns: rows are made anew. */
  setColumns(columns: readonly ColumnId[]): void {
    if (columns.join() === this.columns.join()) return;
    this.columns = columns;
    for (const r of this.rows) r.el.remove();
    this.rows.length = 0;
    this.dirty = true;
  }

  /** Words or the match changed: every row is written anew. */
  refresh(): void {
    for (const r of this.rows) r.ordinal = -1;
    this.dirty = true;
  }

  toTop(): void {
    this.ownScroll = true;
    this.scroller.scrollTop = 0;
    this.dirty = true;
  }

  /** Scrolls as little as needed to show an ordinal's row. */
  reveal(ordinal: number): void {
    const row = this.hooks.rows().rowOf(ordinal);
    if (row < 0) return;
    const top = row * rowHeight;
    const s = this.scroller;
    this.ownScroll = true;
    if (top < s.scrollTop) s.scrollTop = top;
    else if (top + rowHeight > s.scrollTop + s.clientHeight) s.scrollTop = top + rowHeight - s.clientHeight;
    this.dirty = true;
  }

  private readonly onScroll = (): void => {
    this.dirty = true;
    if (this.ownScroll) {
      this.ownScroll = false;
      return;
    }
    if (this.scroller.scrollTop > 0) this.hooks.unfollow();
  };

  /** Where the row of an ordinal is in the window; null: it is not painted. */
  placeOf(ordinal: number): DOMRect | null {
    const r = this.rows.find((x) => x.ordinal === ordinal && !x.el.hidden);
    const cell = r?.cells[Math.max(0, this.columns.indexOf(this.active as ColumnId))];
    return cell?.getBoundingClientRect() ?? null;
  }

  private readonly onClick = (e: Event): void => {
    const hit = this.hit(e);
    if (hit) this.hooks.pick(hit.ordinal, hit.column);
  };

  private readonly onMenu = (e: MouseEvent): void => {
    const hit = this.hit(e);
    if (!hit) return;
    e.preventDefault();
    this.hooks.menu(hit.ordinal, hit.column, e.clientX, e.clientY);
  };

  private hit(e: Event): { ordinal: number; column: ColumnId } | null {
    const target = e.target as HTMLElement;
    const el = target.closest<HTMLElement>("[data-row]");
    const row = this.rows.find((r) => r.el === el);
    if (!row || row.ordinal < 0) return null;
    const i = row.cells.findIndex((c) => c.contains(target));
    return { ordinal: row.ordinal, column: this.columns[Math.max(0, i)] ?? "no" };
  }

  private paint(): void {
    this.dirty = false;
    const w = this.hooks.rows();
    w.sync();
    const total = w.length;
    if (this.height !== total) {
      this.height = total;
      this.body.style.height = `${total * rowHeight}px`;
    }
    const first = Math.max(0, Math.floor(this.scroller.scrollTop / rowHeight) - overscan);
    const visible = Math.ceil(this.scroller.clientHeight / rowHeight) + 2 * overscan;
    const n = Math.min(visible, Math.max(0, total - first));
    while (this.rows.length < n) this.rows.push(this.makeRow());
    for (let i = 0; i < this.rows.length; i++) {
      const r = this.rows[i]!;
      if (i >= n) {
        if (!r.el.hidden) r.el.hidden = true;
        continue;
      }
      if (r.el.hidden) r.el.hidden = false;
      this.write(r, first + i, w.at(first + i));
    }
    this.hooks.painted(total, w.newer);
  }

  private makeRow(): Row {
    const el = document.createElement("div");
    el.className = "row";
    el.setAttribute("role", "row");
    el.dataset.row = "";
    const cells: HTMLElement[] = [];
    for (const [i, column] of this.columns.entries()) {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-colindex", String(i + 1));
      cell.dataset.col = column;
      el.append(cell);
      cells.push(cell);
    }
    this.body.append(el);
    return { el, cells, ordinal: -1, row: -1 };
  }

  private write(r: Row, row: number, ordinal: number): void {
    if (r.row !== row) {
      r.row = row;
      r.el.style.transform = `translateY(${row * rowHeight}px)`;
      // The header is row 1.
      r.el.setAttribute("aria-rowindex", String(row + 2));
    }
    const selected = ordinal === this.selected;
    if (r.el.classList.contains("selected") !== selected) {
      r.el.classList.toggle("selected", selected);
      r.el.setAttribute("aria-selected", String(selected));
    }
    if (selected || r.el.dataset.active) {
      const at = selected ? this.columns.indexOf(this.active as ColumnId) : -1;
      r.el.dataset.active = selected ? "row" : "";
      for (const [k, c] of r.cells.entries()) c.classList.toggle("at", k === at);
    }
    if (r.ordinal === ordinal) return;
    r.ordinal = ordinal;
    r.el.dataset.verdict = verdictNames[this.ring.verdict[this.ring.slot(ordinal)]!] ?? "none";
    for (const [k, column] of this.columns.entries()) this.fill(r.cells[k]!, column, ordinal);
  }

  private fill(cell: HTMLElement, column: ColumnId, ordinal: number): void {
    const { ring, dictionary } = this;
    const i = ring.slot(ordinal);
    switch (column) {
      case "no":
        cell.textContent = String(ring.seq[i]!);
        return;
      case "time":
        cell.textContent =
          this.zero < 0 ? text.time(ring.micros[i]!) : text.since(ring.micros[i]!, this.zero);
        return;
      case "source":
        cell.textContent = text.ip(ring.src[i]!);
        return;
      case "destination":
        cell.textContent = text.ip(ring.dst[i]!);
        return;
      case "proto":
        cell.textContent = text.protocol(ring.etherType[i]!, ring.proto[i]!);
        return;
      case "ports":
        cell.textContent = text.ports(ring.proto[i]!, ring.sport[i]!, ring.dport[i]!, ring.flags[i]!);
        return;
      case "length":
        cell.textContent = String(ring.length[i]!);
        return;
      case "verdict":
        cell.textContent = this.hooks.words.verdict(verdictNames[ring.verdict[i]!] ?? "none");
        return;
      case "rule": {
        const decided = this.hooks.words.decidedBy(ordinal);
        cell.textContent = text.shortId(decided);
        cell.title = decided;
        return;
      }
      case "hop":
        this.hooks.words.hop(cell, text.step(ring.rule[i]!));
        return;
      case "eni": {
        const seen = dictionary.eni(ring.dstVnic[i]!) || dictionary.eni(ring.srcVnic[i]!);
        cell.textContent = this.hooks.words.eni(seen, ring.micros[i]!);
      }
    }
  }
}
