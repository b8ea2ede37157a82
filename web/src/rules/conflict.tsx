import * as draft from "./draft.ts";
import { columns, type KindId, type Row } from "./rows.ts";
import { w } from "./words.ts";

/** What somebody else has saved meanwhile beside the draft: nothing that was typed is lost. */
export function Conflict({ kind }: { kind: KindId }) {
  const theirs = draft.theirs.value ?? [];
  const mine = draft.rows.value;
  if (draft.gone.value)
    return (
      <div class="alert conflict" role="alert">
        <p>{w("goneMeanwhile")}</p>
      </div>
    );
  return (
    <section class="alert conflict" aria-label={w("conflictTitle")}>
      <p role="alert">
        <b>{w("conflictTitle")}</b> {w("conflictText")}
      </p>
      <div class="versions">
        <Version kind={kind} title={w("theirVersion")} rows={theirs} other={mine} />
        <Version kind={kind} title={w("myVersion")} rows={mine} other={theirs} />
      </div>
      <div class="dialog-actions">
        <button type="button" onClick={draft.revert}>
          {w("takeTheirs")}
        </button>
        <button type="button" class="primary" onClick={draft.rebaseDraft}>
          {w("rebase")}
        </button>
      </div>
    </section>
  );
}

function Version({
  kind,
  title,
  rows,
  other,
}: {
  kind: KindId;
  title: string;
  rows: readonly Row[];
  other: readonly Row[];
}) {
  return (
    <div>
      <h3>{title}</h3>
      <ul class="version">
        {rows.map((r, i) => {
          const both = draft.isIn(kind, r, other);
          return (
            <li key={String(i)} class={both ? "" : "differs"}>
              {!both && <span class="hidden">{w("onlyHere")} </span>}
              <code>{lineOf(kind, r)}</code>
            </li>
          );
        })}
        {rows.length === 0 && <li class="quiet">{w(`noRows.${kind}`)}</li>}
      </ul>
    </div>
  );
}

/** A row as one line of text. */
export const lineOf = (kind: KindId, r: Row): string =>
  columns[kind]
    .map((c) => r[c] ?? "")
    .filter(Boolean)
    .join("  ");
