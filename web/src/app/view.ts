import { computed, signal } from "@preact/signals";
import { shownVpcs } from "../topology/layout.ts";
import * as state from "./state.ts";

// Which VPC and region the page shows.

const asked = new URLSearchParams(location.search);

/** The region that is shown; "": the server's. */
export const viewRegion = signal(asked.get("region") ?? "");
/** The VPC that is shown alone; "": all of the region. */
export const viewVpc = signal(asked.get("vpc") ?? "");

/** The region that is shown, by its name. */
export const regionShown = computed(() => viewRegion.value || state.topology.value?.region || "");

/** The regions in which there is something, the server's first. */
export const regions = computed(() => {
  const t = state.topology.value;
  const found = new Set<string>(t ? [t.region] : []);
  for (const v of t?.vpcs ?? []) found.add(v.region || t!.region);
  if (viewRegion.value) found.add(viewRegion.value);
  return [...found];
});

/** The VPCs of the region that is shown. */
export const vpcsShown = computed(() => {
  const t = state.topology.value;
  return t
    ? shownVpcs({ ...t, vpcs: t.vpcs.filter((v) => !v.region || v.region === regionShown.value) })
    : [];
});

/** What the map draws: the VPCs that are shown, and what is in them. */
export const topologyShown = computed(() => {
  const t = state.topology.value;
  if (!t) return null;
  const chosen = vpcsShown.value.filter((v) => !viewVpc.value || v.id === viewVpc.value);
  // A VPC that is no more leaves the choice to all there are.
  const vpcs = chosen.length > 0 ? chosen : vpcsShown.value;
  if (vpcs.length === t.vpcs.length) return t;
  const shown = new Set(vpcs.map((v) => v.id));
  const open = [...(t.internetGateways ?? []), ...(t.vpcEndpoints ?? [])].some((g) =>
    shown.has(g.vpcId ?? ""),
  );
  return { ...t, vpcs, internetHosts: open || !viewVpc.value ? t.internetHosts : [] };
});

/** Shows a region and one of its VPCs, or all; the address remembers it. */
export function show(region: string, vpc: string): void {
  viewRegion.value = region === state.topology.value?.region ? "" : region;
  viewVpc.value = vpc;
  const q = new URLSearchParams(location.search);
  for (const [key, value] of [
    ["region", viewRegion.value],
    ["vpc", vpc],
  ] as const) {
    if (value) q.set(key, value);
    else q.delete(key);
  }
  const query = q.toString();
  history.replaceState(null, "", location.pathname + (query ? `?${query}` : ""));
}
