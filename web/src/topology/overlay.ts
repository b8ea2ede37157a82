import { computed, signal } from "@preact/signals";
import type { Topology } from "../api/types.ts";
import * as state from "../app/state.ts";

// What belongs together though it lies apart: the interfaces of a security group, the
// subnets of an ACL or a route table with what its routes lead to.

export type OverlayKind = "group" | "acl" | "table";

export interface Overlay {
  kind: OverlayKind;
  id: string;
}

/** The ids of all that an overlay lights: interfaces, subnets and route targets. */
export function lightsOf(t: Topology, o: Overlay): Set<string> {
  const lit = new Set<string>();
  if (o.kind === "group") {
    for (const n of t.networkInterfaces) if (n.groups.some((g) => g.id === o.id)) lit.add(n.id);
    return lit;
  }
  for (const s of t.subnets) if ((o.kind === "acl" ? s.networkAclId : s.routeTableId) === o.id) lit.add(s.id);
  if (o.kind !== "table") return lit;
  for (const r of t.routeTables.find((x) => x.id === o.id)?.routes ?? []) if (r.target) lit.add(r.target);
  return lit;
}

/** The interfaces that share a security group with one, itself among them. */
export function kinOf(t: Topology, eni: string): Set<string> {
  const groups = new Set(t.networkInterfaces.find((n) => n.id === eni)?.groups.map((g) => g.id));
  const kin = new Set<string>();
  for (const n of t.networkInterfaces) if (n.groups.some((g) => groups.has(g.id))) kin.add(n.id);
  return kin;
}

/** The overlay that is switched on. */
export const overlay = signal<Overlay | null>(null);
/** The interface under the pointer. */
export const hovered = signal("");

/** What the overlay lights; null: there is none, or what it was of is no more. */
export const lit = computed(() => {
  const t = state.topology.value;
  const o = overlay.value;
  if (!t || !o) return null;
  const list: readonly { id: string }[] =
    o.kind === "group" ? t.securityGroups : o.kind === "acl" ? t.networkAcls : t.routeTables;
  return list.some((x) => x.id === o.id) ? lightsOf(t, o) : null;
});

/** What shares a group with the interface under the pointer. */
export const kin = computed(() => {
  const t = state.topology.value;
  return t && hovered.value ? kinOf(t, hovered.value) : null;
});
