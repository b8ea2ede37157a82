import type { NatGateway, Peering, Topology, TransitGateway, VpcEndpoint } from "../api/types.ts";
import { type Box, byId, type Layout, type Point, size } from "./shapes.ts";

// What lies around the VPCs: the internet on the left, with the ways to it on the
// edge of each VPC that has some, and on the right what joins VPCs. Nothing of it takes
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

/** Gateway endpoints that carry frames: each is a way out to the internet, where services stand. */
export const gatewayEndpoints = (t: Topology): VpcEndpoint[] =>
  (t.vpcEndpoints ?? []).filter((e) => e.type === "Gateway" && e.source).sort(byId);

/** The part of a service's name that people use: "s3" of "com.amazonaws.us-east-1.s3". */
export const serviceName = (service = ""): string => service.split(".").at(-1) ?? "";

const maxHosts = 12;
const net = "internet";
/** From the internet to the VPCs: the hosts' line, and the half of a gateway that stands out. */
const gutter = 30;
/** Between the VPCs and what joins them; between two such, which stand one below the other. */
const linkGap = 26;
const linkStep = { x: 16, y: 50 };

/** A way from a VPC to the internet: its gateway, or a gateway endpoint. */
interface Exit {
  id: string;
  kind: "igw" | "endpoint";
  label: string;
  value: number;
}

interface Link {
  box: Box;
  vpcs: string[];
}

const byName = (a: { name: string; id: string }, b: { name: string; id: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : byId(a, b);

/** Where there is no room for all hosts: those that ask somebody or are asked, before the others. */
function busiest(t: Topology): Topology["internetHosts"] {
  const hosts = [...(t.internetHosts ?? [])].sort(byId);
  const asked = new Set([...hosts, ...t.instances].flatMap((o) => (o.workloads ?? []).map((w) => w.target)));
  const busy = (h: (typeof hosts)[number]): boolean => h.workloads.length > 0 || asked.has(h.address);
  return [...hosts.filter(busy), ...hosts.filter((h) => !busy(h))].slice(0, maxHosts).sort(byName);
}

export class Outside {
  /** Where VPCs begin. */
  readonly left: number;

  private readonly out: Layout;
  private readonly lanes = new Map<string, { vpc: Box; y: number }>();
  private readonly exits = new Map<string, Exit[]>();
  private readonly links: Link[];
  private readonly busX: number;
  private joins = 0;
  private readonly hosts: Topology["internetHosts"];
  /** The hosts that are drawn. */
  private readonly drawn: Topology["internetHosts"];

  constructor(t: Topology, vpcs: Topology["vpcs"], out: Layout) {
    this.out = out;
    const shown = new Set(vpcs.map((v) => v.id));
    for (const g of [...(t.internetGateways ?? [])].sort(byId))
      if (g.vpcId && shown.has(g.vpcId))
        this.exit(g.vpcId, { id: g.id, kind: "igw", label: g.tags?.Name ?? "", value: 0 });
    for (const e of gatewayEndpoints(t))
      if (shown.has(e.vpcId))
        this.exit(e.vpcId, {
          id: e.id,
          kind: "endpoint",
          label: e.tags?.Name ?? serviceName(e.service),
          value: e.state === "available" ? 1 : 0,
        });
    this.hosts = t.internetHosts ?? [];
    this.drawn = busiest(t);
    const stands = this.exits.size > 0 ? size.gateway.w / 2 : 0;
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

  private exit(vpc: string, e: Exit): void {
    const list = this.exits.get(vpc);
    if (list) list.push(e);
    else this.exits.set(vpc, [e]);
  }

  /** How high the lane of a VPC is. */
  laneHeight(vpc: string): number {
    const exits = this.exits.get(vpc)?.length ?? 0;
    if (exits === 0 && !this.links.some((l) => l.vpcs.includes(vpc))) return size.lane;
    return size.gatewayLane + Math.max(0, exits - 1) * size.gatewayStep;
  }

  hasExits(vpc: string): boolean {
    return this.exits.has(vpc);
  }

  /** Says where the column of what joins VPCs begins; returns where it ends. */
  joinAt(x: number): number {
    this.joins = x + linkGap;
    if (this.links.length === 0) return x + 2 * size.gap;
    return this.joins + size.gateway.w + (this.links.length - 1) * linkStep.x + linkGap;
  }

  /** A VPC's ways out are read after the VPC and before what is in it. */
  readExits(vpc: string): void {
    for (const e of this.exits.get(vpc) ?? []) this.out.order.push(e.id);
  }

  /** Puts a VPC's ways out on its left edge, from the height of its lane downwards. */
  place(vpc: Box, lane: number): void {
    this.lanes.set(vpc.id, { vpc, y: lane });
    // Frames to those below the first leave the lane beside it, not through it.
    const beside = vpc.x + size.gateway.w / 2 + 8;
    this.exits.get(vpc.id)?.forEach((e, i) => {
      const y = lane + i * size.gatewayStep;
      this.out.boxes.push({
        id: e.id,
        kind: e.kind,
        label: e.label,
        detail: e.id,
        parent: "",
        level: 2,
        x: vpc.x - size.gateway.w / 2,
        y: y - size.gateway.h / 2,
        w: size.gateway.w,
        h: size.gateway.h,
        value: e.value,
      });
      const inside: Point[] =
        i === 0
          ? []
          : [
              [beside, y],
              [beside, lane],
            ];
      this.out.anchors.set(e.id, {
        id: e.id,
        x: vpc.x,
        y,
        side: "left",
        port: false,
        hubs: [
          [vpc.id, inside],
          [net, [[this.busX, y]]],
        ],
      });
    });
  }

  /** Puts what needs to know where everything is. */
  finish(): void {
    const { out } = this;
    this.lowerInternet();
    this.hostWires();
    const right = this.joins;
    const lanes = this.links.map((l) =>
      l.vpcs.map((v) => this.lanes.get(v)).filter((lane) => lane !== undefined),
    );
    const heights = apart(lanes.map((at) => middle(at.map((lane) => lane.y))));
    this.links.forEach((l, i) => {
      const at = lanes[i]!;
      // Each has a line of its own, so that two never look like one.
      const cx = right + size.gateway.w / 2 + i * linkStep.x;
      const cy = heights[i]!;
      Object.assign(l.box, { x: cx - size.gateway.w / 2, y: cy - size.gateway.h / 2 });
      out.boxes.push(l.box);
      out.order.push(l.box.id);
      for (const lane of at) {
        out.wires.push([
          [lane.vpc.x < cx ? lane.vpc.x + lane.vpc.w : lane.vpc.x, lane.y],
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
      out.width = Math.max(out.width, cx + size.gateway.w / 2);
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

  /** The internet stands beside the ways to it, so that frames have a short one. */
  private lowerInternet(): void {
    const { boxes, anchors, height } = this.out;
    const internet = boxes.find((b) => b.id === net);
    const ys = [...this.exits.values()].flat().map((e) => anchors.get(e.id)!.y);
    if (!internet || ys.length === 0) return;
    const middle = (Math.min(...ys) + Math.max(...ys)) / 2;
    const down = Math.max(0, Math.min(middle - internet.h / 2, height - internet.h));
    for (const b of boxes) if (b === internet || b.parent === net) b.y += down;
    for (const h of this.drawn) {
      const a = anchors.get(h.id)!;
      a.y += down;
      a.hubs = [[net, [[this.busX, a.y]]]];
    }
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
    for (const e of [...this.exits.values()].flat()) {
      const a = anchors.get(e.id);
      if (!a) continue;
      ys.push(a.y);
      wires.push([
        [this.busX, a.y],
        [a.x - size.gateway.w / 2, a.y],
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

const middle = (ys: number[]): number => (Math.min(...ys) + Math.max(...ys)) / 2;

/** Heights as near to those wanted as a step between each two of them lets them be. */
function apart(wanted: number[]): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const out = [...wanted];
  order.forEach((at, i) => {
    if (i > 0) out[at] = Math.max(out[at]!, out[order[i - 1]!]! + linkStep.y);
  });
  const sum = (list: number[]): number => list.reduce((a, b) => a + b, 0);
  const off = (sum(wanted) - sum(out)) / Math.max(1, wanted.length);
  return out.map((y) => y + off);
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
