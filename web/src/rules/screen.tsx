import { useEffect, useState } from "preact/hooks";
import { goTo, ids, inPage, query, rulesPath, screen } from "../app/router.ts";
import * as state from "../app/state.ts";
import { Beside } from "./beside.tsx";
import { Conflict } from "./conflict.tsx";
import * as draft from "./draft.ts";
import { JsonText } from "./json.tsx";
import type { KindId, Row } from "./rows.ts";
import { SaveDialog } from "./save-dialog.tsx";
import { Table } from "./table.tsx";
import * as there from "./there.ts";
import { w } from "./words.ts";
import "./rules.css";

const kinds: readonly KindId[] = ["sg", "rtb", "acl"];

/** The editor of security groups, route tables and network ACLs. */
export function Rules() {
  const kind = screen.value as KindId;
  const all = state.topology.value ? there.all(kind) : [];
  const id = ids.value[0] ?? firstOf(kind);
  const known = id !== "" && all.some((o) => o.value === id);
  const opened = draft.open.value?.id;
  useEffect(() => draft.askSoon(), []);
  useEffect(there.needPrefixLists, []);
  useEffect(() => {
    if (id && opened !== id && state.topology.value) draft.openDraft(kind, id);
  }, [id, opened, known]);
  const adding = new URLSearchParams(query.value).get("add") ? query.value : "";
  useEffect(() => {
    if (adding && opened === id) addAsked(kind, id);
  }, [adding, opened]);
  return (
    <main class="screen rules-screen" id="main">
      <div class="rules-head">
        <h2>{w(`title.${kind}`)}</h2>
        <nav class="kinds" aria-label={w("kinds")}>
          {kinds.map((k) => {
            const to = firstOf(k) ? rulesPath(firstOf(k)) : `/${k}`;
            return (
              <a
                key={k}
                href={to}
                aria-current={k === kind ? "page" : undefined}
                onClick={(e) => inPage(e, to)}
              >
                {w(`kind.${k}`)}
              </a>
            );
          })}
        </nav>
      </div>
      {!state.topology.value ? null : !known && opened !== id ? (
        <p class="empty">{id ? w("unknown", { id }) : w("noneOfKind")}</p>
      ) : (
        opened === id && <Editor kind={kind} id={id} />
      )}
    </main>
  );
}

/** One that somebody has made, before the one that every VPC has. */
function firstOf(kind: KindId): string {
  const t = state.topology.value;
  if (kind === "sg")
    return (t?.securityGroups.find((g) => g.name !== "default") ?? t?.securityGroups[0])?.id ?? "";
  return (kind === "rtb" ? t?.routeTables?.[0]?.id : t?.networkAcls?.[0]?.id) ?? "";
}

/** Adds the row that the address asks for, once: ?add=ingress&protocol=tcp&port=80&peer=10.0.0.0/8. */
function addAsked(kind: KindId, id: string): void {
  const q = new URLSearchParams(query.value);
  const row: Row = {
    ...emptyRow(kind, draft.rows.value),
    ...(kind === "rtb"
      ? { destination: q.get("destination") ?? "", target: q.get("target") ?? "" }
      : {
          direction: q.get("add") === "egress" ? "egress" : "ingress",
          protocol: q.get("protocol") ?? "tcp",
          ports: q.get("ports") ?? q.get("port") ?? "",
          peer: q.get("peer") ?? "",
          ...(q.get("action") ? { action: q.get("action")! } : {}),
        }),
  };
  draft.setRows([...draft.rows.value, row]);
  history.replaceState(null, "", rulesPath(id));
  query.value = "";
}

export function emptyRow(kind: KindId, rows: readonly Row[]): Row {
  if (kind === "rtb") return { destination: "", target: "" };
  const number = String(Math.min(32766, Math.max(0, ...rows.map((r) => Number(r.number) || 0)) + 10));
  return {
    direction: "ingress",
    protocol: "tcp",
    ports: "",
    peer: "",
    ...(kind === "acl" ? { number, action: "allow" } : { description: "" }),
  };
}

function Editor({ kind, id }: { kind: KindId; id: string }) {
  const [view, setView] = useState<"table" | "json">("table");
  const [confirming, setConfirming] = useState(false);
  const used = there.usedBy(kind, id);
  const conflict = draft.theirs.value !== null && draft.dirty.value;
  const mayAsk = draft.sound.value && draft.dirty.value && !conflict && !draft.refused.value;
  return (
    <>
      <div class="rules-bar">
        <label>
          <span class="hidden">{w("which")}</span>
          <select value={id} onChange={(e) => goTo(rulesPath(e.currentTarget.value))}>
            {there.all(kind).map((o) => (
              <option key={o.value} value={o.value} selected={o.value === id}>
                {o.label}
              </option>
            ))}
          </select>
        </label>
        <p class="quiet small used" title={used.join(", ")}>
          {used.length === 0
            ? w("usedByNone")
            : `${w(kind === "sg" ? "usedBy" : "subnetsOf")} ${used.join(", ")}`}
        </p>
        <span class="spacer" />
        <fieldset class="segments">
          <legend class="hidden">{w("view")}</legend>
          {(["table", "json"] as const).map((v) => (
            <button
              key={v}
              type="button"
              aria-pressed={view === v}
              onClick={() => {
                if (v === "table") draft.leaveText();
                setView(v);
              }}
            >
              {w(v)}
            </button>
          ))}
        </fieldset>
        <button type="button" disabled={!draft.dirty.value} onClick={draft.revert}>
          {w("revert")}
        </button>
        <button type="button" class="primary" disabled={!mayAsk} onClick={() => setConfirming(true)}>
          {w("save")}
        </button>
      </div>
      {conflict && <Conflict kind={kind} />}
      <div class="rules-body">
        <section class="rules-draft" aria-label={w("draft")}>
          {view === "table" ? <Table kind={kind} id={id} /> : <JsonText />}
          {draft.refused.value && (
            <p class="alert" role="alert">
              {draft.refused.value.row >= 0 && `${w("row", { row: String(draft.refused.value.row + 1) })} `}
              <span lang="en">{draft.refused.value.message}</span>
            </p>
          )}
        </section>
        <Beside />
      </div>
      {confirming && <SaveDialog kind={kind} id={id} onClose={() => setConfirming(false)} />}
    </>
  );
}
