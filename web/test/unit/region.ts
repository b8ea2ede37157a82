import type { Topology } from "../../src/api/types.ts";

const perSubnet = 250;
const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

/** A VPC with so many instances of one interface each, in subnets of three zones. */
export function region(n: number): Topology {
  const subnets = Math.ceil(n / perSubnet);
  const at = (i: number): string => `subnet-${hex(Math.floor(i / perSubnet), 4)}`;
  const address = (i: number): string =>
    `10.0.${2 * Math.floor(i / perSubnet) + Math.floor(((i % perSubnet) + 10) / 256)}.${((i % perSubnet) + 10) % 256}`;
  const all = Array.from({ length: n }, (_, i) => i);
  const id = (i: number): string => `i-${hex(i, 6)}`;
  return {
    epoch: "e",
    revision: 1,
    eventSeq: 1,
    region: "us-east-1",
    vpcs: [{ id: "vpc-1", cidr: "10.0.0.0/16", region: "us-east-1", tags: { Name: "lab" } }],
    subnets: Array.from({ length: subnets }, (_, i) => ({
      id: at(i * perSubnet),
      vpcId: "vpc-1",
      zone: `us-east-1${"abc"[i % 3]}`,
      cidr: `10.0.${2 * i}.0/23`,
      availableAddresses: 250,
      routerMac: "",
      routeTableId: "rtb-1",
      networkAclId: i % 2 === 0 ? "acl-even" : "acl-odd",
    })),
    instances: all.map((i) => ({
      id: id(i),
      name: `n${i}`,
      type: "t3.micro",
      state: "running",
      zone: "",
      vpcId: "vpc-1",
      subnetId: at(i),
      maxInterfaces: 2,
      interfaces: [],
      launchedAt: `2026-01-01T00:00:00.${hex(i, 6)}Z`,
    })),
    networkInterfaces: all.map((i) => ({
      id: `eni-${hex(i, 6)}`,
      macAddress: `02:00:00:${hex(i >> 16, 2)}:${hex((i >> 8) & 255, 2)}:${hex(i & 255, 2)}`,
      status: "in-use",
      vpcId: "vpc-1",
      subnetId: at(i),
      zone: "",
      privateIps: [{ address: address(i), primary: true }],
      groups: [{ id: i % 10 === 0 ? "sg-tenth" : "sg-other", name: "" }],
      sourceDestCheck: true,
      attachment: {
        id: `a-${i}`,
        instanceId: id(i),
        deviceIndex: 0,
        state: "attached",
        deleteOnTermination: true,
      },
    })),
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
  } as Topology;
}
