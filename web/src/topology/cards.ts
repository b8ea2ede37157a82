import type { Instance, NatGateway, NetworkInterface, Topology } from "../api/types.ts";
import { natGateways } from "./outside.ts";
import { type Box, byId, type Layout, size } from "./shapes.ts";

// What is in a subnet, and where.

/** So many clients stand on their side of the line; more are placed with the others. */
const maxClients = 12;
const columnHeight = 6;
const firstColumns = 3;
/**
 * A card has room for so many interfaces, held or not: one that moves between two that
 * have the room changes no card's height.
 */
const roomyRows = 2;

const roleRank: Record<string, number> = { client: 0, active: 1, standby: 2 };

const byLaunch = (a: Instance, b: Instance): number =>
  ((a.launchedAt ?? "") < (b.launchedAt ?? "") ? -1 : a.launchedAt === b.launchedAt ? 0 : 1) || byId(a, b);

const byPlace = (a: Instance, b: Instance): number =>
  (roleRank[a.role ?? ""] ?? 3) - (roleRank[b.role ?? ""] ?? 3) || byLaunch(a, b);

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
  kind: "instance" | "tray" | "nat";
  label: string;
  detail: string;
  enis: NetworkInterface[];
  /** Device indexes that are free and drawn so. */
  slots: number[];
  h: number;
}

/** What stands in subnets, by subnet: gathered once, since a region has thousands. */
export interface Held {
  instances: Map<string, Instance[]>;
  nats: Map<string, NatGateway[]>;
  /** Interfaces by what holds them, and those that nothing holds by subnet. */
  enis: Map<string, NetworkInterface[]>;
  loose: Map<string, NetworkInterface[]>;
}

function into<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

export function gather(t: Topology): Held {
  const held: Held = { instances: new Map(), nats: new Map(), enis: new Map(), loose: new Map() };
  for (const n of t.networkInterfaces) {
    if (ofTheNetwork(n)) continue;
    const owner = placedOn(n);
    if (owner) into(held.enis, owner, n);
    else into(held.loose, n.subnetId, n);
  }
  for (const i of t.instances) if (i.state !== "terminated") into(held.instances, i.subnetId, i);
  for (const g of natGateways(t)) into(held.nats, g.subnetId, g);
  return held;
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

export function cardsOf(subnetId: string, held: Held, unattached: string): { left: Card[]; right: Card[] } {
  const left: Card[] = [];
  const right: Card[] = [];
  const instances = [...(held.instances.get(subnetId) ?? [])].sort(byPlace);
  const clients = instances.filter((i) => i.role === "client").slice(0, maxClients);
  const aside = new Set(clients);
  const others = instances.filter((i) => !aside.has(i));
  if (others.some((i) => i.role === "client")) others.sort(byLaunch);
  const here = instances.flatMap((i) => held.enis.get(i.id) ?? []);
  const free = [...(held.loose.get(subnetId) ?? [])].sort(byId);
  // Whoever takes the tallest of them has the room already.
  const tallest = Math.max(size.chip, ...[...here, ...free].filter(canMove).map(chipHeight));
  for (const i of [...clients, ...others]) {
    const enis = [...(held.enis.get(i.id) ?? [])].sort(byDevice);
    const slots = i.role === "client" ? [] : freeSlots(i, enis);
    const card: Card = {
      id: i.id,
      kind: "instance",
      label: nameOf(i),
      detail: i.type,
      enis,
      slots,
      h: Math.max(cardHeight(enis, slots.length), i.role === "client" ? 0 : roomy(i, enis, tallest)),
    };
    (aside.has(i) ? left : right).push(card);
  }
  for (const g of held.nats.get(subnetId) ?? []) {
    left.push({
      id: g.id,
      kind: "nat",
      label: g.tags?.Name ?? "",
      detail: g.publicIp ?? g.privateIp ?? "",
      enis: [],
      slots: [],
      h: size.nat,
    });
  }
  if (free.length > 0) {
    right.push({
      id: `${subnetId}/unattached`,
      kind: "tray",
      label: unattached,
      detail: "",
      enis: free,
      slots: [],
      h: cardHeight(free, 0) - 22,
    });
  }
  return { left, right };
}

/** The rows that a card has room for and nobody holds. One free slot says enough. */
function freeSlots(i: Instance, enis: NetworkInterface[]): number[] {
  const taken = new Set(enis.map((n) => n.attachment?.deviceIndex));
  const want = Math.min(i.maxInterfaces, roomyRows) - enis.length;
  const slots: number[] = [];
  for (let at = 1; slots.length < want; at++) if (!taken.has(at)) slots.push(at);
  return slots;
}

const canMove = (n: NetworkInterface): boolean => n.attachment?.deviceIndex !== 0;

/** The height of a card with its own primary interface and the tallest that can move. */
function roomy(i: Instance, enis: NetworkInterface[], tallest: number): number {
  if (i.maxInterfaces < roomyRows) return 0;
  const primary = enis.find((n) => n.attachment?.deviceIndex === 0);
  return rowsHeight((primary ? chipHeight(primary) : size.chip) + size.chipGap + tallest + size.chipGap);
}

const rowsHeight = (rows: number): number =>
  size.cardHead + Math.max(rows - size.chipGap, 0) + size.cardFoot + (rows ? 2 : 0);

const cardHeight = (enis: NetworkInterface[], slots: number): number =>
  rowsHeight(enis.reduce((h, n) => h + chipHeight(n) + size.chipGap, slots * (size.slot + size.chipGap)));

/**
 * The column and row of the nth card. A subnet alone in its zone fills columns;
 * one of several grows wide first, since they lie one below the other. Beyond the
 * first columns both grow as a square does, a row and a column in turn. Cards that
 * come later move none.
 */
function cell(n: number, wide: boolean): [column: number, row: number] {
  if (!wide && n < columnHeight * columnHeight) return [Math.floor(n / columnHeight), n % columnHeight];
  let columns = wide ? firstColumns : columnHeight;
  let rows = wide ? 1 : columnHeight;
  if (n < columns * rows) return [n, 0];
  // Squares of side k have (k + difference) columns: the largest that is full begins the count.
  const extra = columns - rows;
  const full = Math.floor((-extra + Math.sqrt(extra * extra + 4 * n)) / 2);
  rows = Math.max(rows, full);
  columns = rows + extra;
  const i = n - columns * rows;
  return i < columns ? [i, rows] : [columns, i - columns];
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
    value: c.enis.length,
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
  for (const slot of c.slots) {
    out.boxes.push({
      id: `${c.id}/slot${slot}`,
      kind: "slot",
      label: "",
      detail: "",
      parent: c.id,
      level: 5,
      x: x + 10,
      y: cy,
      w: size.card - 20,
      // The last free one takes what room there is.
      h: Math.max(size.slot, slot === c.slots.at(-1) ? y + c.h - size.cardFoot - 2 - cy : 0),
      value: slot,
    });
    cy += size.slot + size.chipGap;
  }
  return ports;
}
