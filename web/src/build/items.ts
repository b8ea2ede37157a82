import { del, post } from "../api/client.ts";
import * as state from "../app/state.ts";
import { regionShown, viewVpc } from "../app/view.ts";
import { dropEntry, restoreEntry } from "./acls.ts";
import { ec2, type Undo } from "./api.ts";
import { dropRule, restoreRule } from "./filters.ts";
import { give } from "./hosts.ts";
import type { KindId } from "./kinds.ts";
import { eniLabel, lab, targetParameter } from "./model.ts";
import { dropPolicy, policyBody } from "./policies.ts";
import { setWorkloads } from "./workloads.ts";

// What the lists show: everything there is, with how it is deleted and, where the
// API can, restored.

export interface Item {
  key: string;
  name: string;
  detail: string;
  /** What a press on its name selects on the map. */
  select?: string;
  editable?: boolean;
  removable?: boolean;
  remove: () => Promise<unknown>;
  undo?: Undo;
  childKind?: KindId;
  children?: Item[];
}

interface Thing {
  id: string;
  name?: string;
  tags?: Record<string, string>;
}
const nameOf = (x: Thing): string => x.name || x.tags?.Name || x.id;
const vpcName = (id: string): string => lab().vpcs.find((v) => v.id === id)?.tags?.Name ?? id;
/** Whether what is in a VPC belongs to what the page shows. */
const ofVpc = (id: string | undefined): boolean => {
  if (!id) return true;
  if (viewVpc.value) return viewVpc.value === id;
  const region = lab().vpcs.find((v) => v.id === id)?.region;
  return !region || region === regionShown.value;
};

const plain = (x: Thing, detail: string, remove: () => Promise<unknown>): Item => ({
  key: x.id,
  name: nameOf(x),
  detail,
  select: x.id,
  editable: true,
  remove,
});

const builders: Partial<Record<KindId, () => Item[]>> = {
  vpc: () =>
    lab()
      .vpcs.filter((v) => !v.region || v.region === regionShown.value)
      .map((v) => plain(v, v.cidr, () => ec2("DeleteVpc", { VpcId: v.id }))),
  subnet: () =>
    lab()
      .subnets.filter((s) => ofVpc(s.vpcId))
      .map((s) => plain(s, `${s.cidr} ${s.zone}`, () => ec2("DeleteSubnet", { SubnetId: s.id }))),
  instance: () =>
    lab()
      .instances.filter((i) => i.state !== "terminated" && ofVpc(i.vpcId))
      .map((i) => plain(i, `${i.type} ${i.state}`, () => ec2("TerminateInstances", { InstanceId: [i.id] }))),
  eni: () =>
    lab()
      .networkInterfaces.filter((n) => (!n.type || n.type === "interface") && ofVpc(n.vpcId))
      .map((n) => ({
        ...plain(n, n.id, async () => {
          const a = n.attachment;
          if (a && a.state !== "detached") {
            await post(`/network-interfaces/${n.id}/detach`, { force: true });
            await gone(n.id);
          }
          await ec2("DeleteNetworkInterface", { NetworkInterfaceId: n.id });
        }),
        name: eniLabel(n),
        removable: n.attachment?.deviceIndex !== 0,
        childKind: "address" as const,
        children: n.privateIps
          .filter((p) => !p.primary)
          .map((p) => ({
            key: `${n.id} ${p.address}`,
            name: p.address,
            detail: p.publicIp ?? "",
            remove: () =>
              ec2("UnassignPrivateIpAddresses", { NetworkInterfaceId: n.id, PrivateIpAddress: [p.address] }),
            undo: () =>
              ec2("AssignPrivateIpAddresses", { NetworkInterfaceId: n.id, PrivateIpAddress: [p.address] }),
          })),
      })),
  eip: () =>
    (lab().addresses ?? []).map((a) => ({
      key: a.allocationId,
      name: a.tags?.Name || a.publicIp,
      detail: a.publicIp,
      ...(a.networkInterfaceId ? { select: a.networkInterfaceId } : {}),
      editable: true,
      remove: async () => {
        await give(a.allocationId, "", "");
        await ec2("ReleaseAddress", { AllocationId: a.allocationId });
      },
    })),
  group: () =>
    lab()
      .securityGroups.filter((g) => ofVpc(g.vpcId))
      // Every VPC has a default one; those that somebody made come first.
      .toSorted((a, b) => Number(a.name === "default") - Number(b.name === "default"))
      .map((g) => ({
        key: g.id,
        name: g.name,
        detail: `${vpcName(g.vpcId)} · ${g.id}`,
        editable: false,
        removable: g.name !== "default",
        remove: () => ec2("DeleteSecurityGroup", { GroupId: g.id }),
        childKind: "rule" as const,
        children: g.rules.map((r) => ({
          key: `${g.id} ${r.id}`,
          name: `${r.direction === "egress" ? "→" : "←"} ${r.protocol === "-1" ? "all" : r.protocol} ${r.fromPort ?? ""}${r.toPort !== undefined && r.toPort !== r.fromPort ? `–${r.toPort}` : ""}`.trim(),
          detail: r.cidr ?? r.groupId ?? "",
          editable: true,
          remove: () => dropRule(g.id, r),
          undo: () => restoreRule(g.id, r),
        })),
      })),
  igw: () =>
    (lab().internetGateways ?? [])
      .filter((g) => ofVpc(g.vpcId))
      .map((g) =>
        plain(g, g.vpcId ?? "", async () => {
          if (g.vpcId) await ec2("DetachInternetGateway", { InternetGatewayId: g.id, VpcId: g.vpcId });
          try {
            await ec2("DeleteInternetGateway", { InternetGatewayId: g.id });
          } catch (err) {
            if (g.vpcId) await ec2("AttachInternetGateway", { InternetGatewayId: g.id, VpcId: g.vpcId });
            throw err;
          }
        }),
      ),
  nat: () =>
    (lab().natGateways ?? [])
      .filter((g) => g.state !== "deleted" && ofVpc(g.vpcId))
      .map((g) =>
        plain(g, `${g.publicIp ?? g.connectivity} ${g.state}`, () =>
          ec2("DeleteNatGateway", { NatGatewayId: g.id }),
        ),
      ),
  table: () =>
    (lab().routeTables ?? [])
      .filter((r) => ofVpc(r.vpcId))
      .map((r) => ({
        key: r.id,
        name: r.tags?.Name || (r.main ? `main · ${r.id}` : r.id),
        detail: vpcName(r.vpcId),
        select: r.subnetIds[0] ?? r.vpcId,
        editable: true,
        removable: !r.main,
        remove: async () => {
          const told = await ec2("DescribeRouteTables", { RouteTableId: [r.id] });
          const own = told.routeTableSet?.[0]?.associationSet;
          for (const a of Array.isArray(own) ? own : [])
            await ec2("DisassociateRouteTable", { AssociationId: a.routeTableAssociationId });
          await ec2("DeleteRouteTable", { RouteTableId: r.id });
        },
        childKind: "route" as const,
        children: r.routes.map((x) => {
          const where = { RouteTableId: r.id, DestinationCidrBlock: x.destination };
          return {
            key: `${r.id} ${x.destination}`,
            name: x.destination,
            detail: x.state === "blackhole" ? `${x.target} · blackhole` : x.target,
            editable: x.kind !== "local",
            removable: x.kind !== "local",
            remove: () => ec2("DeleteRoute", where),
            undo: () => ec2("CreateRoute", { ...where, [targetParameter(x.target)]: x.target }),
          };
        }),
      })),
  acl: () =>
    (lab().networkAcls ?? [])
      .filter((a) => ofVpc(a.vpcId))
      .map((a) => ({
        key: a.id,
        name: a.tags?.Name || (a.default ? `default · ${a.id}` : a.id),
        detail: vpcName(a.vpcId),
        ...(a.subnetIds[0] ? { select: a.subnetIds[0] } : {}),
        editable: true,
        removable: !a.default,
        remove: () => ec2("DeleteNetworkAcl", { NetworkAclId: a.id }),
        childKind: "entry" as const,
        children: a.entries.map((e) => ({
          key: `${a.id} ${e.direction} ${e.number}`,
          name: `${e.direction === "egress" ? "→" : "←"} ${e.number} ${e.allow ? "allow" : "deny"} ${e.protocol === "-1" ? "all" : e.protocol}`,
          detail: e.cidr,
          editable: true,
          remove: () => dropEntry(a.id, e),
          undo: () => restoreEntry(a.id, e),
        })),
      })),
  policy: () =>
    (lab().policies ?? []).map((p) => {
      const n = state.enisById.value.get(p.networkInterfaceId);
      return {
        key: p.id,
        name: n ? eniLabel(n) : p.networkInterfaceId,
        detail: p.standbys.map(state.instanceName).join(", "),
        ...(n ? { select: n.id } : {}),
        editable: true,
        remove: () => dropPolicy(p.id),
        undo: () => post("/failover-policies", policyBody(p)),
      };
    }),
  workload: () =>
    [...lab().instances, ...(lab().internetHosts ?? [])].flatMap((h) =>
      (h.workloads ?? []).map((one) => ({
        key: `${h.id} ${one.name}`,
        name: `${nameOf(h)}: ${one.name}`,
        detail: `${one.kind} ${one.target ?? ""} ${one.rate ?? ""}/s`,
        select: h.id,
        editable: true,
        remove: () =>
          setWorkloads(
            h.id,
            (h.workloads ?? []).filter((x) => x.name !== one.name),
          ),
        undo: () => setWorkloads(h.id, h.workloads ?? []),
      })),
    ),
  peering: () =>
    (lab().peeringConnections ?? [])
      .filter(
        (p) =>
          (p.state === "active" || p.state === "pending-acceptance") &&
          (ofVpc(p.requester.vpcId) || ofVpc(p.accepter.vpcId)),
      )
      .map((p) =>
        plain(p, `${vpcName(p.requester.vpcId)} – ${vpcName(p.accepter.vpcId)}`, () =>
          ec2("DeleteVpcPeeringConnection", { VpcPeeringConnectionId: p.id }),
        ),
      ),
  host: () =>
    (lab().internetHosts ?? []).map((h) => ({
      ...plain(h, h.address, () => del(`/internet-hosts/${h.id}`)),
      editable: false,
      undo: () =>
        post("/internet-hosts", { name: h.name, address: h.address, workloads: h.workloads, serve: h.serve }),
    })),
};

export const itemsOf = (kind: KindId): Item[] => builders[kind]?.() ?? [];
/** Kinds that stand for themselves; the others are shown within one of these. */
export const listed = Object.keys(builders) as KindId[];
const waitMs = 5000;

/** Waits until the page has seen an interface detached. */
async function gone(id: string): Promise<void> {
  const until = performance.now() + waitMs;
  while (state.enisById.value.get(id)?.attachment && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 50));
}
