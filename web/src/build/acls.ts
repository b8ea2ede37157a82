import type { AclEntry } from "../api/types.ts";
import { type Answer, ec2, named, type Parameters, rename, together } from "./api.ts";
import { directions, ends, hasPorts, portFields, span } from "./filters.ts";
import { type Field, type Kind, list, str, type Values } from "./form.ts";
import * as m from "./model.ts";
import { nameField } from "./network.ts";

// Forms of network ACLs and their entries.

async function guard(subnet: string, acl: string): Promise<void> {
  const told = await ec2("DescribeNetworkAcls", {
    Filter: [{ Name: "association.subnet-id", Value: [subnet] }],
  });
  const found = (told.networkAclSet ?? [])
    .flatMap((a) => (Array.isArray(a.associationSet) ? (a.associationSet as Answer[]) : []))
    .find((a) => a.subnetId === subnet);
  if (found)
    await ec2("ReplaceNetworkAclAssociation", {
      AssociationId: found.networkAclAssociationId,
      NetworkAclId: acl,
    });
}

const aclOf = (id: string) => m.lab().networkAcls?.find((a) => a.id === id);

export const acl: Kind = {
  id: "acl",
  label: "acl",
  fields: (editing) => [
    ...(editing
      ? []
      : ([
          { name: "vpc", label: "vpc", type: "select", options: m.vpcs, required: true, about: ["vpcId"] },
        ] satisfies Field[])),
    nameField,
    {
      name: "subnets",
      label: "usedBy",
      type: "many",
      options: (v) => m.subnets(editing ? aclOf(editing)?.vpcId : str(v, "vpc")),
      hint: "aclHint",
    },
  ],
  start: (at) => ({ vpc: at.vpc, name: "", subnets: [] }),
  read: (id) => ({ name: aclOf(id)?.tags?.Name ?? "", subnets: aclOf(id)?.subnetIds ?? [] }),
  async save(v, editing) {
    const wanted = m.among(list(v, "subnets"), m.subnets(editing ? aclOf(editing)?.vpcId : str(v, "vpc")));
    if (editing) {
      const now = aclOf(editing);
      if (str(v, "name") !== (now?.tags?.Name ?? "")) await rename(editing, str(v, "name"));
      for (const s of wanted.filter((x) => !now?.subnetIds.includes(x))) await guard(s, editing);
      const standard = m.lab().networkAcls?.find((a) => a.vpcId === now?.vpcId && a.default)?.id;
      for (const s of now?.subnetIds.filter((x) => !wanted.includes(x)) ?? [])
        if (standard) await guard(s, standard);
      return { id: "" };
    }
    const made = await together(async (did) => {
      const id = String(
        (await ec2("CreateNetworkAcl", { VpcId: str(v, "vpc"), ...named("network-acl", str(v, "name")) }))
          .networkAcl?.networkAclId,
      );
      did(() => ec2("DeleteNetworkAcl", { NetworkAclId: id }));
      for (const s of wanted) {
        const before = m.lab().subnets.find((x) => x.id === s)?.networkAclId;
        await guard(s, id);
        if (before) did(() => guard(s, before));
      }
      return id;
    });
    return { id: "", undo: made.undo };
  },
};

export function entryParameters(aclId: string, v: Values): Parameters {
  const out: Parameters = {
    NetworkAclId: aclId,
    RuleNumber: Number(str(v, "number")),
    Egress: v.direction === "egress",
    RuleAction: v.action,
    CidrBlock: str(v, "peer"),
    Protocol: v.protocol === "tcp" ? "6" : v.protocol === "udp" ? "17" : v.protocol === "icmp" ? "1" : "-1",
  };
  if (hasPorts(v)) {
    const [from, to] = ends(str(v, "ports"));
    out.PortRange = { From: from, To: to };
  }
  if (v.protocol === "icmp")
    out.Icmp = { Type: str(v, "icmp") === "" ? -1 : Number(str(v, "icmp")), Code: -1 };
  return out;
}

export const entryValues = (e: AclEntry): Values => ({
  number: String(e.number),
  direction: e.direction,
  action: e.allow ? "allow" : "deny",
  protocol: e.protocol,
  ports: span(e.fromPort, e.toPort),
  icmp: e.icmpType !== undefined && e.icmpType >= 0 ? String(e.icmpType) : "",
  peer: e.cidr,
});

export const dropEntry = (aclId: string, e: AclEntry): Promise<unknown> =>
  ec2("DeleteNetworkAclEntry", {
    NetworkAclId: aclId,
    RuleNumber: e.number,
    Egress: e.direction === "egress",
  });
export const restoreEntry = (aclId: string, e: AclEntry): Promise<unknown> =>
  ec2("CreateNetworkAclEntry", entryParameters(aclId, entryValues(e)));

const entryOf = (key: string): [string, AclEntry | undefined] => {
  const [id = "", direction = "", number = ""] = key.split(" ");
  return [id, aclOf(id)?.entries.find((e) => e.direction === direction && e.number === Number(number))];
};

/** An entry is named by its ACL, direction and number: ACL DIRECTION NUMBER. */
export const entry: Kind = {
  id: "entry",
  label: "entry",
  fields: (editing) => [
    ...(editing
      ? []
      : ([
          {
            name: "acl",
            label: "acl",
            type: "select",
            options: m.acls,
            required: true,
            about: ["networkAclId"],
          },
          { name: "direction", label: "direction", type: "select", options: () => directions },
          {
            name: "number",
            label: "number",
            type: "number",
            required: true,
            hint: "numberHint",
            about: ["ruleNumber"],
          },
        ] satisfies Field[])),
    {
      name: "action",
      label: "action",
      type: "select",
      options: () => ["allow", "deny"].map((x) => ({ value: x, label: x })),
      about: ["ruleAction"],
    },
    ...portFields,
    {
      name: "peer",
      label: "cidr",
      type: "text",
      required: true,
      placeholder: "0.0.0.0/0",
      about: ["cidrBlock", "cidr"],
    },
  ],
  start: (at) => {
    const taken = (aclOf(at.acl)?.entries ?? []).map((e) => e.number);
    return {
      acl: at.acl,
      direction: "ingress",
      number: String(Math.min(32766, Math.max(0, ...taken) + 10)),
      action: "deny",
      protocol: "tcp",
      ports: "80",
      icmp: "",
      peer: "0.0.0.0/0",
    };
  },
  read: (key) => {
    const [, e] = entryOf(key);
    return e ? entryValues(e) : null;
  },
  guards: (v, editing) => (editing ? editing.split(" ")[0]! : str(v, "acl")),
  async save(v, editing, seen) {
    if (editing) {
      const [id, before] = entryOf(editing);
      if (!before) throw new Error(`${editing} is gone`);
      const was = entryValues(before);
      await ec2("ReplaceNetworkAclEntry", entryParameters(id, { ...was, ...v }), seen);
      return { id: "", undo: () => ec2("ReplaceNetworkAclEntry", entryParameters(id, was)) };
    }
    const id = str(v, "acl");
    const p = entryParameters(id, v);
    await ec2("CreateNetworkAclEntry", p, seen);
    return {
      id: "",
      undo: () =>
        ec2("DeleteNetworkAclEntry", { NetworkAclId: id, RuleNumber: p.RuleNumber, Egress: p.Egress }),
    };
  },
};
