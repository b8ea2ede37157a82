import type { Instance } from "../api/types.ts";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { short, t, word } from "../i18n/i18n.ts";
import { Said } from "../ui/said.tsx";
import { dragging, verdictOf } from "./move.ts";
import { rateOf } from "./scene.ts";
import type { Box } from "./shapes.ts";
import { camera, detail, roving, tabIndexOf } from "./sight.ts";

const place = (b: Box) => ({
  transform: `translate(${b.x}px, ${b.y}px)`,
  width: `${b.w}px`,
  height: `${b.h}px`,
});

export function BoxView({ box: b }: { box: Box }) {
  if (b.kind === "slot") return <Slot box={b} />;
  if (b.kind === "instance") return <Card box={b} />;
  const prefix =
    b.kind === "vpc"
      ? t("topology.vpc")
      : b.kind === "zone"
        ? t("topology.zone")
        : b.kind === "subnet"
          ? t("topology.subnet")
          : b.kind === "internet"
            ? t("gateway.internet")
            : "";
  const selectable = b.kind === "vpc" || b.kind === "subnet";
  const label = b.kind === "more" ? t("gateway.moreHosts", { count: b.value }) : b.label;
  const far = detail.value === "far";
  return (
    <div
      id={`n-${b.id}`}
      role="treeitem"
      aria-level={b.level}
      aria-expanded={b.kind === "more" ? undefined : true}
      aria-selected={state.selection.value === b.id}
      // What a subnet counts far away changes: its name is then what it says.
      aria-label={
        far && b.kind === "subnet" && fits(b) !== "no-words"
          ? undefined
          : `${prefix} ${label} ${b.detail}`.trim()
      }
      tabIndex={tabIndexOf(b.id)}
      onFocus={() => {
        roving.value = b.id;
      }}
      class={`box ${b.kind} ${selectable && state.selection.value === b.id ? "selected" : ""} ${far ? fits(b) : ""}`}
      style={place(b)}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/noStaticElementInteractions: the tree handles Enter and Space for all its items */}
      <span
        class={`box-label ${selectable ? "can-select" : ""}`}
        onClick={selectable ? () => select(b.id) : undefined}
      >
        {/* The spaces are for the name: without them its words would be one. */}
        {prefix && <b>{prefix}</b>} {label && <span>{label}</span>} <code>{b.detail}</code>
        {far && b.kind === "subnet" && " "}
        {far && b.kind === "subnet" && <Count box={b} />}
      </span>
    </div>
  );
}

/** How much room a box has for words far away: for a line, for a few, or for none. */
function fits(b: Box): string {
  const { scale } = camera.peek();
  const wide = b.w * scale;
  if (b.kind === "subnet" && b.h * scale < 30) return "no-words";
  return wide >= 150 ? "" : wide >= 64 ? "few-words" : "no-words";
}

/** How many instances a subnet has, and what they send. */
function Count({ box: b }: { box: Box }) {
  const rate = rateOf(b.id);
  const count = fits(b) ? short(b.value) : t("topology.instances", { count: b.value });
  return (
    <em class="count">
      {count}
      {rate >= 1 && ` · ${short(rate)}/s`}
    </em>
  );
}

/** What a card sends, where its chips are dots. */
function Sends({ id, count }: { id: string; count: number }) {
  const rate = rateOf(id);
  return (
    <span class="card-sends">
      {count}
      {rate >= 1 && ` · ${short(rate)}/s`}
    </span>
  );
}

const standsBy = (i: Instance): boolean =>
  i.role === "active" ||
  i.role === "standby" ||
  Boolean(state.topology.value?.policies.some((p) => p.standbys.includes(i.id)));

function Card({ box: b }: { box: Box }) {
  const i = state.instancesById.value.get(b.id);
  if (!i) return null;
  const fault = i.fault ?? "";
  const owner = state.activeInstance.value?.id === i.id;
  // The role in the drill follows the served interface, not the tag's first meaning.
  const role = i.role === "client" ? "client" : owner ? "active" : standsBy(i) ? "standby" : "";
  const badge = fault
    ? `fault.${fault}`
    : i.state === "running" && role
      ? `state.${role}`
      : `state.${i.state}`;
  const tone = fault ? "lost" : i.state === "running" ? (role === "standby" ? "quiet" : "good") : "quiet";
  const verdict = dragging.value ? verdictOf(b.id) : undefined;
  const classes = ["card"];
  if (fault || i.state !== "running") classes.push("dim");
  if (state.selection.value === b.id) classes.push("selected");
  if (verdict) classes.push(verdict.allowed ? "can-take" : "cannot-take");
  const [prefix, name] = badge.split(".") as [string, string];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles Enter and Space for all its items
    <div
      id={`n-${b.id}`}
      role="treeitem"
      aria-level={b.level}
      aria-expanded={true}
      aria-selected={state.selection.value === b.id}
      // What a card counts farther away changes: its name is then what it says.
      aria-label={detail.value === "near" ? `${b.label}, ${word(prefix, name)}, ${i.id}` : undefined}
      tabIndex={tabIndexOf(b.id)}
      onFocus={() => {
        roving.value = b.id;
      }}
      data-instance={i.id}
      class={classes.join(" ")}
      style={place(b)}
      onClick={() => select(b.id)}
    >
      <div class="card-head">
        <strong>{b.label}</strong> <span class={`badge ${tone}`}>{word(prefix, name)}</span>
      </div>{" "}
      {detail.value === "near" ? <div class="card-id">{i.id}</div> : <Sends id={b.id} count={b.value} />}
    </div>
  );
}

/** What a drop on this instance would do; above the chips, which would hide it. */
export function Take({ box: b }: { box: Box }) {
  const v = verdictOf(b.id);
  if (b.kind !== "instance" || !v) return null;
  return (
    <div
      class={`take ${v.allowed ? "" : "refused"}`}
      role="none"
      style={{ transform: `translate(${b.x}px, ${b.y + b.h + 4}px)`, width: `${b.w}px` }}
    >
      {v.allowed ? t("move.drop", { index: v.deviceIndex ?? 1 }) : <Said text={v.message || v.code || ""} />}
    </div>
  );
}

function Slot({ box: b }: { box: Box }) {
  return (
    <div class="slot" aria-hidden="true" style={place(b)}>
      {t("topology.emptySlot", { index: b.value })}
    </div>
  );
}
