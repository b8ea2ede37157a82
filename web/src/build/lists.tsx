import { signal } from "@preact/signals";
import { select } from "../app/select.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { offerUndo, openForm } from "./form.ts";
import { type Item, itemsOf } from "./items.ts";
import { type KindId, kinds } from "./kinds.ts";
import { placeOf } from "./model.ts";
import { carry, type Piece } from "./place.ts";
import { w } from "./words.ts";

// What there is, by kind, each with what can be done to it.

/** The item whose deletion was asked for once. */
const asked = signal("");
/** What the server said of the last deletion, by item. */
const refused = signal<Readonly<Record<string, string>>>({});

async function remove(kind: KindId, item: Item): Promise<void> {
  const key = `${kind}/${item.key}`;
  if (!item.undo && asked.value !== key) {
    asked.value = key;
    return;
  }
  asked.value = "";
  try {
    await item.remove();
    refused.value = { ...refused.value, [key]: "" };
    offerUndo(w("deleted", { what: `${w(kinds[kind].label)} ${item.name}` }), item.undo);
  } catch (err) {
    const code = (err as { code?: string }).code;
    const message = err instanceof Error ? err.message : String(err);
    refused.value = { ...refused.value, [key]: code ? `${code}: ${message}` : message };
  }
  changed();
}

export function KindList({ kind, needle }: { kind: KindId; needle: string }) {
  const all = itemsOf(kind);
  const matches = (x: Item): boolean =>
    `${x.name} ${x.detail} ${x.key}`.toLowerCase().includes(needle) || Boolean(x.children?.some(matches));
  const items = needle ? all.filter(matches) : all;
  if (needle && items.length === 0) return null;
  const inside = all.some(
    (x) => x.key === state.selection.value || x.children?.some((c) => c.key === state.selection.value),
  );
  return (
    <details class="build-kind" open={needle !== "" || inside || undefined}>
      <summary>
        {w(kinds[kind].label)} <span class="quiet">{all.length}</span>
      </summary>
      {items.length === 0 ? (
        <p class="quiet small">{w("nothing")}</p>
      ) : (
        <ul>
          {items.map((item) => (
            <Row key={item.key} kind={kind} item={item} />
          ))}
        </ul>
      )}
    </details>
  );
}

function Row({ kind, item }: { kind: KindId; item: Item }) {
  const key = `${kind}/${item.key}`;
  const piece: Piece | null =
    kind === "group" || kind === "eip" ? { kind, id: item.key, label: item.name } : null;
  return (
    <li class={state.selection.value === item.key ? "selected" : ""}>
      <div class="build-row">
        {piece && (
          // Dragging is a short way: the interface's own form does the same.
          <span class="grip" aria-hidden="true" onPointerDown={(e) => carry(e, piece)}>
            ⠿
          </span>
        )}
        {item.select ? (
          <button type="button" class="link build-name" onClick={() => item.select && select(item.select)}>
            {item.name}
          </button>
        ) : (
          <span class="build-name">{item.name}</span>
        )}
        <code class="quiet build-detail" title={item.detail}>
          {item.detail}
        </code>
        {item.editable && (
          <button
            type="button"
            class="icon"
            aria-label={`${w("edit")}: ${item.name}`}
            title={w("edit")}
            onClick={() => openForm(kinds[kind], placeOf(item.key), item.key)}
          >
            <Icon name="edit" />
          </button>
        )}
        {item.removable !== false && (
          <button
            type="button"
            class={asked.value === key ? "danger" : "icon"}
            aria-label={asked.value === key ? `${w("sure")} ${item.name}` : `${w("delete")}: ${item.name}`}
            title={w("delete")}
            onClick={() => void remove(kind, item)}
            onBlur={() => {
              if (asked.value === key) asked.value = "";
            }}
          >
            {asked.value === key ? w("sure") : <Icon name="close" />}
          </button>
        )}
      </div>
      {refused.value[key] && (
        <p class="field-wrong" role="alert">
          <Said text={refused.value[key]} />
        </p>
      )}
      {item.children && item.childKind && (
        <ul class="build-children">
          {item.children.map((c) => (
            <Row key={c.key} kind={item.childKind!} item={c} />
          ))}
          <li>
            <button
              type="button"
              class="link small"
              onClick={() => openForm(kinds[item.childKind!], placeOf(item.key))}
            >
              + {w(kinds[item.childKind].label)}
            </button>
          </li>
        </ul>
      )}
    </li>
  );
}
