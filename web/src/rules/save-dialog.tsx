import { Dialog } from "../ui/dialog.tsx";
import { lineOf } from "./conflict.tsx";
import * as draft from "./draft.ts";
import type { KindId } from "./rows.ts";
import * as there from "./there.ts";
import { w } from "./words.ts";

/** What would be saved, and what that would break, before it is. */
export function SaveDialog({ kind, id, onClose }: { kind: KindId; id: string; onClose: () => void }) {
  const d = draft.changes.value;
  const e = draft.effects.value;
  const red = e?.assertions.filter((a) => !a.holds && a.turns) ?? [];
  const refused = e?.counts.newlyRefused ?? 0;
  const waiting = draft.asking.value;
  const lines = [
    ...d.removed.map((r) => ["-", lineOf(kind, r)] as const),
    ...d.changed.flatMap((c) => [
      ["-", lineOf(kind, c.before)] as const,
      ["+", lineOf(kind, c.after)] as const,
    ]),
    ...d.added.map((r) => ["+", lineOf(kind, r)] as const),
  ];
  return (
    <Dialog title={w("saveTitle", { name: there.nameOf(kind, id) })} onClose={onClose}>
      <ul class="diff" aria-label={w("diff")}>
        {lines.map(([sign, line], i) => (
          <li key={String(i)} class={sign === "+" ? "plus" : "minus"}>
            <span aria-hidden="true">{sign}</span>
            <span class="hidden">{w(sign === "+" ? "plus" : "minus")} </span>
            <code>{line}</code>
          </li>
        ))}
      </ul>
      {refused > 0 && (
        <p class="warn">
          <span class="mark reject strong">{w("wouldRefuse", { n: String(refused) })}</span>
        </p>
      )}
      {red.length > 0 && (
        <div class="alert" role="alert">
          <p>
            <b>{w("breaks", { n: String(red.length) })}</b>
          </p>
          <ul>
            {red.map((a) => (
              <li key={a.id}>
                <span class="mark reject">{a.name}</span> <span lang="en">{a.text}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {waiting && <p class="quiet small">{w("askingStill")}</p>}
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" data-autofocus onClick={onClose}>
          {w("back")}
        </button>
        <button
          type="button"
          class={red.length > 0 ? "danger" : "primary"}
          disabled={draft.saving.value || waiting}
          onClick={() => void draft.save().then(onClose)}
        >
          {w(red.length > 0 ? "saveAnyway" : "saveNow")}
        </button>
      </div>
    </Dialog>
  );
}
