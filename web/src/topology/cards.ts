import type { Instance, NetworkInterface, Topology } from "../api/types.ts";
import { natGateways } from "./outside.ts";
import { type Box, byId, type Layout, size } from "./shapes.ts";

// What is in a subnet, and where.

const maxInstances = 60;
const columnHeight = 6;
const firstColumns = 3;

const roleRank: Record<string, number> = { client: 0, active: 1, standby: 2 };

function byPlace(a: Instance, b: Instance): number {
  const rank = (roleRank[a.role ?? ""] ?? 3) - (roleRank[b.role ?? ""] ?? 3);
  if (rank !== 0) return rank;
  const launched = (a.launchedAt ?? "") < (b.launchedAt ?? "") ? -1 : a.launchedAt === b.launchedAt ? 0 : 1;
  return launched || byId(a, b);
}

const byDevice = (a: NetworkInterface, b: NetworkInterface): number =>
  (a.attachment?.deviceIndex ?? 0) - (b.attachment?.deviceIndex ?? 0) || byId(a, b);

const nameOf = (i: Instance): string => i.name || i.tags?.Name || i.id;

/** True while an attachment gives the interface a place on the instance. */
export const placedOn = (n: NetworkInterface): string =>
  n.attachment && n.attachment.state !== "detached" ? n.attachment.instanceId : "";

/** Held by the network itself, and drawn as what it serves. */
export const ofTheNetwork = (n: NetworkInterface): boolean =>
  n.type === "nat_gateway" || n.type === "transit_gateway";

export const publicAddress = (n: NetworkInterface): string =>
  n.privateIps.find((p) => p.publicIp)?.publicIp ?? "";

const chipHeight = (n: NetworkInterface): number => (publicAddress(n) ? size.chipPublic : size.chip);

interface Card {
  id: string;
  kind: "instance" | "tray" | "more" | "nat";
  label: string;
  detail: string;
  enis: NetworkInterface[];
  slot: number;
  value: number;
  h: number;
}

/** A port that waits for the lines around it to be known. */
export interface Port {
  id: string;
  x: number;
  y: number;
  side: "left" | "right";
  bus: number;
  subnet: string;
}

/** A subnet's column of cards with the vertical line beside it, and where that leaves the subnet. */
export interface Placed {
  ports: Port[];
  exit: number;
}

export function cardsOf(
  t: Topology,
  subnetId: string,
  held: Map<string, NetworkInterface[]>,
  loose: Map<string, NetworkInterface[]>,
  unattached: string,
): { left: Card[]; right: Card[] } {
  const instances = t.instances
    .filter((i) => i.subnetId === subnetId && i.state !== "terminated")
    .sort(byPlace);
  const shown = instances.slice(0, maxInstances);
  const left: Card[] = [];
  const right: Card[] = [];
  for (const i of shown) {
    const enis = [...(held.get(i.id) ?? [])].sort(byDevice);
    const taken = new Set(enis.map((n) => n.attachment?.deviceIndex));
    let slot = -1;
    // One free slot says enough; a type with fifteen would bury the picture.
    if (i.role !== "client" && enis.length < i.maxInterfaces) {
      slot = 1;
      while (taken.has(slot)) slot++;
    }
    const card: Card = {
      id: i.id,
      kind: "instance",
      label: nameOf(i),
      detail: i.type,
      enis,
      slot,
      value: 0,
      h: cardHeight(enis, slot >= 0),
    };
    (i.role === "client" ? left : right).push(card);
  }
  for (const g of natGateways(t).filter((g) => g.subnetId === subnetId)) {
    left.push({
      id: g.id,
      kind: "nat",
      label: g.tags?.Name ?? "",
      detail: g.publicIp ?? g.privateIp ?? "",
      enis: [],
      slot: -1,
      value: 0,
      h: size.nat,
    });
  }
  const free = [...(loose.get(subnetId) ?? [])].sort(byId);
  if (free.length > 0) {
    right.push({
      id: `${subnetId}/unattached`,
      kind: "tray",
      label: unattached,
      detail: "",
      enis: free,
      slot: -1,
      value: 0,
      h: cardHeight(free, false) - 22,
    });
  }
  if (instances.length > shown.length) {
    const more = instances.length - shown.length;
    right.push({
      id: `${subnetId}/more`,
      kind: "more",
      label: "",
      detail: "",
      enis: [],
      slot: -1,
      value: more,
      h: 40,
    });
  }
  return { left, right };
}

const cardHeight = (enis: NetworkInterface[], slot: boolean): number => {
  const rows = enis.reduce((h, n) => h + chipHeight(n) + size.chipGap, slot ? size.slot + size.chipGap : 0);
  return size.cardHead + Math.max(rows - size.chipGap, 0) + size.cardFoot + (rows ? 2 : 0);
};

/**
 * The column and row of the nth card. A subnet alone in its zone fills columns;
 * one of several grows wide first, since they lie one below the other. Cards that
 * come later move none.
 */
function cell(n: number, wide: boolean): [column: number, row: number] {
  if (!wide) return [Math.floor(n / columnHeight), n % columnHeight];
  let columns: number = firstColumns;
  let rows = 1;
  let i = n - columns;
  if (i < 0) return [n, 0];
  for (;;) {
    if (i < columns) return [i, rows];
    i -= columns;
    rows++;
    if (i < rows) return [columns, i];
    i -= rows;
    columns++;
  }
}

export function place(out: Layout, box: Box, cards: { left: Card[]; right: Card[] }, wide: boolean): Placed {
  const top = box.y + size.head + 6;
  const hasLeft = cards.left.length > 0;
  const toBus = size.busPad / 2 + 4;
  const busX = box.x + (hasLeft ? size.pad + size.card + size.gutter / 2 : toBus);
  const rightX = box.x + (hasLeft ? size.pad + size.card + size.gutter : 2 * toBus);
  const ports: Port[] = [];
  let bottom = top + 80;
  let right = hasLeft ? rightX : rightX - size.pad;
  let cy = top;
  for (const c of cards.left) {
    ports.push(...put(out, box, c, box.x + size.pad, cy, "right", busX));
    cy += c.h + size.gap;
    bottom = Math.max(bottom, cy - size.gap);
  }
  const columns: number[] = [];
  cards.right.forEach((c, i) => {
    const [column] = cell(i, wide);
    const x = rightX + column * (size.card + 2 * toBus);
    const y = columns[column] ?? top;
    ports.push(...put(out, box, c, x, y, "left", column === 0 ? busX : x - toBus));
    columns[column] = y + c.h + size.gap;
    bottom = Math.max(bottom, y + c.h);
    right = Math.max(right, x + size.card);
  });
  // Its label has room where nothing is in it.
  box.w = Math.max(right + size.pad - box.x, size.empty);
  box.h = bottom + size.pad - box.y;
  return { ports, exit: bottom + size.pad / 2 };
}

function put(
  out: Layout,
  subnet: Box,
  c: Card,
  x: number,
  y: number,
  side: "left" | "right",
  bus: number,
): Port[] {
  const ports: Port[] = [];
  const edge = (left: number, w: number): number => (side === "right" ? left + w : left);
  if (c.kind === "nat")
    ports.push({ id: c.id, x: edge(x, size.card), y: y + c.h / 2, side, bus, subnet: subnet.id });
  out.boxes.push({
    id: c.id,
    kind: c.kind,
    label: c.label,
    detail: c.detail,
    parent: subnet.id,
    level: 4,
    x,
    y,
    w: size.card,
    h: c.h,
    value: c.value,
  });
  out.order.push(c.id);
  let cy = y + (c.kind === "tray" ? size.cardHead - 22 : size.cardHead);
  for (const n of c.enis) {
    out.chips.push({
      mac: n.macAddress,
      eni: n.id,
      owner: c.kind === "instance" ? c.id : "",
      x: x + 10,
      y: cy,
      w: size.card - 20,
      h: chipHeight(n),
      side,
      subnet: subnet.id,
    });
    ports.push({
      id: n.id,
      x: edge(x + 10, size.card - 20),
      y: cy + chipHeight(n) / 2,
      side,
      bus,
      subnet: subnet.id,
    });
    out.order.push(n.id);
    cy += chipHeight(n) + size.chipGap;
  }
  if (c.slot >= 0) {
    out.boxes.push({
      id: `${c.id}/slot`,
      kind: "slot",
      label: "",
      detail: "",
      parent: c.id,
      level: 5,
      x: x + 10,
      y: cy,
      w: size.card - 20,
      h: size.slot,
      value: c.slot,
    });
  }
  return ports;
}
