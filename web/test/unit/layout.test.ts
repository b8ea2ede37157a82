import { describe, expect, it } from "vitest";
import type { Instance, NetworkInterface, Topology } from "../../src/api/types.ts";
import { route } from "../../src/topology/edges.ts";
import { layout } from "../../src/topology/layout.ts";
import type { Layout } from "../../src/topology/shapes.ts";

const instance = (id: string, subnetId: string, role = ""): Instance => ({
  id,
  type: "t3.micro",
  state: "running",
  zone: subnetId,
  vpcId: "vpc-1",
  subnetId,
  maxInterfaces: 2,
  role,
  interfaces: [],
  launchedAt: "2026-01-01T00:00:00Z",
});

const eni = (id: string, subnetId: string, owner: string, deviceIndex: number): NetworkInterface => ({
  id,
  macAddress: `02:${id}`,
  status: "in-use",
  vpcId: "vpc-1",
  subnetId,
  zone: subnetId,
  privateIps: [{ address: "10.0.0.1", primary: true }],
  groups: [],
  sourceDestCheck: true,
  ...(owner && {
    attachment: { id: "a", instanceId: owner, deviceIndex, state: "attached", deleteOnTermination: false },
  }),
});

const lab = (owner = "i-b"): Topology => ({
  epoch: "e",
  revision: 1,
  eventSeq: 1,
  region: "us-east-1",
  vpcs: [{ id: "vpc-1", cidr: "10.0.0.0/16", region: "us-east-1" }],
  subnets: ["za", "zb"].map((zone) => ({
    id: `s-${zone}`,
    vpcId: "vpc-1",
    zone,
    cidr: `10.0.${zone === "za" ? 0 : 1}.0/24`,
    availableAddresses: 250,
    routerMac: "",
  })),
  instances: [
    instance("i-a", "s-za", "client"),
    instance("i-b", "s-za", "active"),
    instance("i-c", "s-za"),
    instance("i-d", "s-zb"),
  ],
  networkInterfaces: [
    eni("eni-a0", "s-za", "i-a", 0),
    eni("eni-b0", "s-za", "i-b", 0),
    eni("eni-x", "s-za", owner, 1),
    eni("eni-c0", "s-za", "i-c", 0),
    eni("eni-d0", "s-zb", "i-d", 0),
  ],
  securityGroups: [],
  addresses: [],
  internetHosts: [],
  internetGateways: [],
  natGateways: [],
  peeringConnections: [],
  transitGateways: [],
  vpcEndpoints: [],
  routeTables: [],
  networkAcls: [],
  policies: [],
  failovers: [],
  captures: [],
});

const shuffled = <T>(list: T[]): T[] => [...list].reverse();

const box = (l: Layout, id: string) => l.boxes.find((b) => b.id === id)!;

describe("layout", () => {
  it("is a function of the resources, not of their order", () => {
    const t = lab();
    const mixed: Topology = {
      ...t,
      instances: shuffled(t.instances),
      networkInterfaces: shuffled(t.networkInterfaces),
      subnets: shuffled(t.subnets),
    };
    expect(layout(mixed, "free")).toEqual(layout(t, "free"));
  });

  it("nests every box in its parent and every chip in its card", () => {
    const l = layout(lab(), "free");
    const inside = (c: { x: number; y: number; w: number; h: number }, p: typeof c): boolean =>
      c.x >= p.x && c.y >= p.y && c.x + c.w <= p.x + p.w && c.y + c.h <= p.y + p.h;
    for (const b of l.boxes) if (b.parent) expect([b.id, inside(b, box(l, b.parent))]).toEqual([b.id, true]);
    for (const c of l.chips) expect([c.eni, inside(c, box(l, c.owner))]).toEqual([c.eni, true]);
  });

  it("does not move anyone when an instance arrives", () => {
    const before = layout(lab(), "free");
    const t = lab();
    t.instances.push({ ...instance("i-z", "s-za"), launchedAt: "2026-02-01T00:00:00Z" });
    const after = layout(t, "free");
    for (const b of before.boxes.filter((b) => b.kind === "instance")) {
      expect(box(after, b.id)).toMatchObject({ x: b.x, y: b.y });
    }
  });

  it("moves the chip with its owner and lists it there for readers", () => {
    const l = layout(lab("i-c"), "free");
    expect(l.chips.find((c) => c.eni === "eni-x")?.owner).toBe("i-c");
    const at = (id: string): number => l.order.indexOf(id);
    expect(at("i-c")).toBeLessThan(at("eni-x"));
    expect(at("i-b")).toBeLessThan(at("i-c"));
  });

  it("shows an interface without owner in a tray of its subnet", () => {
    const l = layout(lab(""), "free");
    expect(box(l, "s-za/unattached").kind).toBe("tray");
    expect(l.chips.find((c) => c.eni === "eni-x")?.owner).toBe("");
  });

  it("places however many there are, each apart from the others, and moves none for those that come", () => {
    const t = lab();
    const more = (from: number, to: number): void => {
      for (let i = from; i < to; i++)
        t.instances.push({ ...instance(`i-n${i}`, "s-zb"), launchedAt: `2026-02-01T00:00:${i + 1000}Z` });
    };
    more(0, 700);
    const before = layout(t, "free");
    const cards = before.boxes.filter((b) => b.kind === "instance" && b.parent === "s-zb");
    expect(cards).toHaveLength(701);
    expect(new Set(cards.map((b) => `${b.x},${b.y}`)).size).toBe(701);
    // Near a square, so that what fits is not lost in one direction.
    const s = box(before, "s-zb");
    expect(s.value).toBe(701);
    expect(s.w / s.h).toBeGreaterThan(0.7);
    expect(s.w / s.h).toBeLessThan(2.5);
    more(700, 900);
    const after = layout(t, "free");
    const moved = cards.filter((b) => box(after, b.id).x !== b.x || box(after, b.id).y !== b.y);
    expect(moved).toEqual([]);
  });

  it("keeps every other card where it is when an interface moves", () => {
    const before = layout(lab("i-b"), "free");
    const after = layout(lab("i-c"), "free");
    expect([after.width, after.height]).toEqual([before.width, before.height]);
    for (const b of before.boxes.filter((x) => x.kind !== "slot"))
      expect([b.id, box(after, b.id).x, box(after, b.id).y, box(after, b.id).h]).toEqual([
        b.id,
        b.x,
        b.y,
        b.h,
      ]);
  });

  it("puts many subnets of a zone in columns, none across another", () => {
    const t = lab();
    for (let i = 10; i < 40; i++)
      t.subnets.push({ ...t.subnets[0]!, id: `s-${i}`, cidr: `10.0.${i}.0/24`, zone: "zb" });
    const l = layout(t, "free");
    const subnets = l.boxes.filter((b) => b.kind === "subnet" && b.parent === "vpc-1/zb");
    expect(subnets).toHaveLength(31);
    for (const a of subnets)
      for (const b of subnets)
        if (a !== b)
          expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
    const vpc = box(l, "vpc-1");
    expect(vpc.w / vpc.h).toBeGreaterThan(1);
  });

  it("draws the hosts of the internet that ask or are asked, and folds others", () => {
    const t = lab();
    const host = (id: string, address: string) => ({
      id,
      name: id,
      address,
      fault: "" as const,
      workloads: [],
      serve: [],
    });
    for (let i = 10; i < 40; i++) t.internetHosts.push(host(`inet-${i}`, `192.0.2.${i}`));
    const work = (target: string) => [{ name: "w", kind: "ping" as const, target, rate: 1 }];
    t.internetHosts.push(
      { ...host("inet-98", "192.0.2.98"), workloads: work("203.0.113.1") },
      host("inet-99", "192.0.2.99"),
    );
    t.instances[0]!.workloads = work("192.0.2.99");
    const l = layout(t, "free");
    expect(l.order.filter((id) => id.startsWith("inet-")).slice(-3)).toEqual([
      "inet-19",
      "inet-98",
      "inet-99",
    ]);
    expect(box(l, "internet/more").value).toBe(20);
  });

  it("puts the internet beside the ways to it, each of which has a height of its own", () => {
    const t = lab();
    t.internetHosts.push({
      id: "inet-1",
      name: "s3",
      address: "192.0.2.1",
      fault: "",
      workloads: [],
      serve: [],
    });
    t.internetGateways.push({ id: "igw-1", vpcId: "vpc-1" });
    const endpoint = (id: string, type: "Gateway" | "Interface", source?: string) => ({
      id,
      vpcId: "vpc-1",
      type,
      service: "com.amazonaws.us-east-1.s3",
      state: "available",
      ...(source && { source }),
      routeTableIds: [],
      networkInterfaceIds: [],
    });
    t.vpcEndpoints.push(
      endpoint("vpce-1", "Gateway", "198.18.0.7"),
      endpoint("vpce-2", "Interface"),
      endpoint("vpce-3", "Gateway"),
    );
    const l = layout(t, "free");
    expect(l.boxes.filter((b) => b.kind === "endpoint").map((b) => [b.id, b.label])).toEqual([
      ["vpce-1", "s3"],
    ]);
    const [igw, vpce, vpc] = ["igw-1", "vpce-1", "vpc-1"].map((id) => box(l, id));
    expect(vpce!.y).toBeGreaterThanOrEqual(igw!.y + igw!.h);
    expect(vpce!.y + vpce!.h).toBeLessThanOrEqual(vpc!.y + vpc!.h);
    const internet = box(l, "internet");
    expect(internet.y + internet.h).toBeGreaterThan(igw!.y);
    expect(l.anchors.get("inet-1")!.y).toBeGreaterThan(internet.y);
    // Along the lane, beside the gateway and not through it, and out to the host.
    const way = route(l, ["eni-a0", "vpce-1", "inet-1"])!;
    const corners = [...way.points].map((v) => Math.round(v));
    for (let i = 2; i < corners.length - 2; i += 2)
      expect([corners[i] === corners[i - 2], corners[i + 1] === corners[i - 1]]).toContain(true);
  });

  it("leaves out a default VPC that nobody uses, unless there is no other", () => {
    const t = lab();
    const spare = { id: "vpc-0", cidr: "172.31.0.0/16", region: "us-east-1", default: true };
    t.subnets.push({ ...t.subnets[0]!, id: "s-default", vpcId: "vpc-0" });
    const drawn = (vpcs: Topology["vpcs"]) =>
      layout({ ...t, vpcs }, "free")
        .boxes.filter((b) => b.kind === "vpc")
        .map((b) => b.id);
    expect(drawn([...t.vpcs, spare])).toEqual(["vpc-1"]);
    expect(drawn([spare])).toEqual(["vpc-0"]);
    t.networkInterfaces.push(eni("eni-d", "s-default", "", 0));
    expect(drawn([...t.vpcs, spare])).toEqual(["vpc-0", "vpc-1"]);
  });

  it("puts several VPCs in two columns with what joins them between, those with ways out on the left", () => {
    const one = lab();
    const names = ["1", "2", "3", "4"];
    const of = (n: string, id: string): string => `${id}@${n}`;
    const many: Topology = {
      ...one,
      vpcs: names.map((n) => ({ id: `vpc-${n}`, cidr: `10.${n}.0.0/16`, region: "us-east-1" })),
      subnets: names.flatMap((n) => one.subnets.map((x) => ({ ...x, id: of(n, x.id), vpcId: `vpc-${n}` }))),
      instances: names.flatMap((n) =>
        one.instances.map((x) => ({ ...x, id: of(n, x.id), subnetId: of(n, x.subnetId), vpcId: `vpc-${n}` })),
      ),
      networkInterfaces: [],
      internetGateways: [{ id: "igw-3", vpcId: "vpc-3" }],
      transitGateways: [
        {
          id: "tgw-1",
          state: "available",
          attachments: names.map((n) => ({
            id: `a-${n}`,
            vpcId: `vpc-${n}`,
            subnetIds: [],
            state: "available",
          })),
          routeTables: [],
        },
      ],
    };
    const p = layout(many, "");
    const box = (id: string) => p.boxes.find((b) => b.id === id)!;
    const vpcs = names.map((n) => box(`vpc-${n}`));
    expect(new Set(vpcs.map((v) => v.x)).size).toBe(2);
    expect(box("vpc-3").x).toBe(Math.min(...vpcs.map((v) => v.x)));
    for (const a of vpcs)
      for (const b of vpcs)
        if (a !== b)
          expect(a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y).toBe(true);
    const hub = box("tgw-1");
    for (const v of vpcs) expect(v.x + v.w <= hub.x || hub.x + hub.w <= v.x).toBe(true);
    expect(p.width).toBeGreaterThanOrEqual(Math.max(...vpcs.map((v) => v.x + v.w)));
    // A picture for a screen, which is wider than high.
    expect(p.width).toBeGreaterThan(p.height);
  });

  it("copes with nothing", () => {
    const l = layout({ ...lab(), vpcs: [], subnets: [], instances: [], networkInterfaces: [] }, "free");
    expect([l.boxes.length, l.width, l.height]).toEqual([0, 0, 0]);
  });
});

describe("route", () => {
  const l = layout(lab(), "free");
  const chip = (id: string) => l.chips.find((c) => c.eni === id)!;

  it("runs on right angles from port to port", () => {
    for (const [from, to] of [
      ["eni-a0", "eni-x"],
      ["eni-x", "eni-a0"],
      ["eni-d0", "eni-x"],
    ] as const) {
      const r = route(l, [from, to])!;
      for (let i = 2; i < r.points.length; i += 2) {
        const dx = Math.abs(r.points[i]! - r.points[i - 2]!);
        const dy = Math.abs(r.points[i + 1]! - r.points[i - 1]!);
        expect(Math.min(dx, dy)).toBeLessThan(0.001);
      }
      expect(r.points.at(-2)).toBe(chip(to).side === "left" ? chip(to).x : chip(to).x + chip(to).w);
    }
  });

  it("ends at the bus when nobody owns the destination", () => {
    const r = route(l, ["eni-a0"])!;
    expect(r.total).toBe(r.bus);
  });
});
