import * as state from "../app/state.ts";
import { Icon } from "../ui/icons.tsx";
import { lit, type OverlayKind, overlay } from "./overlay.ts";
import { w } from "./words.ts";

const named = (x: { id: string; name?: string; tags?: Record<string, string> }): string =>
  x.name || x.tags?.Name || x.id;

/** Chooses a group, an ACL or a route table whose members stand out. */
export function OverlayPicker() {
  const t = state.topology.value;
  if (!t) return null;
  const kinds: { kind: OverlayKind; label: string; list: { id: string; name: string }[] }[] = [
    { kind: "group", label: w("groups"), list: t.securityGroups.map((g) => ({ id: g.id, name: named(g) })) },
    { kind: "acl", label: w("acls"), list: t.networkAcls.map((g) => ({ id: g.id, name: named(g) })) },
    { kind: "table", label: w("tables"), list: t.routeTables.map((g) => ({ id: g.id, name: named(g) })) },
  ];
  const o = overlay.value;
  const on = lit.value;
  const choose = (value: string): void => {
    const [kind, id] = value.split("/") as [OverlayKind, string];
    overlay.value = id ? { kind, id } : null;
  };
  return (
    <span class={`map-overlay ${on ? "on" : ""}`}>
      <Icon name="layers" />
      {o && on && (
        <span role="status">
          <strong>{kinds.flatMap((k) => k.list).find((x) => x.id === o.id)?.name}</strong>{" "}
          {w(o.kind === "group" ? "litGroup" : o.kind === "acl" ? "litAcl" : "litTable", {
            count: String(on.size),
          })}
        </span>
      )}
      <select
        aria-label={w("overlay")}
        title={w("overlay")}
        value={o && on ? `${o.kind}/${o.id}` : ""}
        onChange={(e) => choose(e.currentTarget.value)}
      >
        <option value="">{w("overlayNone")}</option>
        {kinds.map((k) => (
          <optgroup key={k.kind} label={k.label}>
            {k.list.map((x) => (
              <option key={x.id} value={`${k.kind}/${x.id}`}>
                {x.name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
      {o && on && (
        <button
          type="button"
          class="icon"
          aria-label={w("overlayOff")}
          title={w("overlayOff")}
          onClick={() => {
            overlay.value = null;
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </span>
  );
}
