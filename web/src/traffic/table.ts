import type { Dictionary } from "../stream/dictionary.ts";
import { type Ring, verdictNames } from "../stream/ring.ts";
import * as text from "./text.ts";
import type { Window } from "./window.ts";

export const rowHeight = 24;
const overscan = 4;
const paintMs = 66;

export interface TableWords {
  verdict(name: string): string;
  decidedBy(ordinal: number): string;
  eni(id: string, micros: number): string;
}

export interface TableHooks {
  words: TableWords;
  /** A person picked a row. */
  pick(ordinal: number): void;
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

const columns = 10;

/** The live table: pooled rows over a scroller as tall as the data, painted 15 times a second. */
export class Table {
  selected = -1;
  private readonly ring: Ring;
  private readonly window: Window;
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
    window: Window,
    dictionary: Dictionary,
    hooks: TableHooks,
  ) {
    this.scroller = scroller;
    this.body = body;
    this.ring = ring;
    this.window = window;
    this.dictionary = dictionary;
    this.hooks = hooks;
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    body.addEventListener("click", this.onClick);
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
    const row = this.window.rowOf(ordinal);
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

  private readonly onClick = (e: Event): void => {
    const el = (e.target as HTMLElement).closest<HTMLElement>("[data-row]");
    const row = this.rows.find((r) => r.el === el);
    if (row && row.ordinal >= 0) this.hooks.pick(row.ordinal);
  };

  private paint(): void {
    this.dirty = false;
    const w = this.window;
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
    for (let i = 0; i < columns; i++) {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
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
    if (r.ordinal === ordinal) return;
    r.ordinal = ordinal;
    const { ring, dictionary } = this;
    const i = ring.slot(ordinal);
    const verdict = verdictNames[ring.verdict[i]!] ?? "none";
    const proto = ring.proto[i]!;
    const seen = dictionary.eni(ring.dstVnic[i]!) || dictionary.eni(ring.srcVnic[i]!);
    r.el.dataset.verdict = verdict;
    const c = r.cells;
    c[0]!.textContent = String(ring.seq[i]!);
    c[1]!.textContent = text.time(ring.micros[i]!);
    c[2]!.textContent = text.ip(ring.src[i]!);
    c[3]!.textContent = text.ip(ring.dst[i]!);
    c[4]!.textContent = text.protocol(ring.etherType[i]!, proto);
    c[5]!.textContent = text.ports(proto, ring.sport[i]!, ring.dport[i]!, ring.flags[i]!);
    c[6]!.textContent = String(ring.length[i]!);
    c[7]!.textContent = this.hooks.words.verdict(verdict);
    const decided = this.hooks.words.decidedBy(ordinal);
    c[8]!.textContent = text.shortId(decided);
    c[8]!.title = decided;
    c[9]!.textContent = this.hooks.words.eni(seen, ring.micros[i]!);
  }
}
