import { query } from "../app/router.ts";
import { Icon } from "../ui/icons.tsx";
import * as draft from "./draft.ts";
import { columns, type KindId, keyOf, type Row, same } from "./rows.ts";
import { emptyRow } from "./screen.tsx";
import * as there from "./there.ts";
import { type RulesKey, w } from "./words.ts";

const fixed: Readonly<Record<string, readonly string[]>> = {
  direction: ["ingress", "egress"],
  action: ["allow", "deny"],
  protocol: ["all", "tcp", "udp", "icmp"],
};

/** The draft, a row each, to be typed into. */
export function Table({ kind, id }: { kind: KindId; id: string }) {
  const rows = draft.rows.value;
  const base = new Map(draft.open.value?.base.map((r) => [keyOf(r), r] as const));
  const pointed = new URLSearchParams(query.value).get("rule") ?? "";
  const lists = columns[kind].filter((c) => ["peer", "target", "destination"].includes(c));
  const removed = draft.changes.value.removed;
  return (
    <>
      {lists.map((c) => (
        <datalist key={c} id={`choices-${c}`}>
          {there.choices(kind, id, c).map((o) => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </datalist>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
      <section class="scroll rules-scroll" aria-label={w("rows")} tabIndex={0}>
        <table class="plain rules-table">
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{w("number")}</span>
              </th>
              {columns[kind].map((c) => (
                <th key={c} scope="col" class={`col-${c}`}>
                  {w(heading(kind, c))}
                </th>
              ))}
              <th scope="col">
                <span class="hidden">{w("remove")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r, i) => (
              <RowView
                key={String(i)}
                kind={kind}
                at={i}
                row={r}
                before={base.get(keyOf(r))}
                pointed={pointed}
              />
            ))}
          </tbody>
        </table>
        {rows.length === 0 && <p class="quiet small no-rows">{w(`noRows.${kind}`)}</p>}
      </section>
      <div class="rules-foot">
        <button type="button" onClick={() => draft.setRows([...rows, emptyRow(kind, rows)])}>
          {w("addRow")}
        </button>
        {removed.length > 0 && (
          <span class="removed small">
            {w("removedRows", { n: String(removed.length) })}{" "}
            <button
              type="button"
              class="link"
              onClick={() =>
                draft.setRows([...rows, ...removed.filter((r) => !rows.some((o) => keyOf(o) === keyOf(r)))])
              }
            >
              {w("putBack")}
            </button>
          </span>
        )}
      </div>
    </>
  );
}

const heading = (kind: KindId, c: string): RulesKey =>
  c === "peer" ? (kind === "sg" ? "peer" : "block") : (c as RulesKey);

function RowView({
  kind,
  at,
  row,
  before,
  pointed,
}: {
  kind: KindId;
  at: number;
  row: Row;
  before: Row | undefined;
  pointed: string;
}) {
  const wrong = draft.wrongs.value[at] ?? {};
  const hint = draft.hintsOf.value.get(at);
  const refused = draft.refused.value?.row === at;
  const state = !before ? "new" : same(kind, before, row) ? "" : "changed";
  const here = pointed !== "" && keyOf(row) === pointed;
  const notes = [
    ...Object.entries(wrong).map(([c, s]) => `${w(heading(kind, c))}: ${w(s.key, s.values)}`),
    ...(hint ? [w(hint.key, hint.values)] : []),
  ];
  const noteId = `row-${at}-note`;
  return (
    <>
      <tr class={`${state} ${here ? "pointed" : ""} ${refused ? "refused" : ""}`} ref={here ? reveal : null}>
        <td class="row-number">
          <span class="mark-state" aria-hidden="true">
            {state === "new" ? "+" : state === "changed" ? "~" : ""}
          </span>
          {at + 1}
          {state && <span class="hidden">{w(state)}</span>}
        </td>
        {columns[kind].map((c) => (
          <td key={c} class={`col-${c}`}>
            <Cell
              kind={kind}
              at={at}
              column={c}
              row={row}
              wrong={c in wrong}
              noteId={notes.length > 0 ? noteId : ""}
            />
          </td>
        ))}
        <td>
          <button
            type="button"
            class="icon"
            aria-label={w("removeRow", { row: String(at + 1) })}
            onClick={() => draft.setRows(draft.rows.value.filter((_, i) => i !== at))}
          >
            <Icon name="close" />
          </button>
        </td>
      </tr>
      {notes.length > 0 && (
        <tr class="note">
          <td />
          <td colSpan={columns[kind].length + 1} id={noteId}>
            <span class={Object.keys(wrong).length > 0 ? "field-wrong" : "hint"}>{notes.join(" · ")}</span>
          </td>
        </tr>
      )}
    </>
  );
}

const reveal = (el: HTMLElement | null): void => el?.scrollIntoView({ block: "nearest" });

function Cell({
  kind,
  at,
  column,
  row,
  wrong,
  noteId,
}: {
  kind: KindId;
  at: number;
  column: string;
  row: Row;
  wrong: boolean;
  noteId: string;
}) {
  const value = row[column] ?? "";
  const label = w("cell", { column: w(heading(kind, column)), row: String(at + 1) });
  const common = {
    "aria-label": label,
    "aria-invalid": wrong,
    "aria-describedby": noteId || undefined,
  } as const;
  const options = fixed[column];
  if (options) {
    // A rule of a number that has no word here keeps it.
    const shown = options.includes(value) ? options : [value, ...options];
    return (
      <select {...common} value={value} onChange={(e) => draft.setCell(at, column, e.currentTarget.value)}>
        {shown.map((o) => (
          <option key={o} value={o} selected={o === value}>
            {o}
          </option>
        ))}
      </select>
    );
  }
  const idle = column === "ports" && (row.protocol === "all" || row.protocol === "-1");
  const listed = ["peer", "target", "destination"].includes(column);
  const name = listed ? there.named(value) : "";
  return (
    <span class="cell">
      <input
        {...common}
        type="text"
        spellcheck={false}
        autocomplete="off"
        inputMode={column === "number" ? "numeric" : "text"}
        list={listed ? `choices-${column}` : undefined}
        placeholder={
          idle
            ? "–"
            : column === "ports"
              ? row.protocol === "icmp"
                ? w("anyType")
                : w("anyPort")
              : column === "peer"
                ? "10.0.0.0/16"
                : ""
        }
        value={value}
        onInput={(e) =>
          draft.setCell(at, column, e.currentTarget.value.trim() === "" ? "" : e.currentTarget.value)
        }
      />
      {name && <small class="quiet">{name}</small>}
    </span>
  );
}
