import { describe, expect, it } from "vitest";
import type { NetworkInterface, Topology } from "../../src/api/types.ts";
import { route, wayOf } from "../../src/topology/edges.ts";
import { layout } from "../../src/topology/layout.ts";
import { matches, Ways } from "../../src/topology/ways.ts";
// The fixture is plain JavaScript for Node; it has no types.
// @ts-expect-error
import { ids, Lab } from "../fixture/lab.mjs";
// @ts-expect-error
import { out } from "../fixture/network.mjs";

const lab = (): Topology => structuredClone(new Lab({ network: true }).topology());

describe("ways", () => {
  const between = (t: Topology, from: string, to: string) => new Ways(t).between(from, to);

  it("finds the gateways between two ends, there and back", () => {
    const t = lab();
    expect(between(t, out.workerEth0, out.updates)).toEqual([out.workerEth0, out.nat, out.igw, out.updates]);
    expect(between(t, out.updates, out.workerEth0)).toEqual([out.updates, out.igw, out.nat, out.workerEth0]);
    expect(between(t, out.customer, ids.served)).toEqual([out.customer, out.igw, ids.served]);
    expect(between(t, ids.served, out.customer)).toEqual([ids.served, out.igw, out.customer]);
    expect(between(t, out.workerEth0, out.peerEth0)).toEqual([out.workerEth0, out.pcx, out.peerEth0]);
    expect(between(t, out.peerEth0, out.workerEth0)).toEqual([out.peerEth0, out.pcx, out.workerEth0]);
    expect(between(t, ids.clientEth0, ids.served)).toEqual([ids.clientEth0, ids.served]);
    expect(between(t, out.customer, out.updates)).toEqual([out.customer, out.updates]);
  });

  it("draws a NAT gateway's own frames at the gateway", () => {
    expect(between(lab(), out.customer, out.natEni)).toEqual([out.customer, out.igw, out.nat]);
    expect(between(lab(), out.natEni, out.customer)).toEqual([out.nat, out.igw, out.customer]);
  });

  it("follows the longest prefix, and no blackhole", () => {
    const t = lab();
    const table = t.routeTables.find((r) => r.subnetIds.includes(out.private))!;
    const to = (target: string, kind: string, state: "active" | "blackhole") =>
      table.routes.unshift({ destination: "198.51.100.0/24", target, kind, state });
    to("pcx-gone", "peering-connection", "blackhole");
    expect(between(t, out.workerEth0, out.updates)).toContain(out.nat);
    to(out.igw, "internet-gateway", "active");
    expect(between(t, out.workerEth0, out.updates)).toEqual([out.workerEth0, out.igw, out.updates]);
  });

  it("ends when NAT gateways lead in a circle", () => {
    const t = lab();
    for (const r of t.routeTables)
      for (const e of r.routes) if (e.kind === "internet-gateway") e.target = out.nat;
    for (const r of t.routeTables) for (const e of r.routes) if (e.target === out.nat) e.kind = "nat-gateway";
    expect(between(t, out.workerEth0, out.updates).length).toBeLessThan(8);
  });

  it("knows which block has an address", () => {
    expect(matches("0.0.0.0/0", 1)).toBe(0);
    expect(matches("255.255.255.255/32", 0xffffffff)).toBe(32);
    expect(matches("10.0.0.0/8", 0x0b000000)).toBe(-1);
    expect([matches("pl-0123", 1), matches("::/0", 1)]).toEqual([-1, -1]);
  });
});

describe("what is around the VPCs", () => {
  const t = lab();
  const l = layout(t, "free");
  const box = (id: string) => l.boxes.find((b) => b.id === id)!;

  it("takes no room while it is not there", () => {
    const bare = layout(new Lab().topology(), "free");
    expect(bare.boxes.find((b) => b.kind === "vpc")!.x).toBe(0);
    expect(bare.boxes.filter((b) => ["internet", "host", "igw", "nat"].includes(b.kind))).toEqual([]);
    expect(bare.wires).toEqual([]);
  });

  it("puts gateways on the edge of their VPC and NAT gateways in their subnet", () => {
    const [igw, nat] = [box(out.igw), box(out.nat)];
    const vpc = box(t.internetGateways[0]!.vpcId!);
    expect(igw.x + igw.w / 2).toBe(vpc.x);
    expect(igw.y).toBeGreaterThan(vpc.y);
    expect(igw.y + igw.h).toBeLessThan(vpc.y + vpc.h);
    expect(nat.parent).toBe(t.natGateways[0]!.subnetId);
    expect(box("internet").x + box("internet").w).toBeLessThan(igw.x);
    expect(box(out.pcx).x).toBeGreaterThan(vpc.x + vpc.w);
  });

  it("has no chip for an interface that the network itself holds", () => {
    expect(l.chips.map((c) => c.eni)).not.toContain(out.natEni);
    expect(l.boxes.filter((b) => b.kind === "tray")).toEqual([]);
  });

  it("covers no box by another of its level", () => {
    const level = l.boxes.filter((b) => ["instance", "nat", "host", "tray"].includes(b.kind));
    for (const a of level) {
      for (const b of level) {
        if (a === b) continue;
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect([a.id, b.id, apart]).toEqual([a.id, b.id, true]);
      }
    }
  });

  it("folds hosts that are too many, and lists every place for readers once", () => {
    const many = lab();
    for (let i = 0; i < 30; i++) many.internetHosts.push({ ...many.internetHosts[0]!, id: `inet-x${i}` });
    const m = layout(many, "free");
    expect(m.boxes.find((b) => b.id === "internet/more")!.value).toBe(20);
    expect(new Set(m.order).size).toBe(m.order.length);
    for (const b of m.boxes) if (b.kind !== "slot") expect(m.order).toContain(b.id);
  });

  it("leads frames on right angles past every gateway, and never over a card", () => {
    const ways = new Ways(t);
    const cards = l.boxes.filter((b) => b.kind === "instance" || b.kind === "nat" || b.kind === "host");
    const ends = [out.workerEth0, out.peerEth0, ids.served, ids.foreignEth0, out.customer, out.updates];
    for (const from of ends) {
      for (const to of ends) {
        if (from === to) continue;
        const places = ways.between(from, to);
        for (const r of [route(l, places)!, wayOf(l, places)!]) {
          for (const id of places.slice(1, -1)) {
            const a = l.anchors.get(id)!;
            let nearest = Number.POSITIVE_INFINITY;
            for (let i = 0; i < r.points.length; i += 2)
              nearest = Math.min(nearest, Math.abs(r.points[i]! - a.x) + Math.abs(r.points[i + 1]! - a.y));
            expect([from, to, id, nearest < 10]).toEqual([from, to, id, true]);
          }
          for (let i = 2; i < r.points.length; i += 2) {
            const [x1, y1, x2, y2] = [r.points[i - 2]!, r.points[i - 1]!, r.points[i]!, r.points[i + 1]!];
            expect(Math.min(Math.abs(x1 - x2), Math.abs(y1 - y2))).toBeLessThan(9);
            for (const c of cards) {
              // A chip's port is a little inside its card.
              const inside =
                Math.max(x1, x2) > c.x + 11 &&
                Math.min(x1, x2) < c.x + c.w - 11 &&
                Math.max(y1, y2) > c.y &&
                Math.min(y1, y2) < c.y + c.h;
              expect([from, to, c.id, inside]).toEqual([from, to, c.id, false]);
            }
          }
        }
      }
    }
  });
});

/** The place of an interface, for a topology without any. */
const nobody: NetworkInterface[] = [];

it("has no way without interfaces", () => {
  expect(new Ways({ ...lab(), networkInterfaces: nobody }).between("eni-x", "eni-y")).toEqual([
    "eni-x",
    "eni-y",
  ]);
});
