import { put } from "../api/client.ts";
import * as state from "../app/state.ts";
import { type Answer, ec2, named, rename, together } from "./api.ts";
import { type Field, type Kind, list, str, type Values, yes } from "./form.ts";
import * as m from "./model.ts";
import { nameField } from "./network.ts";
import { w } from "./words.ts";

// Forms of instances, interfaces, addresses and what runs in guests.

const roleTag = "enilab:role";
const image = "ami-0abcdef1234567890"; // guests are the laboratory's own, whatever the image
const roles = ["", "client", "active", "standby", "bystander"];

const subnetField: Field = {
  name: "subnet",
  label: "subnet",
  type: "select",
  options: () => m.subnets(),
  required: true,
  about: ["subnetId"],
};
const groupsField = (vpcOf: (v: Values) => string): Field => ({
  name: "groups",
  label: "groups",
  type: "many",
  options: (v) => m.groups(vpcOf(v)),
  about: ["groups", "securityGroupId", "groupId"],
});
const groupsOf = (v: Values): string[] =>
  m.among(list(v, "groups"), m.groups(m.vpcOfSubnet(str(v, "subnet"))));
const ipField: Field = {
  name: "ip",
  label: "privateIp",
  type: "text",
  hint: "ipHint",
  about: ["privateIpAddress", "address"],
};

/** Whether a text is a port as the form takes it. */
export const isPort = (text: string): boolean => {
  const m = /^(?:tcp|udp)\/(\d{1,5})$/.exec(text);
  return m !== null && Number(m[1]) > 0 && Number(m[1]) < 65_536;
};

const served = (text: string[]): { protocol: string; port: number }[] =>
  text.map((one) => {
    const [protocol = "", port = ""] = one.split("/");
    return { protocol, port: Number(port) };
  });

export const instance: Kind = {
  id: "instance",
  label: "instance",
  fields: (editing) => [
    ...(editing ? [] : [subnetField]),
    nameField,
    ...(editing
      ? []
      : ([
          { name: "type", label: "instanceType", type: "text", required: true, about: ["instanceType"] },
          ipField,
          groupsField((v) => m.vpcOfSubnet(str(v, "subnet"))),
        ] satisfies Field[])),
    {
      name: "role",
      label: "role",
      type: "select",
      options: () => roles.map((r) => ({ value: r, label: r || "–" })),
      hint: "roleHint",
    },
    {
      name: "serve",
      label: "serves",
      type: "text",
      placeholder: "tcp/8080, udp/53",
      hint: "servesHint",
      wrong: (v) => {
        const bad = list(v, "serve").find((x) => !isPort(x));
        return bad === undefined ? "" : w("serveWrong", { text: bad });
      },
    },
  ],
  start: (at) => ({
    subnet: at.subnet,
    name: "",
    type: "t3.micro",
    ip: "",
    groups: at.group ? [at.group] : [],
    role: "",
    serve: "",
  }),
  read: (id) => {
    const i = m.lab().instances.find((x) => x.id === id);
    if (!i) return null;
    return {
      name: i.tags?.Name ?? i.name ?? "",
      role: i.role ?? "",
      serve: (i.serve ?? []).map((p) => `${p.protocol}/${p.port}`).join(", "),
    };
  },
  async save(v, editing) {
    const role = str(v, "role");
    if (editing) {
      await rename(editing, str(v, "name"));
      if (role) await ec2("CreateTags", { ResourceId: [editing], Tag: [{ Key: roleTag, Value: role }] });
      else await ec2("DeleteTags", { ResourceId: [editing], Tag: [{ Key: roleTag }] });
      await put(`/instances/${editing}/serve`, served(list(v, "serve")));
      return { id: editing };
    }
    const tags = [
      ...(str(v, "name") ? [{ Key: "Name", Value: str(v, "name") }] : []),
      ...(role ? [{ Key: roleTag, Value: role }] : []),
    ];
    return together(async (did) => {
      const made = await ec2("RunInstances", {
        ImageId: image,
        InstanceType: str(v, "type"),
        MinCount: 1,
        MaxCount: 1,
        SubnetId: str(v, "subnet"),
        ...(str(v, "ip") ? { PrivateIpAddress: str(v, "ip") } : {}),
        ...(groupsOf(v).length > 0 ? { SecurityGroupId: groupsOf(v) } : {}),
        ...(tags.length > 0 ? { TagSpecification: [{ ResourceType: "instance", Tag: tags }] } : {}),
      });
      const id = String(made.instancesSet?.[0]?.instanceId);
      did(() => ec2("TerminateInstances", { InstanceId: [id] }));
      if (list(v, "serve").length > 0) await put(`/instances/${id}/serve`, served(list(v, "serve")));
      return id;
    });
  },
};

export const eni: Kind = {
  id: "eni",
  label: "eni",
  fields: (editing) => [
    ...(editing ? [] : [subnetField]),
    nameField,
    { name: "description", label: "description", type: "text" },
    ...(editing
      ? []
      : ([
          ipField,
          {
            name: "secondary",
            label: "secondaryIps",
            type: "text",
            hint: "listHint",
            about: ["privateIpAddresses"],
          },
        ] satisfies Field[])),
    groupsField((v) =>
      editing ? (state.enisById.value.get(editing)?.vpcId ?? "") : m.vpcOfSubnet(str(v, "subnet")),
    ),
    { name: "check", label: "sourceDestCheck", type: "check" },
    ...(editing
      ? []
      : ([
          {
            name: "attach",
            label: "attachTo",
            type: "select",
            options: () => [m.none, ...m.instances()],
            about: ["instanceId", "deviceIndex"],
          },
        ] satisfies Field[])),
  ],
  start: (at) => ({
    subnet: at.subnet,
    name: "",
    description: "",
    ip: "",
    secondary: "",
    groups: at.group ? [at.group] : [],
    check: true,
    attach: at.instance,
  }),
  read: (id) => {
    const n = state.enisById.value.get(id);
    if (!n) return null;
    return {
      name: n.tags?.Name ?? "",
      description: n.description ?? "",
      groups: n.groups.map((g) => g.id),
      check: n.sourceDestCheck,
    };
  },
  async save(v, editing) {
    if (editing) return editEni(v, editing);
    return together(async (did) => {
      const ip = str(v, "ip");
      const made = await ec2("CreateNetworkInterface", {
        SubnetId: str(v, "subnet"),
        ...(str(v, "description") ? { Description: str(v, "description") } : {}),
        ...(ip ? { PrivateIpAddress: ip } : {}),
        ...(groupsOf(v).length > 0 ? { SecurityGroupId: groupsOf(v) } : {}),
        ...named("network-interface", str(v, "name")),
      });
      const id = String(made.networkInterface?.networkInterfaceId);
      did(() => ec2("DeleteNetworkInterface", { NetworkInterfaceId: id }));
      const more = list(v, "secondary");
      if (more.length > 0)
        await ec2("AssignPrivateIpAddresses", { NetworkInterfaceId: id, PrivateIpAddress: more });
      if (!yes(v, "check"))
        await ec2("ModifyNetworkInterfaceAttribute", {
          NetworkInterfaceId: id,
          SourceDestCheck: { Value: false },
        });
      const to = str(v, "attach");
      if (to) {
        const attached = await ec2("AttachNetworkInterface", {
          NetworkInterfaceId: id,
          InstanceId: to,
          DeviceIndex: freeIndex(to),
        });
        did(() => ec2("DetachNetworkInterface", { AttachmentId: attached.attachmentId, Force: true }));
      }
      return id;
    });
  },
};

const freeIndex = (id: string): number => {
  const used = new Set(state.instancesById.value.get(id)?.interfaces.map((x) => x.deviceIndex));
  let index = 1;
  while (used.has(index)) index++;
  return index;
};

async function editEni(v: Values, id: string) {
  const before = eni.read!(id)!;
  const change = (p: Record<string, unknown>): Promise<Answer> =>
    ec2("ModifyNetworkInterfaceAttribute", { NetworkInterfaceId: id, ...p });
  if (str(v, "name") !== before.name) await rename(id, str(v, "name"));
  if (str(v, "description") !== before.description)
    await change({ Description: { Value: str(v, "description") } });
  if (list(v, "groups").join() !== (before.groups as string[]).join())
    await change({ SecurityGroupId: list(v, "groups") });
  if (yes(v, "check") !== before.check) await change({ SourceDestCheck: { Value: yes(v, "check") } });
  const back = async (): Promise<void> => {
    await change({ Description: { Value: before.description } });
    await change({ SecurityGroupId: before.groups });
    await change({ SourceDestCheck: { Value: before.check } });
  };
  return { id, undo: back };
}

export const address: Kind = {
  id: "address",
  label: "secondaryIp",
  fields: () => [
    {
      name: "eni",
      label: "eni",
      type: "select",
      options: m.enis,
      required: true,
      about: ["networkInterfaceId"],
    },
    {
      name: "addresses",
      label: "privateIp",
      type: "text",
      required: true,
      hint: "listHint",
      about: ["privateIpAddress", "privateIpAddresses", "address"],
    },
    { name: "take", label: "takeOver", type: "check", hint: "takeOverHint" },
  ],
  start: (at) => ({ eni: at.eni, addresses: "", take: false }),
  async save(v) {
    const of = { NetworkInterfaceId: str(v, "eni"), PrivateIpAddress: list(v, "addresses") };
    await ec2("AssignPrivateIpAddresses", yes(v, "take") ? { ...of, AllowReassignment: true } : of);
    return { id: str(v, "eni"), undo: () => ec2("UnassignPrivateIpAddresses", of) };
  },
};

const privateIps = (v: Values) =>
  (state.enisById.value.get(str(v, "eni"))?.privateIps ?? []).map((p) => ({
    value: p.address,
    label: p.address,
  }));

export const eip: Kind = {
  id: "eip",
  label: "eip",
  fields: () => [
    nameField,
    {
      name: "eni",
      label: "eni",
      type: "select",
      options: () => [m.none, ...m.enis()],
      about: ["networkInterfaceId", "allocationId"],
    },
    {
      name: "ip",
      label: "privateIp",
      type: "select",
      options: privateIps,
      shown: (v) => privateIps(v).length > 1,
      about: ["privateIpAddress"],
    },
  ],
  start: (at) => ({ name: "", eni: at.eni, ip: "" }),
  read: (id) => {
    const a = m.lab().addresses?.find((x) => x.allocationId === id);
    return a ? { name: a.tags?.Name ?? "", eni: a.networkInterfaceId ?? "", ip: a.privateIp ?? "" } : null;
  },
  async save(v, editing) {
    const to = str(v, "eni");
    if (editing) {
      const before = eip.read!(editing)!;
      if (str(v, "name") !== before.name) await rename(editing, str(v, "name"));
      if (to !== before.eni || str(v, "ip") !== before.ip) await give(editing, to, str(v, "ip"));
      return { id: "", undo: () => give(editing, String(before.eni), String(before.ip)) };
    }
    return together(async (did) => {
      const id = String(
        (await ec2("AllocateAddress", { Domain: "vpc", ...named("elastic-ip", str(v, "name")) }))
          .allocationId,
      );
      did(() => ec2("ReleaseAddress", { AllocationId: id }));
      if (to) {
        await give(id, to, str(v, "ip"));
        did(() => give(id, "", ""));
      }
      return to;
    });
  },
};

/** Leads an Elastic IP to an interface, or nowhere. */
export async function give(id: string, to: string, ip: string): Promise<void> {
  if (to) {
    const own = state.enisById.value.get(to)?.privateIps.some((p) => p.address === ip);
    const where = { AllocationId: id, NetworkInterfaceId: to, AllowReassociation: true };
    await ec2("AssociateAddress", ip && own ? { ...where, PrivateIpAddress: ip } : where);
    return;
  }
  const told = await ec2("DescribeAddresses", { AllocationId: [id] });
  const association = told.addressesSet?.[0]?.associationId;
  if (association) await ec2("DisassociateAddress", { AssociationId: association });
}
