import type { NatGateway, Peering, Topology, TransitGateway } from "../api/types.ts";
import { type Box, byId, type Layout, type Point, size } from "./shapes.ts";

// What lies around the VPCs: the internet on the left, with a gateway on the edge
// of each VPC that has one, and on the right what joins VPCs. Nothing of it takes
// room while it is not there.

/** NAT gateways to draw: a deleted one is listed for an hour. */
export const natGateways = (t: Topology): NatGateway[] =>
  (t.natGateways ?? []).filter((g) => g.state !== "deleted").sort(byId);

const ended = new Set(["deleted", "rejected", "expired", "failed"]);

/** Peering connections and transit gateways that have not ended. */
export const peerings = (t: Topology): Peering[] =>
  (t.peeringConnections ?? []).filter((p) => !ended.has(p.state)).sort(byId);
export const transitGateways = (t: Topology): TransitGateway[] =>
  (t.transitGateways ?? []).filter((g) => !ended.has(g.state)).sort(byId);

const maxHosts = 12;
const net = "internet";
/** From the internet to the VPCs: the hosts' line, and the half of a gateway that stands out. */
const gutter = 30;
/** Between the VPCs and what joins them; between two such, which stand one below the other. */
const linkGap = 26;
const linkStep = { x: 16, y: 50 };

interface Link {
  box: Box;
  vpcs: string[];
}

/** Where there is no room for all hosts: those that ask somebody or are asked, before the others. */
function busiest(t: Topology): Topology["internetHosts"] {
  const hosts = [...(t.internetHosts ?? [])].sort(byId);
  const asked = new Set([...hosts, ...t.instances].flatMap((o) => (o.workloads ?? []).map((w) => w.target)));
  const busy = (h: (typeof hosts)[number]): boolean => h.workloads.length > 0 || asked.has(h.address);
  return [...hosts.filter(busy), ...hosts.filter((h) => !busy(h))].slice(0, maxHosts).sort(byId);
}

export class Outside {
  /** Where VPCs begin. */
  readonly left: number;

  private readonly out: Layout;
  private readonly lanes = new Map<string, { vpc: Box; y: number }>();
  private readonly gatewayOf = new Map<string, Topology["internetGateways"][number]>();
  private readonly links: Link[];
  private readonly busX: number;
  private readonly hosts: Topology["internetHosts"];
  /** The hosts that are drawn. */
  private readonly drawn: Topology["internetHosts"];

  constructor(t: Topology, vpcs: Topology["vpcs"], out: Layout) {
    this.out = out;
    const shown = new Set(vpcs.map((v) => v.id));
    for (const g of t.internetGateways ?? [])
      if (g.vpcId && shown.has(g.vpcId)) this.gatewayOf.set(g.vpcId, g);
    this.hosts = t.internetHosts ?? [];
    this.drawn = busiest(t);
    const stands = this.gatewayOf.size > 0 ? size.gateway.w / 2 : 0;
    const column = this.hosts.length > 0 ? size.card + 2 * size.pad : 0;
    this.busX = column + gutter / 2;
    this.left = column + stands + (column ? gutter : 0);
    this.links = [
      ...peerings(t).map((p) => link("peering", p, [p.requester.vpcId, p.accepter.vpcId], p.state)),
      ...transitGateways(t).map((g) =>
        link(
          "transit",
          g,
          g.attachments.filter((a) => !ended.has(a.state)).map((a) => a.vpcId),
          g.state,
        ),
      ),
    ].filter((l) => l.vpcs.some((v) => shown.has(v)));
    if (column) this.internet();
  }

  hasGateways(vpc: string): boolean {
    return this.gatewayOf.has(vpc) || this.links.some((l) => l.vpcs.includes(vpc));
  }

  /** A VPC's gateway is read after the VPC and before what is in it. */
  readGateway(vpc: string): void {
    const g = this.gatewayOf.get(vpc);
    if (g) this.out.order.push(g.id);
  }

  /** Puts a VPC's gateway on its left edge, at the height of its lane. */
  place(vpc: Box, lane: number): void {
    this.lanes.set(vpc.id, { vpc, y: lane });
    const g = this.gatewayOf.get(vpc.id);
    if (!g) return;
    this.out.boxes.push({
      id: g.id,
      kind: "igw",
      label: g.tags?.Name ?? "",
      detail: g.id,
      parent: "",
      level: 2,
      x: vpc.x - size.gateway.w / 2,
      y: lane - size.gateway.h / 2,
      w: size.gateway.w,
      h: size.gateway.h,
      value: 0,
    });
    this.out.anchors.set(g.id, {
      id: g.id,
      x: vpc.x,
      y: lane,
      side: "left",
      port: false,
      hubs: [
        [vpc.id, []],
        [net, [[this.busX, lane]]],
      ],
    });
  }

  /** Puts what needs to know where everything is. */
  finish(): void {
    const { out } = this;
    this.hostWires();
    const right = out.width + linkGap;
    this.links.forEach((l, i) => {
      const at = l.vpcs.map((v) => this.lanes.get(v)).filter((lane) => lane !== undefined);
      const ys = at.map((lane) => lane.y);
      // Each has a line of its own, so that two never look like one.
      const cx = right + size.gateway.w / 2 + i * linkStep.x;
      const cy = (Math.min(...ys) + Math.max(...ys)) / 2 + (i - (this.links.length - 1) / 2) * linkStep.y;
      Object.assign(l.box, { x: cx - size.gateway.w / 2, y: cy - size.gateway.h / 2 });
      out.boxes.push(l.box);
      out.order.push(l.box.id);
      for (const lane of at) {
        out.wires.push([
          [lane.vpc.x + lane.vpc.w, lane.y],
          [cx, lane.y],
          [cx, cy],
        ]);
      }
      out.anchors.set(l.box.id, {
        id: l.box.id,
        x: cx,
        y: cy,
        side: "left",
        port: false,
        hubs: at.map((lane): [string, Point[]] => [lane.vpc.id, [[cx, lane.y]]]),
      });
      out.width = cx + size.gateway.w / 2;
      out.height = Math.max(out.height, cy + size.gateway.h / 2);
    });
  }

  private internet(): void {
    const { out } = this;
    const box: Box = {
      id: net,
      kind: "internet",
      label: "",
      detail: "",
      parent: "",
      level: 1,
      x: 0,
      y: 0,
      w: size.card + 2 * size.pad,
      h: 0,
      value: this.hosts.length,
    };
    out.boxes.push(box);
    out.order.push(net);
    let y = size.head + 6;
    const inside = (
      id: string,
      kind: Box["kind"],
      label: string,
      detail: string,
      h: number,
      value: number,
    ): void => {
      out.boxes.push({
        id,
        kind,
        label,
        detail,
        parent: net,
        level: 2,
        x: size.pad,
        y,
        w: size.card,
        h,
        value,
      });
      out.order.push(id);
      y += h + size.gap;
    };
    for (const h of this.drawn) {
      const x = size.pad + size.card;
      const cy = y + size.host / 2;
      out.anchors.set(h.id, {
        id: h.id,
        x,
        y: cy,
        side: "right",
        port: true,
        hubs: [[net, [[this.busX, cy]]]],
      });
      inside(h.id, "host", h.name, h.address, size.host, 0);
    }
    if (this.hosts.length > maxHosts) inside(`${net}/more`, "more", "", "", 40, this.hosts.length - maxHosts);
    box.h = y - size.gap + size.pad;
    out.width = box.w;
  }

  private hostWires(): void {
    if (this.hosts.length === 0) return;
    const { anchors, wires, boxes } = this.out;
    const ys: number[] = [];
    for (const h of this.drawn) {
      const a = anchors.get(h.id)!;
      ys.push(a.y);
      wires.push([
        [a.x, a.y],
        [this.busX, a.y],
      ]);
    }
    for (const [vpc, g] of this.gatewayOf) {
      const lane = this.lanes.get(vpc);
      if (!lane) continue;
      ys.push(lane.y);
      wires.push([
        [this.busX, lane.y],
        [anchors.get(g.id)!.x - size.gateway.w / 2, lane.y],
      ]);
    }
    wires.push([
      [this.busX, Math.min(...ys)],
      [this.busX, Math.max(...ys)],
    ]);
    const internet = boxes.find((b) => b.id === net)!;
    this.out.height = Math.max(this.out.height, internet.h);
  }
}

function link(
  kind: "peering" | "transit",
  of: { id: string; tags?: Record<string, string> },
  vpcs: string[],
  state: string,
): Link {
  const box: Box = {
    id: of.id,
    kind,
    label: of.tags?.Name ?? "",
    detail: of.id,
    parent: "",
    level: 1,
    x: 0,
    y: 0,
    w: size.gateway.w,
    h: size.gateway.h,
    // Frames pass it, or not yet.
    value: state === "active" || state === "available" || state === "modifying" ? 1 : 0,
  };
  return { box, vpcs: [...new Set(vpcs)] };
}
