import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { shortId } from "../traffic/text.ts";
import { Icon, type IconName } from "../ui/icons.tsx";
import type { Box } from "./shapes.ts";
import { roving, tabIndexOf } from "./sight.ts";

// What frames pass on their way, and who is on the internet. They lie above the
// dots, so that a dot goes in on one side and comes out on the other.

const icons: Partial<Record<Box["kind"], IconName>> = {
  igw: "internet",
  nat: "nat",
  peering: "link",
  transit: "transit",
  endpoint: "endpoint",
};

export const isGateway = (b: Box): boolean => b.kind === "host" || b.kind in icons;

export function GatewayView({ box: b }: { box: Box }) {
  const host = state.hostsById.value.get(b.id);
  const nat = state.topology.value?.natGateways?.find((g) => g.id === b.id);
  const selected = state.selection.value === b.id;
  const icon = icons[b.kind];
  const title = icon ? t(`gateway.${b.kind as "igw" | "nat" | "peering" | "transit" | "endpoint"}`) : "";
  const roomy = b.kind === "nat" || b.kind === "host";
  const second = roomy ? b.detail : b.label || shortId(b.id);
  // What is not as it should be is said in a word, beside the look.
  const wrong = host?.fault
    ? word("fault", host.fault)
    : nat && nat.state !== "available"
      ? word("state", nat.state)
      : icon && b.kind !== "igw" && b.kind !== "nat" && !b.value
        ? word("state", state.linkState(b.id))
        : "";
  const classes = ["gateway", b.kind];
  if (selected) classes.push("selected");
  if (wrong) classes.push("dim");
  if (state.onPath.value.has(b.id)) classes.push("on-path");
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles Enter and Space for all its items
    <div
      id={`n-${b.id}`}
      role="treeitem"
      aria-level={b.level}
      aria-selected={selected}
      aria-label={[title, roomy && b.label, second, wrong, b.id].filter(Boolean).join(" ")}
      title={b.id}
      tabIndex={tabIndexOf(b.id)}
      onFocus={() => {
        roving.value = b.id;
      }}
      data-gateway={b.id}
      class={classes.join(" ")}
      style={{ transform: `translate(${b.x}px, ${b.y}px)`, width: `${b.w}px`, height: `${b.h}px` }}
      onClick={() => select(b.id)}
    >
      {icon && <Icon name={icon} />}
      <span class="gateway-words">
        <span class="gateway-line">
          {title && <b>{title}</b>} {roomy && b.label && <span>{b.label}</span>}
        </span>{" "}
        {roomy || !b.label ? <code>{second}</code> : <span class="gateway-line">{second}</span>}
      </span>
      {wrong && " "}
      {wrong && <span class="badge lost">{wrong}</span>}
    </div>
  );
}
