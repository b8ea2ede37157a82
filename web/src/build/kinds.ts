import { acl, entry } from "./acls.ts";
import { group, rule } from "./filters.ts";
import type { Kind } from "./form.ts";
import { address, eip, eni, instance } from "./hosts.ts";
import { host, peering } from "./joins.ts";
import { igw, nat, route, subnet, table, vpc } from "./network.ts";
import { policy } from "./policies.ts";
import { workload } from "./workloads.ts";

/** Every kind of thing that a form makes, in the order in which a laboratory is built. */
export const kinds = {
  vpc,
  subnet,
  group,
  rule,
  instance,
  eni,
  address,
  eip,
  igw,
  nat,
  table,
  route,
  acl,
  entry,
  policy,
  workload,
  peering,
  host,
} satisfies Record<string, Kind>;

export type KindId = keyof typeof kinds;
export const kindIds = Object.keys(kinds) as KindId[];
