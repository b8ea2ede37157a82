import { useLayoutEffect, useRef } from "preact/hooks";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { publicAddress } from "./cards.ts";
import { beginDrag, dragging, dragOffset } from "./move.ts";
import { ratesOf } from "./scene.ts";
import type { Chip } from "./shapes.ts";
import { camera, roving, tabIndexOf } from "./sight.ts";

const slideMs = 280;

/** One interface. Keyed by MAC in one layer: its node survives every move. */
export function ChipView({ chip: c }: { chip: Chip }) {
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
  const { scale } = camera.peek();
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
    elsewhere || (n.groups.length > 0 && `SG ${n.groups.length}`),
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
      tabIndex={tabIndexOf(n.id)}
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
        roving.value = n.id;
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
        {!elsewhere && n.groups.length > 0 && " "}
        {!elsewhere && n.groups.length > 0 && (
          <span class="chip-groups" title={n.groups.map((g) => g.name || g.id).join(", ")}>
            SG {n.groups.length}
          </span>
        )}
      </span>
    </button>
  );
}

/** A bar is full at a hundred thousand frames a second, a third of it at a hundred: by tens. */
const level = (rate: number): string =>
  (rate < 0.5 ? 0 : Math.min(1, 0.1 + Math.log10(1 + rate) / 5)).toFixed(2);

/** Shows on chips what their interfaces send and receive, past the framework: it is told twice a second. */
export function showBars(chips: readonly Chip[]): void {
  for (const c of chips) {
    const el = document.getElementById(`n-${c.eni}`);
    if (!el) continue;
    const [tx, rx] = ratesOf(c.eni);
    const was = el.style;
    for (const [name, value] of [
      ["--tx", level(tx)],
      ["--rx", level(rx)],
    ] as const)
      if (was.getPropertyValue(name) !== value) was.setProperty(name, value);
  }
}
