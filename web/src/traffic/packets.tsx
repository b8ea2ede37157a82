import { signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as state from "../app/state.ts";
import { count, language, short, t, word } from "../i18n/i18n.ts";
import { Accept, Reject } from "../stream/ring.ts";
import { Table } from "./table.ts";
import { everything, Window } from "./window.ts";

const window_ = new Window(state.ring);
const following = signal(true);
const shown = signal({ length: 0, newer: 0 });
type Only = "all" | "accept" | "reject" | "lost" | "control";
const only = signal<Only>("all");
const onlySelected = signal(false);
let table: Table | null = null;

const bits: Record<Only, number> = {
  all: everything.verdicts,
  accept: 1 << 1,
  reject: 1 << 2,
  lost: 1 << 3,
  control: 1 << 4,
};

/** What decided: the rule that accepted or rejected, else the reason. A frame is never lost by a rule. */
export function decidedBy(ordinal: number): string {
  const i = state.ring.slot(ordinal);
  const verdict = state.ring.verdict[i];
  const rule = state.dictionary.rule(state.ring.rule[i]!);
  if (rule && (verdict === Accept || verdict === Reject)) return rule;
  return verdict === Accept ? "" : (state.reasons.value[state.ring.reason[i]!]?.name ?? "");
}

/** Whose interface it was at an instant, in words. */
export function stationAt(id: string, micros: number): string {
  const n = state.enisById.value.get(id);
  if (!n) return state.hostsById.value.get(id)?.name ?? id;
  const nat =
    n.type === "nat_gateway" && state.topology.value?.natGateways?.find((g) => g.networkInterfaceId === id);
  if (nat) return `${t("gateway.nat")} ${nat.tags?.Name ?? nat.id}`;
  const owner = state.ownerAt(n, micros);
  const index = n.attachment ? ` eth${n.attachment.deviceIndex}` : "";
  return owner ? `${state.instanceName(owner)}${index}` : n.id;
}

export function followNewest(): void {
  following.value = true;
  state.packetsPaused.value = false;
  state.packet.value = -1;
  window_.thaw();
  table?.toTop();
}

export function togglePause(): void {
  const pause = !state.packetsPaused.value;
  if (pause) {
    state.packetsPaused.value = true;
    following.value = false;
    window_.freeze();
  } else followNewest();
}

function unfollow(): void {
  following.value = false;
  window_.freeze();
}

function pick(ordinal: number): void {
  unfollow();
  state.packet.value = state.packet.value === ordinal ? -1 : ordinal;
}

/** Selects the next (older) or previous (newer) packet of what is shown. */
export function stepPacket(by: number): void {
  window_.sync();
  if (window_.length === 0) return;
  unfollow();
  const row = state.packet.value < 0 ? -1 : window_.rowOf(state.packet.value);
  const next = Math.min(window_.length - 1, Math.max(0, row < 0 ? 0 : row + by));
  state.packet.value = window_.at(next);
  table?.reveal(state.packet.value);
}

const headings = [
  "no",
  "time",
  "source",
  "destination",
  "proto",
  "ports",
  "length",
  "verdict",
  "rule",
  "eni",
] as const;

export function Packets() {
  const scroller = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    table = new Table(scroller.current!, body.current!, state.ring, window_, state.dictionary, {
      words: {
        verdict: (name) => word("verdict", name),
        decidedBy,
        eni: stationAt,
      },
      pick,
      unfollow,
      painted(length, newer) {
        const was = shown.peek();
        if (was.length !== length || was.newer !== newer) shown.value = { length, newer };
      },
    });
    return () => {
      table?.close();
      table = null;
    };
  }, []);
  useSignalEffect(() => {
    language.value;
    state.reasons.value;
    state.enisById.value;
    state.failovers.value;
    const vnic = onlySelected.value ? state.dictionary.vnic(state.selection.value) : 0;
    window_.setMatch({ verdicts: bits[only.value], vnic });
    table?.refresh();
  });
  useSignalEffect(() => {
    if (table) {
      table.selected = state.packet.value;
      table.refresh();
    }
  });

  const { length } = shown.value;
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.key === "ArrowDown") stepPacket(1);
    else if (e.key === "ArrowUp") stepPacket(-1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="packets">
      <PacketTools />
      <div
        class="grid"
        role="grid"
        aria-label={t("packets.label")}
        aria-rowcount={length + 1}
        aria-colcount={headings.length}
        aria-readonly="true"
      >
        <div
          class="grid-scroll"
          ref={scroller}
          role="rowgroup"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard
          tabIndex={0}
          aria-label={t("packets.label")}
          onKeyDown={onKeyDown}
        >
          <div class="row head" role="row" aria-rowindex={1}>
            {headings.map((h) => (
              <span key={h} role="columnheader">
                {t(`packets.${h}`)}
              </span>
            ))}
          </div>
          <div class="grid-body" ref={body} role="presentation" />
        </div>
      </div>
      {length === 0 && <Nothing />}
    </div>
  );
}

function Nothing() {
  const filtered = only.value !== "all" || onlySelected.value;
  return (
    <div class="grid-empty">
      <strong>
        {filtered
          ? t("packets.emptyFilter", { count: Math.min(state.ring.end, state.ring.capacity) })
          : t("packets.empty")}
      </strong>
      {!filtered && <span>{t("packets.emptyHint")}</span>}
    </div>
  );
}

function PacketTools() {
  const paused = state.packetsPaused.value;
  const selected = state.enisById.value.get(state.selection.value);
  return (
    <div class="tools">
      <fieldset class="segments">
        <legend class="hidden">{t("packets.only")}</legend>
        {(["all", "accept", "reject", "lost", "control"] as const).map((v) => (
          <button
            key={v}
            type="button"
            aria-pressed={only.value === v}
            class={v === "all" ? "" : `mark ${v}`}
            onClick={() => {
              only.value = v;
            }}
          >
            {v === "all" ? t("packets.all") : t(`verdict.${v}`)}
          </button>
        ))}
      </fieldset>
      {selected && (
        <label class="check-row">
          <input
            type="checkbox"
            checked={onlySelected.value}
            onChange={(e) => {
              onlySelected.value = e.currentTarget.checked;
            }}
          />
          {t("packets.onlySelected", { name: state.eniName(selected) })}
        </label>
      )}
      <span class="spacer" />
      {!following.value && shown.value.newer > 0 && (
        <button type="button" class="pill" onClick={followNewest}>
          {t("packets.newer", { count: shown.value.newer })} <kbd>L</kbd>
        </button>
      )}
      <SampleNotice />
      <button type="button" aria-pressed={paused} onClick={togglePause}>
        {paused ? t("packets.resume") : t("packets.pause")} <kbd>Space</kbd>
      </button>
    </div>
  );
}

/** What share of the traffic the rows are; the rate itself is always exact. */
function SampleNotice() {
  const r = state.rates.value;
  const rate = r.accept + r.reject + r.lost + r.control;
  const { shown: rows, skipped } = state.sampling.value;
  const factor = Math.max(state.reducedFactor.value, rows > 0 ? Math.round((rows + skipped) / rows) : 1);
  return (
    <span class="notice">
      {factor > 1
        ? t("packets.sampleSome", { factor: count(factor), rate: short(rate) })
        : t("packets.sampleAll", { rate: short(rate) })}
    </span>
  );
}
