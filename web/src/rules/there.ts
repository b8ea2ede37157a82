import { signal } from "@preact/signals";
import * as state from "../app/state.ts";
import { type Answer, ec2 } from "../build/api.ts";
import type { Option } from "../build/form.ts";
import { groups, targets } from "../build/model.ts";
import type { KindId, Row } from "./rows.ts";

// What there is, as rows, and what rows can name.

const group = (id: string) => state.topology.value?.securityGroups.find((g) => g.id === id);
const table = (id: string) => state.topology.value?.routeTables?.find((r) => r.id === id);
const acl = (id: string) => state.topology.value?.networkAcls?.find((a) => a.id === id);

const thing = (kind: KindId, id: string) =>
  kind === "sg" ? group(id) : kind === "rtb" ? table(id) : acl(id);

export const etagNow = (kind: KindId, id: string): string => thing(kind, id)?.etag ?? "";
export const vpcOf = (kind: KindId, id: string): string => thing(kind, id)?.vpcId ?? "";

export function nameOf(kind: KindId, id: string): string {
  const g = kind === "sg" ? group(id) : undefined;
  return g?.name ?? thing(kind, id)?.tags?.Name ?? id;
}

/** Everything of a kind, by name. */
export function all(kind: KindId): Option[] {
  const t = state.topology.value;
  const vpc = (id: string): string => t?.vpcs.find((v) => v.id === id)?.tags?.Name ?? id;
  const of = kind === "sg" ? t?.securityGroups : kind === "rtb" ? t?.routeTables : t?.networkAcls;
  return (of ?? [])
    .map((x) => {
      const name = nameOf(kind, x.id);
      return { value: x.id, label: `${name === x.id ? "" : `${name} · `}${x.id} · ${vpc(x.vpcId)}` };
    })
    .sort((a, b) => a.label.localeCompare(b.label));
}

/** The instances and subnets that a draft of this is about. */
export function usedBy(kind: KindId, id: string): string[] {
  const t = state.topology.value;
  if (!t) return [];
  if (kind !== "sg") {
    const ids = (kind === "rtb" ? table(id) : acl(id))?.subnetIds ?? [];
    return ids.map(state.subnetName);
  }
  return t.networkInterfaces
    .filter((n) => n.groups.some((g) => g.id === id))
    .map((n) => `${state.holderName(n.id)} ${state.eniName(n)}`.trim());
}

const span = (from?: number, to?: number): string =>
  from === undefined || from < 0 || (from === 0 && to === 65535)
    ? ""
    : from === to || to === undefined
      ? String(from)
      : `${from}-${to}`;

const typeAndCode = (type?: number, code?: number): string =>
  type === undefined || type < 0 ? "" : code === undefined || code < 0 ? String(type) : `${type}/${code}`;

const proto = (p: string): string => (p === "-1" ? "all" : p);

/** The rows of what there is now. */
export function rowsNow(kind: KindId, id: string): Row[] {
  if (kind === "rtb")
    return (table(id)?.routes ?? []).map((r) => ({
      key: r.destination,
      destination: r.destination,
      target: r.target,
    }));
  if (kind === "acl")
    return (acl(id)?.entries ?? []).map((e) => ({
      key: `${e.direction} ${e.number}`,
      direction: e.direction,
      number: String(e.number),
      action: e.allow ? "allow" : "deny",
      protocol: proto(e.protocol),
      ports: e.protocol === "icmp" ? typeAndCode(e.icmpType, e.icmpCode) : span(e.fromPort, e.toPort),
      peer: e.cidr,
    }));
  return (group(id)?.rules ?? []).map((r) => ({
    key: r.id,
    direction: r.direction,
    protocol: proto(r.protocol),
    ports: r.protocol === "icmp" ? typeAndCode(r.fromPort, r.toPort) : span(r.fromPort, r.toPort),
    peer: r.cidr ?? r.groupId ?? r.prefixListId ?? "",
    description: r.description ?? "",
  }));
}

/** Prefix lists; asked for once the editor is opened. */
export const prefixLists = signal<readonly Option[]>([]);
export function needPrefixLists(): void {
  ec2("DescribeManagedPrefixLists", {}).then(
    (a) => {
      // None are the empty text.
      const all: Answer[] = Array.isArray(a.prefixListSet) ? a.prefixListSet : [];
      prefixLists.value = all.map((p) => ({
        value: String(p.prefixListId),
        label: `${p.prefixListName} · ${p.prefixListId}`,
      }));
    },
    () => undefined, // the field takes any text, and the server says what is wrong
  );
}

/** What can be chosen for a column, beside what is typed. */
export function choices(kind: KindId, id: string, column: string): Option[] {
  if (column === "target") return [{ value: "local", label: "local" }, ...targets(id)];
  if (column === "destination") return [{ value: "0.0.0.0/0", label: "0.0.0.0/0" }, ...prefixLists.value];
  const blocks = [
    { value: "0.0.0.0/0", label: "0.0.0.0/0" },
    ...(state.topology.value?.subnets ?? [])
      .filter((s) => s.vpcId === vpcOf(kind, id))
      .map((s) => ({ value: s.cidr, label: `${s.cidr} · ${s.tags?.Name ?? s.id}` })),
  ];
  return kind === "sg" ? [...groups(vpcOf(kind, id)), ...prefixLists.value, ...blocks] : blocks;
}

/** A peer or a target by its name, for people; "" if it has none. */
export function named(value: string): string {
  const t = state.topology.value;
  if (value.startsWith("sg-")) return group(value)?.name ?? "";
  if (value.startsWith("pl-"))
    return prefixLists.value.find((p) => p.value === value)?.label.split(" · ")[0] ?? "";
  if (value.startsWith("eni-")) {
    const n = state.enisById.value.get(value);
    return n ? `${state.holderName(value)} ${state.eniName(n)}`.trim() : "";
  }
  const all = [
    ...(t?.internetGateways ?? []),
    ...(t?.natGateways ?? []),
    ...(t?.peeringConnections ?? []),
    ...(t?.transitGateways ?? []),
  ];
  return all.find((x) => x.id === value)?.tags?.Name ?? "";
}
