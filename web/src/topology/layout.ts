import type { Instance, NetworkInterface, Topology } from "../api/types.ts";

// The nested layout: a pure function of the resources. Nothing moves because a
// neighbour was polled or sorted anew: places follow role, launch time and id.

export interface Box {
  id: string;
  kind: "vpc" | "zone" | "subnet" | "instance" | "tray" | "slot" | "more";
  label: string;
  detail: string;
  parent: string;
  level: number;
  x: number;
  y: number;
  w: number;
  h: number;
  /** instance: nothing else; slot: device index; more: how many. */
  value: number;
}

export interface Chip {
  mac: string;
  eni: string;
  owner: string;
  x: number;
  y: number;
  w: number;
  h: number;
  /** Which side of the chip faces its subnet's bus. */
  side: "left" | "right";
  subnet: string;
}

/** The vertical line of a subnet on which its frames travel, and its lane to other subnets. */
export interface Bus {
  x: number;
  top: number;
  bottom: number;
  lane: number;
}

export interface Layout {
  boxes: Box[];
  chips: Chip[];
  buses: Map<string, Bus>;
  width: number;
  height: number;
  /** Ids in the order in which a person walks the tree. */
  order: string[];
}

export const size = {
  card: 212,
  cardHead: 54,
  cardFoot: 10,
  chip: 46,
  chipGap: 8,
  slot: 30,
  gutter: 168,
  busPad: 48,
  pad: 16,
  head: 30,
  gap: 18,
  lane: 26,
} as const;

const maxInstances = 60;
const columnHeight = 6;

const roleRank: Record<string, number> = { client: 0, active: 1, standby: 2 };

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

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

interface Card {
  id: string;
  kind: "instance" | "tray" | "more";
  label: string;
  detail: string;
  enis: NetworkInterface[];
  slot: number;
  value: number;
  h: number;
}

/**
 * The VPCs to draw. An EC2 client's first call gives a region its default VPC, one
 * subnet a zone: while nothing is in it and there is another, it would only push
 * the laboratory aside.
 */
export function shownVpcs(t: Topology): Topology["vpcs"] {
  const vpcOf = new Map(t.subnets.map((s) => [s.id, s.vpcId]));
  const used = new Set(t.networkInterfaces.map((n) => vpcOf.get(n.subnetId)));
  const shown = t.vpcs.filter((v) => !v.default || used.has(v.id));
  return [...(shown.length > 0 ? shown : t.vpcs)].sort(byId);
}

export function layout(t: Topology, unattached: string): Layout {
  const out: Layout = { boxes: [], chips: [], buses: new Map(), width: 0, height: 0, order: [] };
  const held = new Map<string, NetworkInterface[]>();
  const loose = new Map<string, NetworkInterface[]>();
  for (const n of t.networkInterfaces) {
    const owner = placedOn(n);
    const into = owner ? held : loose;
    const key = owner || n.subnetId;
    into.set(key, [...(into.get(key) ?? []), n]);
  }

  let y = 0;
  for (const vpc of shownVpcs(t)) {
    const subnets = t.subnets.filter((s) => s.vpcId === vpc.id);
    const zones = [...new Set(subnets.map((s) => s.zone))].sort();
    const vpcBox: Box = {
      id: vpc.id,
      kind: "vpc",
      label: vpc.tags?.Name ?? "",
      detail: `${vpc.id} · ${vpc.cidr}`,
      parent: "",
      level: 1,
      x: 0,
      y,
      w: 0,
      h: 0,
      value: 0,
    };
    out.boxes.push(vpcBox);
    out.order.push(vpc.id);

    let x = size.pad;
    let tallest = 0;
    const zoneBoxes: { zone: Box; subnets: Box[] }[] = [];
    for (const zone of zones) {
      const id = `${vpc.id}/${zone}`;
      const zoneBox: Box = {
        id,
        kind: "zone",
        label: zone,
        detail: "",
        parent: vpc.id,
        level: 2,
        x,
        y: y + size.head,
        w: 0,
        h: 0,
        value: 0,
      };
      out.boxes.push(zoneBox);
      out.order.push(id);
      const inner: Box[] = [];
      let sy = zoneBox.y + size.head;
      let widest = 0;
      for (const s of subnets.filter((s) => s.zone === zone).sort((a, b) => (a.cidr < b.cidr ? -1 : 1))) {
        const box: Box = {
          id: s.id,
          kind: "subnet",
          label: s.tags?.Name ?? s.id,
          detail: s.cidr,
          parent: id,
          level: 3,
          x: x + size.pad,
          y: sy,
          w: 0,
          h: 0,
          value: 0,
        };
        out.boxes.push(box);
        out.order.push(s.id);
        const cards = cardsOf(t, s.id, held, loose, unattached);
        place(out, box, cards);
        inner.push(box);
        widest = Math.max(widest, box.w);
        sy += box.h + size.gap;
      }
      for (const b of inner) b.w = widest;
      zoneBox.w = widest + 2 * size.pad;
      zoneBox.h = sy - size.gap + size.pad - zoneBox.y;
      tallest = Math.max(tallest, zoneBox.h);
      zoneBoxes.push({ zone: zoneBox, subnets: inner });
      x += zoneBox.w + size.gap;
    }
    for (const z of zoneBoxes) {
      // One subnet fills its zone, so that neighbours end on one line.
      const last = z.subnets.at(-1);
      if (last) last.h += tallest - z.zone.h;
      z.zone.h = tallest;
    }
    vpcBox.w = Math.max(x - size.gap + size.pad, 420);
    vpcBox.h = size.head + Math.max(tallest, 60) + size.lane + size.pad;
    for (const z of zoneBoxes) {
      for (const s of z.subnets) {
        const bus = out.buses.get(s.id);
        if (bus) bus.lane = z.zone.y + z.zone.h + size.lane / 2;
      }
    }
    out.width = Math.max(out.width, vpcBox.w);
    y += vpcBox.h + size.gap;
  }
  out.height = Math.max(0, y - size.gap);
  return out;
}

function cardsOf(
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
      h: cardHeight(enis.length, slot >= 0),
    };
    (i.role === "client" ? left : right).push(card);
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
      h: cardHeight(free.length, false) - 22,
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

const cardHeight = (chips: number, slot: boolean): number => {
  const rows = chips * (size.chip + size.chipGap) + (slot ? size.slot + size.chipGap : 0);
  return size.cardHead + Math.max(rows - size.chipGap, 0) + size.cardFoot + (rows ? 2 : 0);
};

function place(out: Layout, box: Box, cards: { left: Card[]; right: Card[] }): void {
  const top = box.y + size.head + 6;
  const hasLeft = cards.left.length > 0;
  const busX = box.x + (hasLeft ? size.pad + size.card + size.gutter / 2 : size.busPad / 2 + 4);
  const rightX = box.x + (hasLeft ? size.pad + size.card + size.gutter : size.busPad + 8);
  let bottom = top + 80;
  const column = (list: Card[], x: number, side: "left" | "right", perColumn: number): number => {
    let cx = x;
    let cy = top;
    let inColumn = 0;
    for (const c of list) {
      if (inColumn === perColumn) {
        cx += size.card + size.gap;
        cy = top;
        inColumn = 0;
      }
      put(out, box, c, cx, cy, side);
      cy += c.h + size.gap;
      bottom = Math.max(bottom, cy - size.gap);
      inColumn++;
    }
    return cx;
  };
  if (hasLeft) column(cards.left, box.x + size.pad, "right", Number.POSITIVE_INFINITY);
  const lastX = column(cards.right, rightX, "left", columnHeight);
  box.w = lastX + (cards.right.length > 0 ? size.card : 0) + size.pad - box.x;
  box.h = bottom + size.pad - box.y;
  out.buses.set(box.id, { x: busX, top, bottom, lane: 0 });
}

function put(out: Layout, subnet: Box, c: Card, x: number, y: number, side: "left" | "right"): void {
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
      h: size.chip,
      side,
      subnet: subnet.id,
    });
    out.order.push(n.id);
    cy += size.chip + size.chipGap;
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
}
