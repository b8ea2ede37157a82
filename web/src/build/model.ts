import { signal } from "@preact/signals";
import type { NetworkInterface } from "../api/types.ts";
import * as state from "../app/state.ts";
import { regionShown, viewVpc } from "../app/view.ts";
import { type Answer, ec2 } from "./api.ts";
import type { Option, Place } from "./form.ts";

// What forms choose from: what there is, by names.

export const lab = () => state.topology.value!;

export const label = (x: { id: string; tags?: Record<string, string>; name?: string }): string => {
  const name = x.name || x.tags?.Name;
  return name ? `${name} · ${x.id}` : x.id;
};

const byName = (list: readonly { id: string; tags?: Record<string, string>; name?: string }[]): Option[] =>
  list.map((x) => ({ value: x.id, label: label(x) }));

export const none: Option = { value: "", label: "–" };

const here = <T extends { region?: string }>(list: readonly T[]): T[] =>
  list.filter((x) => !x.region || x.region === regionShown.value);

export const vpcs = (): Option[] =>
  here(lab().vpcs).map((v) => ({ value: v.id, label: `${v.tags?.Name ?? v.id} · ${v.cidr}` }));
export const subnets = (vpc = ""): Option[] =>
  lab()
    .subnets.filter((s) => !vpc || s.vpcId === vpc)
    .map((s) => ({ value: s.id, label: `${s.tags?.Name ?? s.id} · ${s.cidr} · ${s.zone}` }));
export const groups = (vpc: string): Option[] =>
  lab()
    .securityGroups.filter((g) => !vpc || g.vpcId === vpc)
    .map((g) => ({ value: g.id, label: `${g.name} · ${g.id}` }));
/** Of what was chosen, what is still a choice: those of another VPC are not, after a change of mind. */
export const among = (chosen: string[], options: Option[]): string[] =>
  chosen.filter((id) => options.some((o) => o.value === id));
export const instances = (): Option[] => byName(lab().instances.filter((i) => i.state !== "terminated"));
export const tables = (): Option[] => byName(lab().routeTables ?? []);
export const acls = (): Option[] => byName(lab().networkAcls ?? []);

/** An interface by what holds it, as people know it. */
export const eniLabel = (n: NetworkInterface): string => {
  const owner = n.attachment ? `${state.instanceName(n.attachment.instanceId)} ` : "";
  return `${owner}${n.tags?.Name ?? ""} ${state.eniName(n)}`.replace(/\s+/g, " ").trim();
};
export const enis = (): Option[] =>
  lab()
    .networkInterfaces.filter((n) => !n.type || n.type === "interface")
    .map((n) => ({ value: n.id, label: eniLabel(n) }));

export const freeAddresses = (): Option[] =>
  (lab().addresses ?? [])
    .filter((a) => !a.networkInterfaceId)
    .map((a) => ({ value: a.allocationId, label: `${a.tags?.Name ?? a.allocationId} · ${a.publicIp}` }));

export const vpcOfSubnet = (id: string): string => lab().subnets.find((s) => s.id === id)?.vpcId ?? "";
export const vpcOfTable = (id: string): string => lab().routeTables?.find((r) => r.id === id)?.vpcId ?? "";

/** What a route of a table can lead to. */
export const targets = (table: string): Option[] => {
  const vpc = vpcOfTable(table);
  const t = lab();
  return [
    ...byName((t.internetGateways ?? []).filter((g) => g.vpcId === vpc)),
    ...byName((t.natGateways ?? []).filter((g) => g.vpcId === vpc && g.state !== "deleted")),
    ...t.networkInterfaces
      .filter((n) => n.vpcId === vpc && (!n.type || n.type === "interface"))
      .map((n) => ({ value: n.id, label: eniLabel(n) })),
    ...byName(
      (t.peeringConnections ?? []).filter((p) => p.requester.vpcId === vpc || p.accepter.vpcId === vpc),
    ),
    ...byName((t.transitGateways ?? []).filter((g) => g.attachments.some((a) => a.vpcId === vpc))),
  ];
};

/** The parameter that says a route's target. */
export const targetParameter = (id: string): string =>
  id.startsWith("igw-")
    ? "GatewayId"
    : id.startsWith("nat-")
      ? "NatGatewayId"
      : id.startsWith("pcx-")
        ? "VpcPeeringConnectionId"
        : id.startsWith("tgw-")
          ? "TransitGatewayId"
          : "NetworkInterfaceId";

/** What an id stands in. */
export function placeOf(id: string): Place {
  const t = state.topology.value;
  const at: Place = { vpc: "", subnet: "", instance: "", eni: "", group: "", table: "", acl: "", host: "" };
  if (!t) return at;
  const eni = t.networkInterfaces.find((n) => n.id === id);
  const instance = t.instances.find((i) => i.id === (eni?.attachment?.instanceId ?? id));
  const subnet = t.subnets.find((s) => s.id === (eni?.subnetId ?? instance?.subnetId ?? id));
  const group = t.securityGroups.find((g) => g.id === id);
  const table = t.routeTables?.find((r) => r.id === id);
  const acl = t.networkAcls?.find((a) => a.id === id);
  at.vpc =
    subnet?.vpcId ??
    group?.vpcId ??
    table?.vpcId ??
    acl?.vpcId ??
    (t.vpcs.some((v) => v.id === id) ? id : viewVpc.value || here(t.vpcs).at(-1)?.id || "");
  at.subnet = subnet?.id ?? t.subnets.find((s) => s.vpcId === at.vpc)?.id ?? "";
  at.instance = instance?.id ?? "";
  at.eni = eni?.id ?? instance?.interfaces[0]?.networkInterfaceId ?? "";
  // One that somebody has made, before the one that every VPC has.
  const own = t.securityGroups.filter((g) => g.vpcId === at.vpc);
  at.group = group?.id ?? eni?.groups[0]?.id ?? (own.find((g) => g.name !== "default") ?? own[0])?.id ?? "";
  at.table = table?.id ?? subnet?.routeTableId ?? t.routeTables?.find((r) => r.vpcId === at.vpc)?.id ?? "";
  at.acl = acl?.id ?? subnet?.networkAclId ?? t.networkAcls?.find((a) => a.vpcId === at.vpc)?.id ?? "";
  at.host = t.internetHosts?.some((h) => h.id === id) ? id : "";
  return at;
}

/** Every region that EC2 has; asked for once. */
export const allRegions = signal<readonly string[]>([]);
let regionsAsked = false;
export function needRegions(): void {
  if (regionsAsked) return;
  regionsAsked = true;
  ec2("DescribeRegions", {}).then(
    (a) => {
      const info = a.regionInfo as Answer[] | undefined;
      allRegions.value = (info ?? []).map((r) => String(r.regionName)).sort();
    },
    () => {
      regionsAsked = false; // the next panel asks again
    },
  );
}

/** Zones of the region that is shown; asked for once each. */
export const zones = signal<Readonly<Record<string, string[]>>>({});
export function needZones(): void {
  const region = regionShown.value;
  if (!region || zones.value[region]) return;
  zones.value = { ...zones.value, [region]: [] };
  ec2("DescribeAvailabilityZones", {}).then(
    (a) => {
      const info = a.availabilityZoneInfo as Answer[] | undefined;
      zones.value = { ...zones.value, [region]: (info ?? []).map((z) => String(z.zoneName)) };
    },
    () => undefined, // the field takes any text, and the server says what is wrong
  );
}
export const zoneOptions = (): Option[] =>
  (zones.value[regionShown.value] ?? []).map((z) => ({ value: z, label: z }));

/** A /24 of the VPC that no subnet has, "" if there is none of its first 256. */
export function freeBlock(vpc: string): string {
  const block = lab().vpcs.find((v) => v.id === vpc)?.cidr;
  const m = /^(\d+)\.(\d+)\.(\d+)\.\d+\/(\d+)$/.exec(block ?? "");
  if (!m) return "";
  const taken = new Set(
    lab()
      .subnets.filter((s) => s.vpcId === vpc)
      .map((s) => s.cidr.split(".").slice(0, 3).join(".")),
  );
  const span = Number(m[4]) <= 16 ? 256 : 2 ** Math.max(0, 24 - Number(m[4]));
  for (let i = 0; i < span; i++) {
    const net = `${m[1]}.${m[2]}.${Number(m[3]) + i}`;
    if (!taken.has(net)) return `${net}.0/24`;
  }
  return "";
}
