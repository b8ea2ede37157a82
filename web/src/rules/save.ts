import { get } from "../api/client.ts";
import { ec2, type Parameters, type Seen, together, type Undo } from "../build/api.ts";
import { targetParameter } from "../build/model.ts";
import { type Diff, protocolOf, reach } from "./changes.ts";
import { isBlock6, type KindId, keyOf, type Row } from "./rows.ts";

// A draft is saved by the calls of EC2 that a program would make, all or none of it.

const numbers: Readonly<Record<string, string>> = { tcp: "6", udp: "17", icmp: "1" };

function permission(r: Row): Parameters {
  const about = r.description ? { Description: r.description } : {};
  const peer = r.peer ?? "";
  const whom: Parameters = peer.startsWith("sg-")
    ? { Groups: [{ GroupId: peer, ...about }] }
    : peer.startsWith("pl-")
      ? { PrefixListIds: [{ PrefixListId: peer, ...about }] }
      : isBlock6(peer)
        ? { Ipv6Ranges: [{ CidrIpv6: peer, ...about }] }
        : { IpRanges: [{ CidrIp: peer, ...about }] };
  return { IpProtocol: protocolOf(r), ...reach(r), ...whom };
}

function modified(id: string, r: Row): Parameters {
  const peer = r.peer ?? "";
  const whom: Parameters = peer.startsWith("sg-")
    ? { ReferencedGroupId: peer }
    : peer.startsWith("pl-")
      ? { PrefixListId: peer }
      : isBlock6(peer)
        ? { CidrIpv6: peer }
        : { CidrIpv4: peer };
  return {
    SecurityGroupRuleId: id,
    SecurityGroupRule: {
      IpProtocol: protocolOf(r),
      ...reach(r),
      ...whom,
      ...(r.description ? { Description: r.description } : {}),
    },
  };
}

const way = (direction: string | undefined): string => (direction === "egress" ? "Egress" : "Ingress");

function entryParameters(acl: string, r: Row): Parameters {
  const { FromPort, ToPort } = reach(r);
  const ranges: Parameters =
    FromPort === undefined
      ? {}
      : r.protocol === "icmp"
        ? { Icmp: { Type: FromPort, Code: ToPort } }
        : { PortRange: { From: FromPort, To: ToPort } };
  const peer = r.peer ?? "";
  return {
    NetworkAclId: acl,
    RuleNumber: Number(r.number),
    Egress: r.direction === "egress",
    RuleAction: r.action,
    Protocol: numbers[r.protocol ?? ""] ?? protocolOf(r),
    ...(isBlock6(peer) ? { Ipv6CidrBlock: peer } : { CidrBlock: peer }),
    ...ranges,
  };
}

function routeParameters(table: string, r: Row): Parameters {
  const to = r.destination ?? "";
  const destination: Parameters = to.startsWith("pl-")
    ? { DestinationPrefixListId: to }
    : isBlock6(to)
      ? { DestinationIpv6CidrBlock: to }
      : { DestinationCidrBlock: to };
  return { RouteTableId: table, ...destination };
}

const aim = (r: Row): Parameters =>
  r.target === "local" ? { LocalTarget: true } : { [targetParameter(r.target ?? "")]: r.target };

type Call = (action: string, parameters: Parameters) => ReturnType<typeof ec2>;

/** Saves a draft if nobody has changed what it began with, and says how to take it back. */
export async function save(kind: KindId, seen: Seen, d: Diff): Promise<Undo> {
  let expected: Seen | null = seen;
  // Each call is made only of what the one before has left.
  const call: Call = async (action, parameters) => {
    const answer = await ec2(action, parameters, expected);
    expected = expected && { id: seen.id, etag: await etagOf(kind, seen.id) };
    return answer;
  };
  const plain: Call = (action, parameters) => ec2(action, parameters);
  const done = await together(async (did) => {
    await { sg: saveGroup, rtb: saveRoutes, acl: saveEntries }[kind](seen.id, d, call, (undo) =>
      did(() => undo(plain)),
    );
    return seen.id;
  });
  return done.undo;
}

const path: Readonly<Record<KindId, string>> = {
  sg: "security-groups",
  rtb: "route-tables",
  acl: "network-acls",
};

const etagOf = async (kind: KindId, id: string): Promise<string> =>
  (await get<{ etag: string }>(`/${path[kind]}/${id}`)).etag;

type Did = (undo: (call: Call) => Promise<unknown>) => void;

async function saveGroup(group: string, d: Diff, call: Call, did: Did): Promise<void> {
  for (const direction of ["ingress", "egress"]) {
    const gone = d.removed.filter((r) => r.direction === direction);
    if (gone.length === 0) continue;
    await call(`RevokeSecurityGroup${way(direction)}`, {
      GroupId: group,
      SecurityGroupRuleId: gone.map(keyOf),
    });
    did((c) =>
      c(`AuthorizeSecurityGroup${way(direction)}`, { GroupId: group, IpPermissions: gone.map(permission) }),
    );
  }
  if (d.changed.length > 0) {
    const change = (rows: { before: Row; after: Row }[], of: "before" | "after"): Parameters => ({
      GroupId: group,
      SecurityGroupRule: rows.map((x) => modified(keyOf(x.before), x[of])),
    });
    await call("ModifySecurityGroupRules", change(d.changed, "after"));
    did((c) => c("ModifySecurityGroupRules", change(d.changed, "before")));
  }
  for (const direction of ["ingress", "egress"]) {
    const fresh = d.added.filter((r) => r.direction === direction);
    if (fresh.length === 0) continue;
    const made = await call(`AuthorizeSecurityGroup${way(direction)}`, {
      GroupId: group,
      IpPermissions: fresh.map(permission),
    });
    const ids = (made.securityGroupRuleSet ?? []).map((r) => r.securityGroupRuleId);
    did((c) => c(`RevokeSecurityGroup${way(direction)}`, { GroupId: group, SecurityGroupRuleId: ids }));
  }
}

async function saveRoutes(table: string, d: Diff, call: Call, did: Did): Promise<void> {
  const route = (r: Row): Parameters => ({ ...routeParameters(table, r), ...aim(r) });
  for (const r of d.removed) {
    await call("DeleteRoute", routeParameters(table, r));
    did((c) => c("CreateRoute", route(r)));
  }
  for (const { before, after } of d.changed) {
    await call("ReplaceRoute", route(after));
    did((c) => c("ReplaceRoute", route(before)));
  }
  for (const r of d.added) {
    await call("CreateRoute", route(r));
    did((c) => c("DeleteRoute", routeParameters(table, r)));
  }
}

async function saveEntries(acl: string, d: Diff, call: Call, did: Did): Promise<void> {
  const place = (r: Row): Parameters => ({
    NetworkAclId: acl,
    RuleNumber: Number(r.number),
    Egress: r.direction === "egress",
  });
  for (const r of d.removed) {
    await call("DeleteNetworkAclEntry", place(r));
    did((c) => c("CreateNetworkAclEntry", entryParameters(acl, r)));
  }
  for (const { before, after } of d.changed) {
    await call("ReplaceNetworkAclEntry", entryParameters(acl, after));
    did((c) => c("ReplaceNetworkAclEntry", entryParameters(acl, before)));
  }
  for (const r of d.added) {
    await call("CreateNetworkAclEntry", entryParameters(acl, r));
    did((c) => c("DeleteNetworkAclEntry", place(r)));
  }
}
