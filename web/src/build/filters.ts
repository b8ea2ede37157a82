import type { SecurityGroup } from "../api/types.ts";
import { ec2, type Parameters, rename } from "./api.ts";
import { type Field, type Kind, str, type Values } from "./form.ts";
import * as m from "./model.ts";
import { nameField } from "./network.ts";

// Forms of security groups and their rules.

export const group: Kind = {
  id: "group",
  label: "group",
  fields: (editing) =>
    editing
      ? [nameField]
      : [
          { name: "vpc", label: "vpc", type: "select", options: m.vpcs, required: true, about: ["vpcId"] },
          { name: "name", label: "name", type: "text", required: true, about: ["groupName"] },
          {
            name: "description",
            label: "description",
            type: "text",
            required: true,
            about: ["groupDescription"],
          },
        ],
  start: (at) => ({ vpc: at.vpc, name: "", description: "" }),
  read: (id) => ({ name: m.lab().securityGroups.find((g) => g.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: "" };
    }
    const made = await ec2("CreateSecurityGroup", {
      VpcId: str(v, "vpc"),
      GroupName: str(v, "name"),
      GroupDescription: str(v, "description"),
    });
    const id = String(made.groupId);
    return { id: "", undo: () => ec2("DeleteSecurityGroup", { GroupId: id }) };
  },
};

export const directions = [
  { value: "ingress", label: "ingress" },
  { value: "egress", label: "egress" },
];
const protocols = ["tcp", "udp", "icmp", "-1"];
const protocolOptions = () => protocols.map((p) => ({ value: p, label: p === "-1" ? "all" : p }));
export const hasPorts = (v: Values): boolean => v.protocol === "tcp" || v.protocol === "udp";

export const portFields: Field[] = [
  { name: "protocol", label: "protocol", type: "select", options: protocolOptions, about: ["ipProtocol"] },
  {
    name: "ports",
    label: "ports",
    type: "text",
    placeholder: "80, 8000-8080",
    hint: "portsHint",
    shown: hasPorts,
    about: ["fromPort", "toPort", "portRange"],
  },
  {
    name: "icmp",
    label: "icmpType",
    type: "number",
    hint: "icmpHint",
    shown: (v) => v.protocol === "icmp",
    about: ["icmpType"],
  },
];

/** The ends of "80" or "8000-8080"; all ports where nothing is said. */
export function ends(text: string): [number, number] {
  const m2 = /^(\d+)\s*[-–]\s*(\d+)$/.exec(text);
  if (m2) return [Number(m2[1]), Number(m2[2])];
  if (text === "") return [0, 65535];
  // What is no number is refused by EC2's rules, in its words.
  return [Number(text), Number(text)];
}

export const span = (from?: number, to?: number): string =>
  from === undefined || from < 0 || (from === 0 && to === 65535)
    ? ""
    : from === to || to === undefined
      ? String(from)
      : `${from}-${to}`;

function reach(v: Values): Parameters {
  if (hasPorts(v)) {
    const [from, to] = ends(str(v, "ports"));
    return { IpProtocol: v.protocol, FromPort: from, ToPort: to };
  }
  if (v.protocol === "icmp")
    return { IpProtocol: "icmp", FromPort: str(v, "icmp") === "" ? -1 : Number(str(v, "icmp")), ToPort: -1 };
  return { IpProtocol: "-1" };
}

/** A rule as AuthorizeSecurityGroup… takes it. */
export function permission(v: Values): Parameters {
  const peer = str(v, "peer");
  const about = str(v, "description") ? { Description: str(v, "description") } : {};
  return {
    ...reach(v),
    ...(peer.startsWith("sg-")
      ? { Groups: [{ GroupId: peer, ...about }] }
      : { IpRanges: [{ CidrIp: peer, ...about }] }),
  };
}

export type Rule = SecurityGroup["rules"][number];

export const ruleValues = (r: Rule): Values => ({
  direction: r.direction,
  protocol: r.protocol,
  ports: span(r.fromPort, r.toPort),
  icmp: r.protocol === "icmp" && r.fromPort !== undefined && r.fromPort >= 0 ? String(r.fromPort) : "",
  peer: r.cidr ?? r.groupId ?? "",
  description: r.description ?? "",
});

const way = (direction: string): string => (direction === "egress" ? "Egress" : "Ingress");

export const restoreRule = (groupId: string, r: Rule): Promise<unknown> =>
  ec2(`AuthorizeSecurityGroup${way(r.direction)}`, {
    GroupId: groupId,
    IpPermissions: [permission(ruleValues(r))],
  });
export const dropRule = (groupId: string, r: Rule): Promise<unknown> =>
  ec2(`RevokeSecurityGroup${way(r.direction)}`, { GroupId: groupId, SecurityGroupRuleId: [r.id] });

const ruleOf = (key: string): [SecurityGroup | undefined, Rule | undefined] => {
  const [id = "", rule = ""] = key.split(" ");
  const g = m.lab().securityGroups.find((x) => x.id === id);
  return [g, g?.rules.find((r) => r.id === rule)];
};

/** A rule is named by its group and itself: GROUP RULE. */
export const rule: Kind = {
  id: "rule",
  label: "rule",
  fields: (editing) => [
    ...(editing
      ? []
      : ([
          {
            name: "group",
            label: "group",
            type: "select",
            options: () => m.groups(""),
            required: true,
            about: ["groupId"],
          },
          { name: "direction", label: "direction", type: "select", options: () => directions },
        ] satisfies Field[])),
    ...portFields,
    {
      name: "peer",
      label: "peer",
      type: "text",
      required: true,
      placeholder: "10.0.0.0/16, sg-…",
      hint: "peerHint",
      about: ["cidrIp", "cidr", "ipRanges", "referencedGroupId"],
    },
    { name: "description", label: "description", type: "text" },
  ],
  start: (at) => ({
    group: at.group,
    direction: "ingress",
    protocol: "tcp",
    ports: "80",
    icmp: "",
    peer: "0.0.0.0/0",
    description: "",
  }),
  read: (key) => {
    const [, r] = ruleOf(key);
    return r ? ruleValues(r) : null;
  },
  guards: (v, editing) => (editing ? editing.split(" ")[0]! : str(v, "group")),
  async save(v, editing, seen) {
    if (editing) {
      const [g, before] = ruleOf(editing);
      if (!g || !before) throw new Error(`${editing} is gone`);
      const change = (x: Values): Parameters => ({
        GroupId: g.id,
        SecurityGroupRule: [
          {
            SecurityGroupRuleId: before.id,
            SecurityGroupRule: {
              ...reach(x),
              ...(str(x, "peer").startsWith("sg-")
                ? { ReferencedGroupId: str(x, "peer") }
                : { CidrIpv4: str(x, "peer") }),
              ...(str(x, "description") ? { Description: str(x, "description") } : {}),
            },
          },
        ],
      });
      const was = ruleValues(before);
      await ec2("ModifySecurityGroupRules", change(v), seen);
      return { id: "", undo: () => ec2("ModifySecurityGroupRules", change(was)) };
    }
    const id = str(v, "group");
    const direction = way(str(v, "direction"));
    const made = await ec2(
      `AuthorizeSecurityGroup${direction}`,
      { GroupId: id, IpPermissions: [permission(v)] },
      seen,
    );
    const ids = (made.securityGroupRuleSet ?? []).map((r) => r.securityGroupRuleId);
    return {
      id: "",
      undo: () => ec2(`RevokeSecurityGroup${direction}`, { GroupId: id, SecurityGroupRuleId: ids }),
    };
  },
};
