import * as state from "../app/state.ts";
import { ec2, named, rename, together } from "./api.ts";
import { type Field, type Kind, list, str, yes } from "./form.ts";
import * as m from "./model.ts";
import { w } from "./words.ts";

// Forms of VPCs, subnets, gateways, route tables and routes.

/** The longest value of a tag (EC2 User Guide, "Tag restrictions"). */
const longestTag = 256;

export const nameField: Field = {
  name: "name",
  label: "name",
  type: "text",
  wrong: (v) => (str(v, "name").length > longestTag ? w("nameWrong", { most: String(longestTag) }) : ""),
};
const vpcField = (editing: string): Field[] =>
  editing
    ? []
    : [{ name: "vpc", label: "vpc", type: "select", options: m.vpcs, required: true, about: ["vpcId"] }];

export const vpc: Kind = {
  id: "vpc",
  label: "vpc",
  fields: (editing) => [
    nameField,
    ...(editing
      ? []
      : ([
          {
            name: "cidr",
            label: "cidr",
            type: "text",
            required: true,
            placeholder: "10.0.0.0/16",
            about: ["cidrBlock"],
            hint: "cidrVpcHint",
          },
          { name: "dns", label: "dnsHostnames", type: "check" },
        ] satisfies Field[])),
  ],
  start: () => ({ name: "", cidr: "10.0.0.0/16", dns: false }),
  read: (id) => ({ name: m.lab().vpcs.find((v) => v.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: editing };
    }
    return together(async (did) => {
      const made = await ec2("CreateVpc", { CidrBlock: str(v, "cidr"), ...named("vpc", str(v, "name")) });
      const id = String(made.vpc?.vpcId);
      did(() => ec2("DeleteVpc", { VpcId: id }));
      if (yes(v, "dns")) await ec2("ModifyVpcAttribute", { VpcId: id, EnableDnsHostnames: { Value: true } });
      return id;
    });
  },
};

export const subnet: Kind = {
  id: "subnet",
  label: "subnet",
  fields: (editing) => [
    ...vpcField(editing),
    nameField,
    ...(editing
      ? []
      : ([
          {
            name: "cidr",
            label: "cidr",
            type: "text",
            required: true,
            placeholder: "10.0.1.0/24",
            about: ["cidrBlock"],
            hint: "cidrSubnetHint",
          },
          {
            name: "zone",
            label: "zone",
            type: "select",
            options: () => [{ value: "", label: "–" }, ...m.zoneOptions()],
            about: ["availabilityZone"],
          },
        ] satisfies Field[])),
  ],
  start: (at) => ({
    vpc: at.vpc,
    name: "",
    cidr: m.freeBlock(at.vpc),
    zone: m.zoneOptions()[0]?.value ?? "",
  }),
  read: (id) => ({ name: m.lab().subnets.find((s) => s.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: editing };
    }
    const zone = str(v, "zone");
    const made = await ec2("CreateSubnet", {
      VpcId: str(v, "vpc"),
      CidrBlock: str(v, "cidr"),
      ...(zone ? { AvailabilityZone: zone } : {}),
      ...named("subnet", str(v, "name")),
    });
    const id = String(made.subnet?.subnetId);
    return { id, undo: () => ec2("DeleteSubnet", { SubnetId: id }) };
  },
};

export const igw: Kind = {
  id: "igw",
  label: "igw",
  fields: (editing) => [...vpcField(editing), nameField],
  start: (at) => ({ vpc: at.vpc, name: "" }),
  read: (id) => ({ name: m.lab().internetGateways?.find((g) => g.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: editing };
    }
    return together(async (did) => {
      const made = await ec2("CreateInternetGateway", named("internet-gateway", str(v, "name")));
      const id = String(made.internetGateway?.internetGatewayId);
      did(() => ec2("DeleteInternetGateway", { InternetGatewayId: id }));
      const to = { InternetGatewayId: id, VpcId: str(v, "vpc") };
      await ec2("AttachInternetGateway", to);
      did(() => ec2("DetachInternetGateway", to));
      return id;
    });
  },
};

export const nat: Kind = {
  id: "nat",
  label: "nat",
  fields: (editing) =>
    editing
      ? [nameField]
      : [
          {
            name: "subnet",
            label: "subnet",
            type: "select",
            options: () => m.subnets(),
            required: true,
            about: ["subnetId"],
          },
          nameField,
          {
            name: "address",
            label: "eip",
            type: "select",
            options: () => [
              { value: "new", label: "＋" },
              { value: "", label: "private" },
              ...m.freeAddresses(),
            ],
            about: ["allocationId"],
            hint: "natHint",
          },
        ],
  start: (at) => ({ subnet: at.subnet, name: "", address: m.freeAddresses()[0]?.value ?? "new" }),
  read: (id) => ({ name: m.lab().natGateways?.find((g) => g.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: editing };
    }
    // What is being deleted holds on to its address for a while: no undo is offered.
    const { id } = await together(async (did) => {
      let address = str(v, "address");
      if (address === "new") {
        address = String((await ec2("AllocateAddress", { Domain: "vpc" })).allocationId);
        did(() => ec2("ReleaseAddress", { AllocationId: address }));
      }
      const made = await ec2("CreateNatGateway", {
        SubnetId: str(v, "subnet"),
        ...(address ? { AllocationId: address } : { ConnectivityType: "private" }),
        ...named("natgateway", str(v, "name")),
      });
      const id = String(made.natGateway?.natGatewayId);
      // EC2 makes it all the same where the network is not fit, and then it fails.
      const seen = (await ec2("DescribeNatGateways", { NatGatewayId: [id] })).natGatewaySet?.[0];
      if (seen?.state === "failed") {
        await ec2("DeleteNatGateway", { NatGatewayId: id });
        throw new Error(String(seen.failureMessage ?? seen.failureCode));
      }
      return id;
    });
    return { id };
  },
};

const usersOf = (table: string): string[] =>
  m.lab().routeTables?.find((r) => r.id === table)?.subnetIds ?? [];

async function associationOf(table: string, subnet: string): Promise<string> {
  const told = await ec2("DescribeRouteTables", { RouteTableId: [table] });
  const own = told.routeTableSet?.[0]?.associationSet;
  const found = Array.isArray(own) ? own.find((a) => a.subnetId === subnet) : undefined;
  return found ? String(found.routeTableAssociationId) : "";
}

/** Has a subnet use a table, whichever it used before. */
async function useTable(subnet: string, table: string): Promise<void> {
  const before = m.lab().subnets.find((s) => s.id === subnet)?.routeTableId ?? "";
  if (before === table) return;
  const association = before ? await associationOf(before, subnet) : "";
  if (association)
    await ec2("ReplaceRouteTableAssociation", { AssociationId: association, RouteTableId: table });
  else await ec2("AssociateRouteTable", { RouteTableId: table, SubnetId: subnet });
}

export const table: Kind = {
  id: "table",
  label: "table",
  fields: (editing) => [
    ...vpcField(editing),
    nameField,
    {
      name: "subnets",
      label: "usedBy",
      type: "many",
      options: (v) => m.subnets(editing ? m.vpcOfTable(editing) : str(v, "vpc")),
      about: ["subnetId"],
    },
  ],
  start: (at) => ({ vpc: at.vpc, name: "", subnets: [] }),
  read: (id) => ({
    name: m.lab().routeTables?.find((r) => r.id === id)?.tags?.Name ?? "",
    subnets: usersOf(id),
  }),
  guards: (_, editing) => editing,
  async save(v, editing, seen) {
    const wanted = m.among(list(v, "subnets"), m.subnets(editing ? m.vpcOfTable(editing) : str(v, "vpc")));
    if (editing) {
      const name = str(v, "name");
      if (name !== (m.lab().routeTables?.find((r) => r.id === editing)?.tags?.Name ?? ""))
        await ec2(
          name ? "CreateTags" : "DeleteTags",
          { ResourceId: [editing], Tag: [name ? { Key: "Name", Value: name } : { Key: "Name" }] },
          seen,
        );
      for (const subnet of wanted) await useTable(subnet, editing);
      for (const subnet of usersOf(editing).filter((s) => !wanted.includes(s))) {
        const association = await associationOf(editing, subnet);
        if (association) await ec2("DisassociateRouteTable", { AssociationId: association });
      }
      return { id: editing };
    }
    return together(async (did) => {
      const made = await ec2("CreateRouteTable", {
        VpcId: str(v, "vpc"),
        ...named("route-table", str(v, "name")),
      });
      const id = String(made.routeTable?.routeTableId);
      did(async () => {
        for (const subnet of wanted) {
          const association = await associationOf(id, subnet);
          if (association) await ec2("DisassociateRouteTable", { AssociationId: association });
        }
        await ec2("DeleteRouteTable", { RouteTableId: id });
      });
      for (const subnet of wanted) await useTable(subnet, id);
      return id;
    });
  },
};

/** A route is named by its table and destination: TABLE DESTINATION. */
export const route: Kind = {
  id: "route",
  label: "route",
  fields: (editing) => [
    ...(editing
      ? []
      : ([
          {
            name: "table",
            label: "table",
            type: "select",
            options: m.tables,
            required: true,
            about: ["routeTableId"],
          },
          {
            name: "destination",
            label: "destination",
            type: "text",
            required: true,
            placeholder: "0.0.0.0/0",
            about: ["destinationCidrBlock"],
          },
        ] satisfies Field[])),
    {
      name: "target",
      label: "target",
      type: "select",
      options: (v) => [m.none, ...m.targets(editing ? editing.split(" ")[0]! : str(v, "table"))],
      required: true,
      about: ["gatewayId", "natGatewayId", "networkInterfaceId"],
    },
  ],
  start: (at) => ({ table: at.table, destination: "0.0.0.0/0", target: m.targets(at.table)[0]?.value ?? "" }),
  read: (key) => {
    const [id = "", destination = ""] = key.split(" ");
    const found = m
      .lab()
      .routeTables?.find((r) => r.id === id)
      ?.routes.find((r) => r.destination === destination);
    return found ? { target: found.target } : null;
  },
  guards: (v, editing) => (editing ? editing.split(" ")[0]! : str(v, "table")),
  async save(v, editing, seen) {
    const [id = str(v, "table"), destination = str(v, "destination")] = editing ? editing.split(" ") : [];
    const target = str(v, "target");
    const where = { RouteTableId: id, DestinationCidrBlock: destination };
    const to = (x: string) => ({ ...where, [m.targetParameter(x)]: x });
    if (editing) {
      const before = String(route.read?.(editing)?.target ?? "");
      await ec2("ReplaceRoute", to(target), seen);
      return {
        id: "",
        undo: () => ec2("ReplaceRoute", before === "local" ? { ...where, LocalTarget: true } : to(before)),
      };
    }
    await ec2("CreateRoute", to(target), seen);
    return { id: state.selection.value, undo: () => ec2("DeleteRoute", where) };
  },
};
