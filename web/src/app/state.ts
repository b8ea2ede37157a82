import { computed, signal } from "@preact/signals";
import type {
  Counters,
  Failover,
  Instance,
  LabEvent,
  NetworkInterface,
  Reason,
  Topology,
  TrafficFlow,
} from "../api/types.ts";
import { BinHistory } from "../stream/bins.ts";
import { Dictionary } from "../stream/dictionary.ts";
import { Ring } from "../stream/ring.ts";
import type { LinkState } from "../stream/socket.ts";

// The page's state. What changes at the rate of packets (ring, bins) is plain
// memory that painters read on their own clock; the rest are signals.

export const ring = new Ring();
export const bins = new BinHistory();
export const dictionary = new Dictionary();

export const topology = signal<Topology | null>(null);
export const topologyError = signal("");
export const failovers = signal<Failover[]>([]);
export const events = signal<LabEvent[]>([]);
export const flows = signal<TrafficFlow[]>([]);
export const trafficPaused = signal(false);
export const counters = signal<Counters | null>(null);
export const reasons = signal<Reason[]>([]);

export const link = signal<{ state: LinkState; retryAt: number }>({ state: "connecting", retryAt: 0 });
export const outdated = signal(false);
/** Wall clock of the last message, for "last data". */
export const lastData = signal(0);
/** 1: every record is sent; n: the server shows one of n. */
export const reducedFactor = signal(1);
/** Estimated share of shown records, from the skipped counts of the last second. */
export const sampling = signal({ shown: 0, skipped: 0 });
export const rates = signal({ accept: 0, reject: 0, lost: 0, control: 0 });
/** Server clock minus browser clock, milliseconds. */
export const clockOffset = signal(0);

export const selection = signal("");
export const inspectorTab = signal<"failover" | "eni" | "instance" | "path">("failover");
export const inspectorOpen = signal(false);
/** Ordinal of the selected packet in the ring, or -1. */
export const packet = signal(-1);
export const packetsPaused = signal(false);
export const dotsPaused = signal(false);
export const reducedMotion = signal(matchMedia("(prefers-reduced-motion: reduce)").matches);
matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", (e) => {
  reducedMotion.value = e.matches;
});

export const enisById = computed(
  () => new Map(topology.value?.networkInterfaces.map((n) => [n.id, n] as const) ?? []),
);
export const instancesById = computed(
  () => new Map(topology.value?.instances.map((i) => [i.id, i] as const) ?? []),
);

export const serverNow = (): number => Date.now() + clockOffset.value;

export const instanceName = (id: string | undefined): string => {
  if (!id) return "";
  const i = instancesById.value.get(id);
  return i?.name || i?.tags?.Name || id;
};

export const eniName = (n: NetworkInterface): string => {
  const address = primaryAddress(n);
  return n.attachment ? `eth${n.attachment.deviceIndex} ${address}` : address || n.id;
};

export const primaryAddress = (n: NetworkInterface): string =>
  (n.privateIps.find((p) => p.primary) ?? n.privateIps[0])?.address ?? "";

/** The instance whose failure the lab is about: owner of the policy's ENI, else the active role. */
export const activeInstance = computed<Instance | null>(() => {
  const t = topology.value;
  if (!t) return null;
  for (const p of t.policies ?? []) {
    const owner = enisById.value.get(p.networkInterfaceId)?.attachment?.instanceId;
    const i = owner ? instancesById.value.get(owner) : undefined;
    if (i) return i;
  }
  return t.instances.find((i) => i.role === "active") ?? null;
});

/** The interface that clients talk to: the policy's, else the active instance's last. */
export const servedEni = computed<NetworkInterface | null>(() => {
  const t = topology.value;
  if (!t) return null;
  const id = t.policies?.[0]?.networkInterfaceId;
  if (id) return enisById.value.get(id) ?? null;
  const active = activeInstance.value;
  const last = active?.interfaces.at(-1)?.networkInterfaceId;
  return last ? (enisById.value.get(last) ?? null) : null;
});

export const faulted = computed<Instance[]>(() => topology.value?.instances.filter((i) => i.fault) ?? []);

export const isOwnedBy = (n: NetworkInterface, instanceId: string): boolean =>
  n.attachment?.instanceId === instanceId && n.attachment.state !== "detached";

/** Failover under way now, or null. */
export const runningFailover = computed<Failover | null>(
  () => failovers.value.find((f) => f.state === "running") ?? null,
);

let frames = 0;
let fps = 60;
let since = performance.now();

/** Counts a painted animation frame; the server adapts the stream to the rate. */
export function framePainted(): void {
  frames++;
  const now = performance.now();
  if (now - since >= 1000) {
    fps = Math.round((frames * 1000) / (now - since));
    frames = 0;
    since = now;
  }
}

export const framesPerSecond = (): number => fps;
