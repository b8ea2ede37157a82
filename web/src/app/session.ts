import { batch } from "@preact/signals";
import { get } from "../api/client.ts";
import { plainNames } from "../api/names.ts";
import type {
  Counters,
  Failover,
  LabEvent,
  PolicyStatus,
  Reason,
  Status,
  Topology,
  TrafficFlow,
} from "../api/types.ts";
import { instant, t } from "../i18n/i18n.ts";
import {
  CodecError,
  decodeBins,
  decodeHeader,
  decodePackets,
  type Edge,
  typeBins,
  typeMatches,
  typePackets,
} from "../stream/codec.ts";
import { BrokenMessage, type Message, Socket } from "../stream/socket.ts";
import * as filter from "../traffic/filter.ts";
import { say } from "../ui/announce.ts";
import { toast } from "../ui/toast.tsx";
import { faultSettled, onFailoverChange } from "./drill.ts";
import * as state from "./state.ts";

const keepEvents = 500;
const recentEvents = 200;
const hiddenCloseMs = 5 * 60_000;

type EdgeListener = (startMicros: number, widthMs: number, edge: Edge) => void;
const edgeListeners = new Set<EdgeListener>();

/** Calls fn for each edge of each bin of what the filter lets through; returns the way to stop. */
export function onEdges(fn: EdgeListener): () => void {
  edgeListeners.add(fn);
  return () => edgeListeners.delete(fn);
}

let epoch = "";
let cursor = 0;
let eventSeq = 0;
let skippedLately = 0;
let shownLately = 0;
let wasDown = false;
/** The filter with which the connection began. */
let began = "";

function resume(): URLSearchParams {
  const q = new URLSearchParams();
  began = filter.asked.value ?? filter.filter.value;
  if (began) q.set("filter", began);
  if (epoch) {
    q.set("epoch", epoch);
    if (cursor > 0) q.set("cursor", String(cursor));
    q.set("eventSeq", String(eventSeq));
  }
  return q;
}

function binary(view: DataView): void {
  try {
    const h = decodeHeader(view);
    if (h.type === typePackets) {
      decodePackets(view, h, state.ring);
      if (h.count > 0) cursor = state.ring.seq[state.ring.slot(state.ring.end - 1)]! + 1;
      shownLately += h.count;
      skippedLately += h.skipped;
      if (pinned >= 0) findPinned(h.count);
    } else if (h.type === typeBins) {
      const width = h.matched || state.bins.widthMs;
      state.bins.touch(h.baseMicros);
      state.binsBegun.value = true;
      const all = filter.filter.value === "";
      decodeBins(view, h, (e) => {
        state.bins.add(h.baseMicros, e);
        if (all) for (const fn of edgeListeners) fn(h.baseMicros, width, e);
      });
    } else if (h.type === typeMatches) {
      decodeBins(view, h, (e) => {
        for (const fn of edgeListeners) fn(h.baseMicros, h.matched, e);
      });
    }
  } catch (err) {
    // RangeError: shorter than it says it is.
    if (err instanceof CodecError || err instanceof RangeError) throw new BrokenMessage(err.message);
    throw err;
  }
}

/** The number of the record that was selected when the rows went; -1: none. */
let pinned = -1;

/** The selected frame stays selected among the rows of another filter. */
function findPinned(among: number): void {
  for (let o = state.ring.end - among; o < state.ring.end; o++) {
    if (state.ring.seq[state.ring.slot(o)] !== pinned) continue;
    state.packet.value = o;
    pinned = -1;
    return;
  }
}

function filtered(m: { n: number; filter: string; error?: filter.Fault }): void {
  if (!filter.settled(m.n, m.filter, m.error)) return;
  const o = state.packet.value;
  pinned = state.ring.holds(o) ? state.ring.seq[state.ring.slot(o)]! : -1;
  state.ring.clear();
  state.sampling.value = { shown: 0, skipped: 0 };
}

function text(m: Message): void {
  switch (m.type) {
    case "filtered":
      filtered(m as unknown as Parameters<typeof filtered>[0]);
      break;
    case "matches":
      filter.counted(m as unknown as Parameters<typeof filter.counted>[0]);
      break;
    case "hello":
      hello(m as unknown as { epoch: string; cursor: string; eventSeq: number; now: string });
      break;
    case "dict":
      state.dictionary.learn(String(m.kind), m.items as Parameters<typeof state.dictionary.learn>[1]);
      break;
    case "event":
      event(m as unknown as { seq: number; at: string; event: string; resource: string; detail?: unknown });
      break;
    case "failover":
      putFailover(m.failover as Failover);
      break;
    case "gap": {
      const n = Number(m.to) - Number(m.from);
      if (m.of === "packets" && n > 0) toast(t("packets.gap", { count: n }));
      break;
    }
    case "status":
      status(m as unknown as Counters & { counters?: Counters; flows?: TrafficFlow[]; reasons?: Reason[] });
      break;
    case "reduced":
      state.reducedFactor.value = Number(m.factor) || 1;
      break;
  }
}

function hello(m: { epoch: string; cursor: string; eventSeq: number; now: string }): void {
  // The server tells each connection anew what its numbers mean.
  state.dictionary.clear();
  state.clockOffset.value = instant(m.now) - Date.now();
  if (epoch && epoch !== m.epoch) {
    toast(t("link.restarted"));
    eventSeq = 0;
  }
  void checkPage();
  if (epoch !== m.epoch || wasDown || !state.topology.value) void readTopology();
  epoch = m.epoch;
  state.reducedFactor.value = 1;
  filter.connected(began);
  if (wasDown) say(t("say.restored"));
  wasDown = false;
}

function event(m: { seq: number; at: string; event: string; resource: string; detail?: unknown }): void {
  eventSeq = Math.max(eventSeq, m.seq);
  // Records of a laboratory that is no more are on no list of the new one.
  if (m.event === "laboratory.reset") state.failovers.value = [];
  const one: LabEvent = { seq: m.seq, at: m.at, type: m.event, resource: m.resource, detail: m.detail };
  state.events.value = [one, ...state.events.value.filter((e) => e.seq !== m.seq)].slice(0, keepEvents);
  changed();
}

function status(
  m: Counters & {
    counters?: Counters;
    flows?: TrafficFlow[];
    paused?: boolean;
    policies?: Record<string, PolicyStatus>;
  },
): void {
  batch(() => {
    if (m.policies) state.policyStatus.value = m.policies;
    state.counters.value = m.counters ?? (m.byVerdict ? m : state.counters.value);
    if (m.flows) state.flows.value = m.flows;
    if (typeof m.paused === "boolean") state.trafficPaused.value = m.paused;
    state.rates.value = state.bins.rates(1000);
    state.sampling.value = { shown: shownLately, skipped: skippedLately };
    shownLately = 0;
    skippedLately = 0;
  });
}

function putFailover(f: Failover): void {
  const list = state.failovers.value;
  const known = list.findIndex((x) => x.id === f.id);
  const before = known >= 0 ? list[known] : undefined;
  state.failovers.value = known >= 0 ? list.map((x) => (x.id === f.id ? f : x)) : [f, ...list];
  onFailoverChange(f, before);
  // A move ends with an event too, but the record can be first to say so.
  changed();
}

let pageTag = "";

/** Whether the server still has the page that this is: another has other code behind its names. */
async function checkPage(): Promise<void> {
  try {
    const tag =
      (await fetch("/assets/app.js", { method: "HEAD", cache: "no-store" })).headers.get("etag") ?? "";
    if (pageTag && tag && tag !== pageTag) state.outdated.value = true;
    pageTag ||= tag;
  } catch {
    // The next connection asks again.
  }
}

let reading = false;
let again = false;
/** Of the time reading at most a third: what took long is not asked for again at once. */
const rest = 2;
const longestRestMs = 3000;

/** Re-reads the topology, one request at a time; changes meanwhile cause one more. */
export function changed(): void {
  if (reading) {
    again = true;
    return;
  }
  void readTopology();
}

async function readTopology(): Promise<void> {
  reading = true;
  const began = performance.now();
  try {
    const next = await get<Topology>("/topology");
    plainNames(next);
    batch(() => {
      state.topology.value = next;
      state.topologyError.value = "";
      state.policyStatus.value = Object.fromEntries((next.policies ?? []).map((p) => [p.id, p.status]));
      faultSettled(next.instances.some((i) => i.fault));
      // Records on the stream are at least as new as those of this answer.
      const live = new Map(state.failovers.value.map((f) => [f.id, f]));
      state.failovers.value = mergeFailovers(next.failovers ?? [], live);
    });
    eventSeq = Math.max(eventSeq, next.eventSeq ?? 0);
  } catch (err) {
    state.topologyError.value = err instanceof Error ? err.message : String(err);
  }
  // A small laboratory is read in a few milliseconds, and rests as briefly.
  setTimeout(
    () => {
      reading = false;
      if (!again) return;
      again = false;
      void readTopology();
    },
    Math.min(longestRestMs, rest * (performance.now() - began)),
  );
}

function mergeFailovers(read: Failover[], live: Map<string, Failover>): Failover[] {
  const merged = read.map((f) => {
    const l = live.get(f.id);
    return l && l.state !== "running" && f.state === "running" ? l : f;
  });
  const ids = new Set(merged.map((f) => f.id));
  for (const f of live.values()) if (!ids.has(f.id)) merged.push(f);
  return merged.sort((a, b) => instant(b.startedAt) - instant(a.startedAt)).slice(0, 50);
}

const socket = new Socket({
  resume,
  binary(view) {
    state.lastData.value = Date.now();
    binary(view);
  },
  text(m) {
    state.lastData.value = Date.now();
    text(m);
  },
  state(s, retryInMs) {
    if (s === "down" && !wasDown && epoch) {
      wasDown = true;
      say(t("say.lost"), true);
    }
    state.link.value = { state: s, retryAt: Date.now() + retryInMs };
  },
  broken(err) {
    console.warn("stream:", err.message);
    // What cannot be read is not asked for again: the rows begin anew.
    cursor = 0;
    toast(t("link.broken"));
  },
  outdated() {
    state.outdated.value = true;
  },
});

/** Reads the events that were there before this page. */
async function readEvents(): Promise<void> {
  const after = Math.max(0, eventSeq - recentEvents);
  try {
    const page = await get<{ items: LabEvent[] }>(`/events?after=${after}&limit=${recentEvents}`);
    const known = new Set(state.events.value.map((e) => e.seq));
    const older = page.items.filter((e) => !known.has(e.seq));
    state.events.value = [...state.events.value, ...older].sort((a, b) => b.seq - a.seq).slice(0, keepEvents);
  } catch {
    // The list begins with what the stream brings; a lost server shows its own banner.
  }
}

/** Starts the page's session: state first, then the stream. */
export function start(): void {
  filter.startFilter();
  filter.onWish((n, text) => socket.send({ type: "filter", n, filter: text }));
  void readTopology().then(readEvents);
  void get<Status>("/status").then(
    (s) => {
      state.reasons.value = s.reasons ?? [];
      state.steps.value = s.steps ?? [];
      state.counters.value = s.counters ?? null;
    },
    () => undefined,
  );
  socket.open();
  setInterval(
    () => socket.send({ type: "ack", cursor: String(cursor), fps: state.framesPerSecond(), backlog: 0 }),
    500,
  );

  let hiddenTimer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      socket.send({ type: "mode", mode: "bins-only" });
      hiddenTimer = window.setTimeout(() => socket.close(), hiddenCloseMs);
    } else {
      socket.open();
      socket.send({ type: "mode", mode: "live" });
      changed();
    }
  });
  addEventListener("pagehide", () => socket.close());
  addEventListener("pageshow", (e) => {
    if (e.persisted) socket.open();
  });
}
