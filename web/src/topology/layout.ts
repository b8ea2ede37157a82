import type { NetworkInterface, Topology } from "../api/types.ts";
import { cardsOf, ofTheNetwork, type Placed, type Port, place, placedOn } from "./cards.ts";
import { Outside } from "./outside.ts";
import { type Anchor, type Box, byId, type Layout, type Point, size } from "./shapes.ts";

// The nested layout: a pure function of the resources. Nothing moves because a
// neighbour was polled or sorted anew: places follow role, launch time and id.

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
  const out: Layout = { boxes: [], chips: [], anchors: new Map(), wires: [], width: 0, height: 0, order: [] };
  const held = new Map<string, NetworkInterface[]>();
  const loose = new Map<string, NetworkInterface[]>();
  for (const n of t.networkInterfaces) {
    if (ofTheNetwork(n)) continue;
    const owner = placedOn(n);
    const into = owner ? held : loose;
    const key = owner || n.subnetId;
    const list = into.get(key);
    if (list) list.push(n);
    else into.set(key, [n]);
  }

  const vpcs = shownVpcs(t);
  const outside = new Outside(t, vpcs, out);
  const left = outside.left;
  let y = 0;
  for (const vpc of vpcs) {
    const subnets = t.subnets.filter((s) => s.vpcId === vpc.id);
    const zones = [...new Set(subnets.map((s) => s.zone))].sort();
    const vpcBox: Box = {
      id: vpc.id,
      kind: "vpc",
      label: vpc.tags?.Name ?? "",
      detail: `${vpc.id} · ${vpc.cidr}`,
      parent: "",
      level: 1,
      x: left,
      y,
      w: 0,
      h: 0,
      value: 0,
    };
    out.boxes.push(vpcBox);
    out.order.push(vpc.id);
    outside.readExits(vpc.id);

    let x = left + size.pad;
    let tallest = 0;
    const zoneBoxes: { zone: Box; subnets: Box[]; placed: Placed[] }[] = [];
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
      const placed: Placed[] = [];
      let sy = zoneBox.y + size.head;
      let widest = 0;
      const own = subnets.filter((s) => s.zone === zone).sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
      for (const s of own) {
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
        placed.push(place(out, box, cardsOf(t, s.id, held, loose, unattached), own.length > 1));
        inner.push(box);
        widest = Math.max(widest, box.w);
        sy += box.h + size.gap;
      }
      for (const b of inner) b.w = widest;
      zoneBox.w = widest + 2 * size.pad;
      zoneBox.h = sy - size.gap + size.pad - zoneBox.y;
      tallest = Math.max(tallest, zoneBox.h);
      zoneBoxes.push({ zone: zoneBox, subnets: inner, placed });
      x += zoneBox.w + size.gap;
    }
    for (const z of zoneBoxes) {
      // One subnet fills its zone, so that neighbours end on one line.
      const last = z.subnets.at(-1);
      if (last) last.h += tallest - z.zone.h;
      z.zone.h = tallest;
    }
    const laneHeight = outside.laneHeight(vpc.id);
    const lane = y + size.head + Math.max(tallest, 60) + Math.min(laneHeight, size.gatewayLane) / 2;
    vpcBox.w = Math.max(x - size.gap + size.pad - left, 420);
    vpcBox.h = size.head + Math.max(tallest, 60) + laneHeight + size.pad;
    for (const z of zoneBoxes) {
      const trunk = z.zone.x + size.pad / 2;
      for (const p of z.placed) {
        for (const port of p.ports)
          out.anchors.set(port.id, anchorAt(port, z.zone.id, vpc.id, p.exit, trunk, lane));
      }
    }
    outside.place(vpcBox, lane);
    out.width = Math.max(out.width, vpcBox.x + vpcBox.w);
    y += vpcBox.h + size.gap;
  }
  out.height = Math.max(0, y - size.gap);
  outside.finish();
  return out;
}

/** From a port along its column's line, out of its subnet, down its zone, to its VPC's lane. */
function anchorAt(p: Port, zone: string, vpc: string, exit: number, trunk: number, lane: number): Anchor {
  const bus: Point = [p.bus, p.y];
  const leave: Point[] = [bus, [p.bus, exit]];
  const atTrunk: Point[] = [...leave, [trunk, exit]];
  return {
    id: p.id,
    x: p.x,
    y: p.y,
    side: p.side,
    port: true,
    hubs: [
      [`${p.subnet}:${p.bus}`, [bus]],
      [p.subnet, leave],
      [zone, atTrunk],
      [vpc, [...atTrunk, [trunk, lane]]],
    ],
  };
}
