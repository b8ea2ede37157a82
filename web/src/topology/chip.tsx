import { useLayoutEffect, useRef } from "preact/hooks";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { publicAddress } from "./cards.ts";
import { beginDrag, dragging, dragOffset } from "./move.tsx";
import type { Chip } from "./shapes.ts";
import { picture } from "./stage.tsx";
import { roving, tabIndexOf } from "./walk.ts";

const slideMs = 280;

/** One interface. Keyed by MAC in one layer: its node survives every move. */
export function ChipView({ chip: c, scale }: { chip: Chip; scale: number }) {
  const ref = useRef<HTMLButtonElement>(null);
  const was = useRef({ owner: c.owner, x: c.x, y: c.y });
  const n = state.enisById.value.get(c.eni);

  useLayoutEffect(() => {
    const from = was.current;
    was.current = { owner: c.owner, x: c.x, y: c.y };
    // Only a change of owner slides; a neighbour's arrival must not make chips dance.
    if (from.owner === c.owner || state.reducedMotion.value) return;
    ref.current?.animate(
      [{ transform: `translate(${from.x}px, ${from.y}px)` }, { transform: `translate(${c.x}px, ${c.y}px)` }],
      { duration: slideMs, easing: "cubic-bezier(0.2, 0, 0, 1)" },
    );
  }, [c.owner, c.x, c.y]);

  if (!n) return null;
  const ip = state.primaryAddress(n);
  const primary = n.attachment?.deviceIndex === 0;
  const selected = state.selection.value === n.id;
  const dragged = dragging.value === n.id;
  const offset = dragged ? dragOffset.value : { x: 0, y: 0 };
  const owner = c.owner ? state.instanceName(c.owner) : t("eni.notAttached");
  const served = state.servedEni.value?.id === n.id;
  // What is seen comes first in the name, so that it can be spoken (WCAG 2.5.3).
  const more = n.privateIps.length > 1 ? `+${n.privateIps.length - 1}` : "";
  const open = publicAddress(n);
  // An instance with an interface in another subnet is in both.
  const home = state.instancesById.value.get(c.owner)?.subnetId;
  const elsewhere = home !== undefined && home !== n.subnetId ? state.subnetName(n.subnetId) : "";
  const shown = [
    n.attachment ? `eth${n.attachment.deviceIndex}` : "eni",
    ip,
    more,
    open,
    n.macAddress,
    elsewhere,
  ]
    .filter(Boolean)
    .join(" ");
  const classes = ["chip"];
  if (state.onPath.value.has(n.id)) classes.push("on-path");
  if (selected) classes.push("selected");
  if (served) classes.push("served");
  if (dragged) classes.push("dragged");
  if (n.attachment && n.attachment.state !== "attached") classes.push("moving");
  return (
    <button
      ref={ref}
      type="button"
      id={`n-${n.id}`}
      role="treeitem"
      aria-level={5}
      aria-selected={selected}
      aria-label={t("topology.chip", { shown, id: n.id, owner })}
      tabIndex={tabIndexOf(n.id, picture.value?.order ?? [])}
      title={primary ? t("topology.primary") : undefined}
      data-mac={n.macAddress}
      data-eni={n.id}
      data-owner={c.owner}
      class={classes.join(" ")}
      style={{
        transform: `translate(${c.x + offset.x / scale}px, ${c.y + offset.y / scale}px)`,
        width: `${c.w}px`,
        height: `${c.h}px`,
      }}
      onFocus={() => {
        roving.current = n.id;
      }}
      onClick={() => select(n.id)}
      onPointerDown={(e) => beginDrag(e, n)}
    >
      <span class="chip-line">
        <b>{n.attachment ? `eth${n.attachment.deviceIndex}` : "eni"}</b> <span>{ip}</span>
        {primary && <Icon name="lock" />}
        {more && " "}
        {more && <em title={t("topology.secondaries", { count: n.privateIps.length })}>{more}</em>}
      </span>{" "}
      {open && (
        <span class="chip-public">
          <Icon name="internet" />
          {open}
        </span>
      )}
      {open && " "}
      <span class="chip-mac">
        {n.macAddress}
        {elsewhere && " "}
        {elsewhere && <span class="chip-subnet">{elsewhere}</span>}
      </span>
    </button>
  );
}
