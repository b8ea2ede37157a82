import type { NetworkInterface, Topology } from "../api/types.ts";

// Which gateways lie between two ends that frames were counted for. The stream
// names sender and receiver; what is between them follows from the route tables.

const toNumber = (ip: string): number => ip.split(".").reduce((n, part) => n * 256 + Number(part), 0) >>> 0;

/** Reports whether a CIDR block has an IPv4 address; its length, or -1. */
export function matches(cidr: string, ip: number): number {
  const [base, length] = cidr.split("/");
  if (!base?.includes(".") || length === undefined) return -1;
  const bits = Number(length);
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  return (toNumber(base) & mask) >>> 0 === (ip & mask) >>> 0 ? bits : -1;
}

const addressOf = (n: NetworkInterface): string =>
  (n.privateIps.find((p) => p.primary) ?? n.privateIps[0])?.address ?? "";

/** A peering connection or a transit gateway. */
const joins = (id: string | undefined): boolean => /^(pcx|tgw)-/.test(id ?? "");

/** How many tables one way asks at most: NAT gateways may lead in a circle. */
const maxTables = 4;

export class Ways {
  private readonly enis: Map<string, NetworkInterface>;
  private readonly hosts: Map<string, string>;
  private readonly nats: Map<string, string>;
  private readonly natOf: Map<string, string>;
  private readonly igwOf = new Map<string, string>();
  private readonly tables: Map<string, Topology["routeTables"][number]>;
  private readonly tableOf: Map<string, string>;

  constructor(t: Topology) {
    this.enis = new Map(t.networkInterfaces.map((n) => [n.id, n]));
    this.hosts = new Map((t.internetHosts ?? []).map((h) => [h.id, h.address]));
    this.nats = new Map((t.natGateways ?? []).map((g) => [g.id, g.subnetId]));
    this.natOf = new Map((t.natGateways ?? []).map((g) => [g.networkInterfaceId ?? "", g.id]));
    for (const g of t.internetGateways ?? []) if (g.vpcId) this.igwOf.set(g.vpcId, g.id);
    this.tables = new Map((t.routeTables ?? []).map((r) => [r.id, r]));
    this.tableOf = new Map(t.subnets.map((s) => [s.id, s.routeTableId ?? ""]));
  }

  /** The place at which an interface is drawn: a NAT gateway's is the gateway. */
  place(id: string): string {
    return this.natOf.get(id) ?? id;
  }

  /** The places from one end to the other, both among them; an unknown receiver is left out. */
  between(from: string, to: string): string[] {
    const a = this.place(from);
    if (!to) return [a];
    const b = this.place(to);
    const src = this.enis.get(from);
    const dst = this.enis.get(to);
    const srcHost = this.hosts.get(from);
    const dstHost = this.hosts.get(to);
    let middle: string[] = [];
    if (src && dstHost) middle = this.out(src, dstHost);
    else if (srcHost && dst) {
      // Straight to an address of its own; to others only as an answer, the way it came.
      const igw = this.igwOf.get(dst.vpcId);
      const own = dst.privateIps.some((p) => p.publicIp);
      middle = own && igw ? [igw] : this.out(dst, srcHost).reverse();
    } else if (src && dst && src.vpcId !== dst.vpcId) {
      const there = this.towards(src.subnetId, addressOf(dst));
      const back = this.towards(dst.subnetId, addressOf(src)).reverse();
      const near = this.igwOf.get(src.vpcId);
      const far = this.igwOf.get(dst.vpcId);
      // No private address is beyond an internet gateway: by it they meet at public ones.
      if (joins(there.at(-1))) middle = there;
      else if (joins(back[0])) middle = back;
      else if (near && far) middle = [near, far];
    }
    return [a, ...middle.filter((g) => g !== a && g !== b), b];
  }

  private out(n: NetworkInterface, address: string): string[] {
    const by = this.towards(n.subnetId, address);
    const igw = this.igwOf.get(n.vpcId);
    // Routes may have changed since: what is on the internet got there by a gateway.
    return by.length > 0 || !igw ? by : [igw];
  }

  /** The gateways that route tables lead through, from a subnet towards an address. */
  private towards(subnet: string, address: string): string[] {
    const ip = toNumber(address);
    const out: string[] = [];
    let at = subnet;
    for (let i = 0; i < maxTables; i++) {
      let best = -1;
      let target = "";
      let kind = "";
      for (const r of this.tables.get(this.tableOf.get(at) ?? "")?.routes ?? []) {
        const bits = r.state === "active" ? matches(r.destination, ip) : -1;
        if (bits > best) {
          best = bits;
          target = r.target;
          kind = r.kind;
        }
      }
      if (
        kind !== "internet-gateway" &&
        kind !== "nat-gateway" &&
        kind !== "peering-connection" &&
        kind !== "transit-gateway" &&
        kind !== "vpc-endpoint"
      )
        return out;
      out.push(target);
      const next = this.nats.get(target);
      if (!next || next === at) return out;
      at = next;
    }
    return out;
  }
}
