import type { Topology, Vpc } from "../api/types.ts";
import { cardsOf, gather, type Held, type Placed, type Port, place } from "./cards.ts";
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
  const out = blank();
  const held = gather(t);
  const subnets = new Map<string, Topology["subnets"]>();
  for (const x of t.subnets) {
    const list = subnets.get(x.vpcId);
    if (list) list.push(x);
    else subnets.set(x.vpcId, [x]);
  }
  const vpcs = shownVpcs(t);
  const outside = new Outside(t, vpcs, out);
  const put = (vpc: Vpc, left: number, y: number, into: Layout): Box =>
    within(
      subnets.get(vpc.id) ?? [],
      vpc,
      left,
      y,
      into,
      into === out ? outside : null,
      outside.laneHeight(vpc.id),
      held,
      unattached,
    );
  const sizes = new Map(vpcs.map((v) => [v.id, put(v, 0, 0, blank())] as const));
  const columns = columnsOf(vpcs, sizes, (v) => outside.hasExits(v.id));
  let left = outside.left;
  columns.forEach((column, i) => {
    let y = 0;
    for (const vpc of column) {
      const box = put(vpc, left, y, out);
      out.width = Math.max(out.width, box.x + box.w);
      y += box.h + size.gap;
    }
    out.height = Math.max(out.height, y - size.gap);
    // What joins VPCs stands between the columns, or beside the only one.
    if (i === 0) left = outside.joinAt(out.width);
  });
  outside.finish();
  return out;
}

const blank = (): Layout => ({
  boxes: [],
  chips: [],
  anchors: new Map(),
  wires: [],
  width: 0,
  height: 0,
  order: [],
});

/**
 * One column of VPCs, or two where one would be higher than a screen is wide. Those
 * with ways to the internet stay on its side; the others fill the lower column.
 */
function columnsOf(vpcs: Vpc[], sizes: Map<string, Box>, exits: (v: Vpc) => boolean): Vpc[][] {
  const high = vpcs.reduce((sum, v) => sum + sizes.get(v.id)!.h + size.gap, 0);
  const wide = Math.max(0, ...vpcs.map((v) => sizes.get(v.id)!.w));
  if (vpcs.length < 2 || high < wide * 0.7) return [vpcs];
  const columns: [Vpc[], Vpc[]] = [[], []];
  const heights: [number, number] = [0, 0];
  for (const v of [...vpcs.filter(exits), ...vpcs.filter((x) => !exits(x))]) {
    const i = exits(v) || heights[0] <= heights[1] ? 0 : 1;
    columns[i].push(v);
    heights[i] += sizes.get(v.id)!.h + size.gap;
  }
  return columns[1].length > 0 ? columns : [columns[0]];
}

/** So many subnets lie one below the other; then another column of them begins. */
const subnetsInColumn = 8;

/** Lays out one VPC with all that is in it; without outside only to measure it. */
function within(
  subnets: Topology["subnets"],
  vpc: Vpc,
  left: number,
  y: number,
  out: Layout,
  outside: Outside | null,
  laneHeight: number,
  held: Held,
  unattached: string,
): Box {
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
  outside?.readExits(vpc.id);

  let x = left + size.pad;
  let tallest = 0;
  const zoneBoxes: { zone: Box; columns: Box[][]; placed: Placed[] }[] = [];
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
    const own = subnets.filter((s) => s.zone === zone).sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
    const columns: Box[][] = [];
    const placed: Placed[] = [];
    let column: Box[] = [];
    let sx = x + size.pad;
    let sy = 0;
    let widest = 0;
    let bottom = zoneBox.y + size.head;
    const endColumn = (): void => {
      for (const b of column) b.w = widest;
      sx += widest + size.columnGap;
      widest = 0;
    };
    own.forEach((s, i) => {
      if (i % subnetsInColumn === 0) {
        if (i > 0) endColumn();
        column = [];
        columns.push(column);
        sy = zoneBox.y + size.head;
      }
      const box: Box = {
        id: s.id,
        kind: "subnet",
        label: s.tags?.Name ?? s.id,
        detail: s.cidr,
        parent: id,
        level: 3,
        x: sx,
        y: sy,
        w: 0,
        h: 0,
        value: held.instances.get(s.id)?.length ?? 0,
      };
      out.boxes.push(box);
      out.order.push(s.id);
      placed.push(place(out, box, cardsOf(s.id, held, unattached), own.length > 1));
      column.push(box);
      widest = Math.max(widest, box.w);
      sy += box.h + size.gap;
      bottom = Math.max(bottom, sy);
    });
    endColumn();
    zoneBox.w = sx - size.columnGap + size.pad - x;
    zoneBox.h = bottom - size.gap + size.pad - zoneBox.y;
    zoneBox.value = own.reduce((n, s) => n + (held.instances.get(s.id)?.length ?? 0), 0);
    vpcBox.value += zoneBox.value;
    tallest = Math.max(tallest, zoneBox.h);
    zoneBoxes.push({ zone: zoneBox, columns, placed });
    x += zoneBox.w + size.gap;
  }
  for (const z of zoneBoxes) {
    // The last subnet of a column fills its zone, so that neighbours end on one line.
    z.zone.h = tallest;
    for (const column of z.columns) {
      const last = column.at(-1);
      if (last) last.h = z.zone.y + tallest - size.pad - last.y;
    }
  }
  const lane = y + size.head + Math.max(tallest, 60) + Math.min(laneHeight, size.gatewayLane) / 2;
  vpcBox.w = Math.max(x - size.gap + size.pad - left, 420);
  vpcBox.h = size.head + Math.max(tallest, 60) + laneHeight + size.pad;
  for (const z of zoneBoxes) {
    z.columns.flat().forEach((subnet, i) => {
      const p = z.placed[i]!;
      // Each column of subnets has its own line down; the zone's is that of the first.
      const trunk = subnet.x - size.pad / 2;
      const column = `${z.zone.id}:${Math.floor(i / subnetsInColumn)}`;
      for (const port of p.ports)
        out.anchors.set(port.id, anchorAt(port, column, vpc.id, p.exit, trunk, lane));
      // Of a subnet as one: where what leaves it crosses its edge.
      out.anchors.set(subnet.id, {
        id: subnet.id,
        x: subnet.x,
        y: p.exit,
        side: "left",
        port: true,
        hubs: [
          [column, [[trunk, p.exit]]],
          [
            vpc.id,
            [
              [trunk, p.exit],
              [trunk, lane],
            ],
          ],
        ],
      });
    });
  }
  outside?.place(vpcBox, lane);
  return vpcBox;
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
