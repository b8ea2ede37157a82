import { del, post } from "../api/client.ts";
import type { InternetHost } from "../api/types.ts";
import { ec2, named, rename, together } from "./api.ts";
import { type Field, type Kind, str } from "./form.ts";
import * as m from "./model.ts";
import { nameField } from "./network.ts";
import { w } from "./words.ts";

// Forms of what lies beyond a VPC: peerings and hosts of the internet.

const side = (name: "vpc" | "peer", about: string): Field => ({
  name,
  label: name === "vpc" ? "requester" : "accepter",
  type: "select",
  // A VPC has no peering with itself.
  options: (v) => m.vpcs().filter((x) => name === "vpc" || x.value !== str(v, "vpc")),
  required: true,
  about: [about],
  wrong: (v) => (name === "peer" && str(v, "vpc") === str(v, "peer") ? w("samePeer") : ""),
});

export const peering: Kind = {
  id: "peering",
  label: "peering",
  fields: (editing) => (editing ? [nameField] : [side("vpc", "vpcId"), side("peer", "peerVpcId"), nameField]),
  start: (at) => ({ vpc: at.vpc, peer: m.vpcs().find((v) => v.value !== at.vpc)?.value ?? "", name: "" }),
  read: (id) => ({ name: m.lab().peeringConnections?.find((p) => p.id === id)?.tags?.Name ?? "" }),
  async save(v, editing) {
    if (editing) {
      await rename(editing, str(v, "name"));
      return { id: editing };
    }
    return together(async (did) => {
      const made = await ec2("CreateVpcPeeringConnection", {
        VpcId: str(v, "vpc"),
        PeerVpcId: str(v, "peer"),
        ...named("vpc-peering-connection", str(v, "name")),
      });
      const id = String(made.vpcPeeringConnection?.vpcPeeringConnectionId);
      did(() => ec2("DeleteVpcPeeringConnection", { VpcPeeringConnectionId: id }));
      await accept(id);
      return id;
    });
  },
};

const triesMs = [50, 100, 200, 400, 800, 1600];

/** Accepts a peering, which for a moment is only being asked for. */
async function accept(id: string): Promise<void> {
  for (const wait of triesMs) {
    const told = await ec2("DescribeVpcPeeringConnections", { VpcPeeringConnectionId: [id] });
    const status = told.vpcPeeringConnectionSet?.[0]?.status;
    if (status?.code !== "initiating-request") break;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  await ec2("AcceptVpcPeeringConnection", { VpcPeeringConnectionId: id });
}

export const host: Kind = {
  id: "host",
  label: "host",
  fields: () => [
    { name: "name", label: "name", type: "text", required: true },
    {
      name: "address",
      label: "publicAddress",
      type: "text",
      required: true,
      placeholder: "198.51.100.10",
      about: ["address"],
    },
  ],
  start: () => ({ name: "", address: "198.51.100.10" }),
  async save(v) {
    const made = await post<InternetHost>("/internet-hosts", {
      name: str(v, "name"),
      address: str(v, "address"),
    });
    return { id: made.id, undo: () => del(`/internet-hosts/${made.id}`) };
  },
};
