import { post } from "../api/client.ts";
import { act, refreshCaptures } from "../app/drill.ts";
import { tracePacket } from "../inspector/path.tsx";
import { toast, toastError } from "../ui/toast.tsx";
import { both, conditionOf, flowOf, tcpdumpOf } from "./cells.ts";
import type { ColumnId } from "./columns.ts";
import * as filter from "./filter.ts";
import type { RowRecord } from "./record.ts";
import { w } from "./words.ts";

/** An entry of a row's menu. Screens that can do more with a frame add theirs. */
export interface RowEntry {
  id: string;
  /** Entries stand by rising order; a line is drawn between hundreds. */
  order: number;
  label(r: RowRecord, column: ColumnId): string;
  run(r: RowRecord, column: ColumnId): void;
  /** Whether it is there for a frame; it always is without. */
  when?(r: RowRecord, column: ColumnId): boolean;
}

const entries: RowEntry[] = [];

/** Adds an entry, in place of one with the same id. */
export function addRowEntry(e: RowEntry): void {
  const i = entries.findIndex((x) => x.id === e.id);
  if (i >= 0) entries.splice(i, 1);
  entries.push(e);
  entries.sort((a, b) => a.order - b.order);
}

export const entriesOf = (r: RowRecord, column: ColumnId): RowEntry[] =>
  entries.filter((e) => e.when?.(r, column) ?? true);

const inForce = (): string => filter.asked.value ?? filter.filter.value;
const said = (r: RowRecord, column: ColumnId): boolean => conditionOf(r, column) !== "";

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(w("copied", { text }));
  } catch (err) {
    toastError(err);
  }
}

addRowEntry({
  id: "apply",
  order: 100,
  when: said,
  label: (r, c) => w("apply", { condition: conditionOf(r, c) }),
  run: (r, c) => filter.apply(conditionOf(r, c)),
});
addRowEntry({
  id: "and",
  order: 101,
  when: (r, c) => said(r, c) && inForce() !== "",
  label: (r, c) => w("and", { condition: conditionOf(r, c) }),
  run: (r, c) => filter.apply(both(inForce(), conditionOf(r, c))),
});
addRowEntry({
  id: "exclude",
  order: 102,
  when: said,
  label: (r, c) => w("exclude", { condition: conditionOf(r, c) }),
  run: (r, c) => filter.apply(both(inForce(), `-${conditionOf(r, c)}`)),
});
addRowEntry({
  id: "flow",
  order: 103,
  when: (r) => flowOf(r) !== "",
  label: () => w("flow"),
  run: (r) => filter.apply(flowOf(r)),
});
addRowEntry({
  id: "why",
  order: 200,
  label: () => w("why"),
  // The row is selected already, which opens the panel that says so.
  run: () => document.querySelector<HTMLElement>(".packet .packet-body")?.focus(),
});
addRowEntry({
  id: "trace",
  order: 201,
  when: (r) => r.srcEni !== "" && r.etherType === 0x0800,
  label: () => w("trace"),
  run: tracePacket,
});
addRowEntry({
  id: "capture",
  order: 300,
  label: () => w("capture"),
  run: (r) => {
    const what = tcpdumpOf(r);
    void act("capture", async () => {
      await post("/captures", { filter: what, maxSeconds: 60, comment: flowOf(r) || what });
      toast(w("capturing", { filter: what }));
      await refreshCaptures();
    });
  },
});
addRowEntry({
  id: "tcpdump",
  order: 301,
  label: () => w("tcpdump"),
  run: (r) => void copy(tcpdumpOf(r)),
});
addRowEntry({
  id: "copyFilter",
  order: 302,
  when: (r, c) => flowOf(r) !== "" || said(r, c),
  label: () => w("copyFilter"),
  run: (r, c) => void copy(flowOf(r) || conditionOf(r, c)),
});
