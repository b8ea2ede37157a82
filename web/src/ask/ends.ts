import * as state from "../app/state.ts";

// Who can ask and be asked about, by names.

export interface End {
  /** What the server is asked with: an id or an address. */
  value: string;
  /** What is typed and shown. */
  label: string;
  note: string;
}

/** Everybody who can send: instances, interfaces, hosts of the internet. */
export function ends(): End[] {
  const t = state.topology.value;
  if (!t) return [];
  return [
    ...t.instances
      .filter((i) => i.state !== "terminated")
      .map((i) => ({ value: i.id, label: state.instanceName(i.id), note: i.id })),
    ...t.networkInterfaces
      .filter((n) => !n.type || n.type === "interface")
      .map((n) => ({
        value: n.id,
        label: n.tags?.Name || n.id,
        note: `${state.holderName(n.id)} ${state.eniName(n)}`.trim(),
      })),
    ...t.internetHosts.map((h) => ({ value: h.id, label: h.name, note: h.address })),
  ];
}

/** The id or address that a text means: an id, a name that one alone has, an address; "": nothing. */
export function meant(text: string): string {
  const want = text.trim();
  const all = ends();
  if (all.some((e) => e.value === want)) return want;
  const named = all.filter((e) => e.label === want);
  if (named.length === 1) return named[0]!.value;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(want) ? want : "";
}

/** The name of an end, if one alone has it; else what it is. */
export function labelOf(value: string): string {
  const all = ends();
  const e = all.find((x) => x.value === value);
  return e && all.filter((x) => x.label === e.label).length === 1 ? e.label : value;
}

/** Any resource by its name, for sentences. */
export function called(id: string): string {
  const n = state.enisById.value.get(id);
  if (n) return `${state.holderName(id)} ${n.tags?.Name ?? state.eniName(n)}`.trim();
  const t = state.topology.value;
  const g = t?.securityGroups.find((x) => x.id === id);
  if (g) return g.name;
  const list = [
    ...(t?.subnets ?? []),
    ...(t?.internetGateways ?? []),
    ...(t?.natGateways ?? []),
    ...(t?.peeringConnections ?? []),
    ...(t?.transitGateways ?? []),
    ...(t?.routeTables ?? []),
    ...(t?.networkAcls ?? []),
  ];
  return list.find((x) => x.id === id)?.tags?.Name || state.instanceName(id) || id;
}

/** A sentence of the server with names in the place of ids. */
export const withNames = (text: string): string =>
  text.replace(/\b(?:i|eni|subnet|rtb|acl|igw|nat|sg)-[0-9a-f]{8,17}\b/g, (id) => called(id));
