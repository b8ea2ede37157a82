import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { serviceName } from "../topology/outside.ts";
import { shortId } from "../traffic/text.ts";

/** A resource by its name and id, which selects it. */
export function Named({ id }: { id: string }) {
  const [kind, name] = nameOf(id);
  return (
    <span class="named">
      {kind && <span class="quiet">{kind} </span>}
      <button type="button" class="link" title={id} onClick={() => select(id)}>
        {name || <code>{shortId(id)}</code>}
      </button>
    </span>
  );
}

/** What a resource is, where its name does not say so, and its name. */
function nameOf(id: string): [kind: string, name: string] {
  const now = state.topology.value;
  const tagged = (list: readonly { id: string; tags?: Record<string, string> }[] | undefined): string =>
    list?.find((x) => x.id === id)?.tags?.Name ?? "";
  switch (id.slice(0, id.indexOf("-"))) {
    case "eni": {
      const nat = now?.natGateways?.find((g) => g.networkInterfaceId === id);
      if (nat) return [t("gateway.nat"), nat.tags?.Name ?? nat.privateIp ?? ""];
      const n = state.enisById.value.get(id);
      return n ? [state.holderName(id), state.eniName(n)] : ["", ""];
    }
    case "inet": {
      const h = state.hostsById.value.get(id);
      return h ? [h.name, h.address] : ["", ""];
    }
    case "igw":
      return [t("gateway.igw"), tagged(now?.internetGateways)];
    case "nat":
      return [t("gateway.nat"), tagged(now?.natGateways)];
    case "pcx":
      return [t("gateway.peering"), tagged(now?.peeringConnections)];
    case "tgw":
      return [t("gateway.transit"), tagged(now?.transitGateways)];
    case "vpce":
      return [
        t("gateway.endpoint"),
        tagged(now?.vpcEndpoints) || serviceName(now?.vpcEndpoints?.find((e) => e.id === id)?.service),
      ];
    case "subnet":
      return ["", tagged(now?.subnets)];
    case "vpc":
      return ["", tagged(now?.vpcs)];
    case "i":
      return ["", state.instanceName(id)];
  }
  return ["", ""];
}
