import { computed, signal } from "@preact/signals";
import type {
  Counters,
  Failover,
  Instance,
  InternetHost,
  LabEvent,
  NetworkInterface,
  Policy,
  PolicyStatus,
  Reason,
  Step,
  Topology,
  TrafficFlow,
} from "../api/types.ts";
import { BinHistory } from "../stream/bins.ts";
import { Dictionary } from "../stream/dictionary.ts";
import { Ring } from "../stream/ring.ts";
import type { LinkState } from "../stream/socket.ts";
import { motionOff } from "./prefs.ts";

const asked = new URLSearchParams(location.search);

// The page's state. What changes at the rate of packets (ring, bins) is plain
// memory that painters read on their own clock; the rest are signals.

export const ring = new Ring();
export const bins = new BinHistory();
/** Whether a bin has come yet: until then nothing is known of what it covers. */
export const binsBegun = signal(false);
export const dictionary = new Dictionary();

export const topology = signal<Topology | null>(null);
export const topologyError = signal("");
export const failovers = signal<Failover[]>([]);
export const events = signal<LabEvent[]>([]);
export const flows = signal<TrafficFlow[]>([]);
/** How each policy's watch stands, by id; it changes without an event. */
export const policyStatus = signal<Readonly<Record<string, PolicyStatus>>>({});
export const trafficPaused = signal(false);
export const counters = signal<Counters | null>(null);
export const reasons = signal<Reason[]>([]);
/** Where on its path a frame can end, by the number that records carry. */
export const steps = signal<Step[]>([]);

export const link = signal<{ state: LinkState; retryAt: number }>({ state: "connecting", retryAt: 0 });
export const outdated = signal(false);
/** Whether the numbers that are shown are old: the lab was there and does not speak now. */
export const offline = computed(() => lastData.value > 0 && link.value.state !== "live");
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
export const inspectorTab = signal<"failover" | "eni" | "instance" | "network" | "path" | "build">(
  "failover",
);
export const inspectorOpen = signal(false);
/** Ordinal of the selected packet in the ring, or -1. */
export const packet = signal(-1);
export const packetsPaused = signal(false);
export const dotsPaused = signal(false);
const systemReduces = signal(matchMedia("(prefers-reduced-motion: reduce)").matches);
matchMedia("(prefers-reduced-motion: reduce)").addEventListener("change", (e) => {
  systemReduces.value = e.matches;
});
/** Whether things move less: the system's wish, or a person's for this page. */
export const reducedMotion = computed(() => systemReduces.value || motionOff.value);

/** The region that is shown; "": the server's. */
export const viewRegion = signal(asked.get("region") ?? "");
/** The VPC that is shown alone; "": all of the region. */
export const viewVpc = signal(asked.get("vpc") ?? "");

/** Whether a VPC is among what is shown. */
export const inView = (vpcId: string): boolean => {
  const t = topology.value;
  const vpc = t?.vpcs.find((v) => v.id === vpcId);
  if (!vpc) return viewVpc.value === "" && viewRegion.value === "";
  // A chosen VPC that is no more leaves the choice to all there are.
  const chosen = t?.vpcs.some((v) => v.id === viewVpc.value) ? viewVpc.value : "";
  return (!vpc.region || vpc.region === (viewRegion.value || t?.region)) && (!chosen || chosen === vpcId);
};

export const enisById = computed(
  () => new Map(topology.value?.networkInterfaces.map((n) => [n.id, n] as const) ?? []),
);
export const instancesById = computed(
  () => new Map(topology.value?.instances.map((i) => [i.id, i] as const) ?? []),
);

export const hostsById = computed(
  () => new Map<string, InternetHost>(topology.value?.internetHosts?.map((h) => [h.id, h] as const) ?? []),
);

/** The places that a traced frame has passed, and how it ended; null: none is shown. */
export const traced = signal<{ places: readonly string[]; verdict: string } | null>(null);
/** The places that a predicted packet would pass, drawn until it is taken away; null: none is shown. */
export const predicted = signal<{ places: readonly string[]; verdict: string } | null>(null);
export const shownTrace = computed(
  () => predicted.value ?? (inspectorTab.value === "path" ? traced.value : null),
);
/** How many assertions do not hold, as far as somebody has asked. */
export const redAssertions = signal(0);
export const onPath = computed(() => new Set(shownTrace.value?.places ?? []));

/** A subnet by its name, for people. */
export const subnetName = (id: string): string =>
  topology.value?.subnets.find((s) => s.id === id)?.tags?.Name ?? id;

/** The state of a peering connection, a transit gateway or an endpoint. */
export const linkState = (id: string): string =>
  topology.value?.peeringConnections?.find((p) => p.id === id)?.state ??
  topology.value?.transitGateways?.find((g) => g.id === id)?.state ??
  topology.value?.vpcEndpoints?.find((e) => e.id === id)?.state ??
  "";

/** What holds an interface's end of the wire, for people: an instance or a host of the internet. */
export const holderName = (id: string): string => {
  const host = hostsById.value.get(id);
  if (host) return host.name;
  const n = enisById.value.get(id);
  return n?.attachment ? instanceName(n.attachment.instanceId) : "";
};

export const serverNow = (): number => Date.now() + clockOffset.value;

/** The name of an instance, or of a host of the internet: either can be a client and answer. */
export const instanceName = (id: string | undefined): string => {
  if (!id) return "";
  const i = instancesById.value.get(id);
  return i?.name || i?.tags?.Name || hostsById.value.get(id)?.name || id;
};

export const eniName = (n: NetworkInterface): string => {
  const address = primaryAddress(n);
  return n.attachment ? `eth${n.attachment.deviceIndex} ${address}` : address || n.id;
};

export const primaryAddress = (n: NetworkInterface): string =>
  (n.privateIps.find((p) => p.primary) ?? n.privateIps[0])?.address ?? "";

/** The policy whose interface is shown: of others in this region or elsewhere, this page says and does nothing. */
const shownPolicy = computed(
  () =>
    topology.value?.policies?.find((p) => inView(enisById.value.get(p.networkInterfaceId)?.vpcId ?? "")) ??
    null,
);

/** The instance whose failure the lab is about: owner of the policy's ENI, else the active role. */
export const activeInstance = computed<Instance | null>(() => {
  const t = topology.value;
  if (!t) return null;
  for (const p of t.policies ?? []) {
    const owner = enisById.value.get(p.networkInterfaceId)?.attachment?.instanceId;
    const i = owner ? instancesById.value.get(owner) : undefined;
    if (i && inView(i.vpcId)) return i;
  }
  return t.instances.find((i) => i.role === "active" && inView(i.vpcId)) ?? null;
});

/** The interface that clients talk to: the policy's, else the active instance's last. */
export const servedEni = computed<NetworkInterface | null>(() => {
  const t = topology.value;
  if (!t) return null;
  const id = shownPolicy.value?.networkInterfaceId;
  if (id) return enisById.value.get(id) ?? null;
  const active = activeInstance.value;
  const last = active?.interfaces.at(-1)?.networkInterfaceId;
  return last ? (enisById.value.get(last) ?? null) : null;
});

/** The address by which clients know an interface: its public one, if any on the internet talk to it. */
export function servedAddress(n: NetworkInterface): string {
  const open = n.privateIps.find((p) => p.publicIp)?.publicIp;
  const asked = topology.value?.internetHosts?.some((h) => h.workloads.some((w) => w.target === open));
  return open && asked ? open : primaryAddress(n);
}

/** Who has failed of what is shown. */
export const faulted = computed<Instance[]>(
  () => topology.value?.instances.filter((i) => i.fault && inView(i.vpcId)) ?? [],
);

/** The policy of the served interface, and how its watch stands. */
export const servedPolicy = computed<Policy | null>(() => {
  const eni = servedEni.value?.id;
  return topology.value?.policies?.find((p) => p.networkInterfaceId === eni) ?? null;
});

export const statusOf = (p: Policy): PolicyStatus => policyStatus.value[p.id] ?? p.status;

/** When the owner of the served interface failed, milliseconds of the server's clock; 0: it has not. */
export const servedFault = computed(() => {
  const owner = instancesById.value.get(servedEni.value?.attachment?.instanceId ?? "");
  return owner?.fault ? Date.parse(owner.faultAt ?? "") || 0 : 0;
});

/** Whether a record is of an interface that moved, and not of addresses or a route. */
export const isOfInterface = (f: Failover): boolean =>
  (f.moved?.kind ?? "network-interface") === "network-interface";

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
