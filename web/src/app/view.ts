import { computed } from "@preact/signals";
import { shownVpcs } from "../topology/layout.ts";
import * as state from "./state.ts";

// Which VPC and region the page shows.

export const { viewRegion, viewVpc } = state;

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

/** Every VPC of the region that is shown, its default one too: what can be chosen. */
export const vpcsOfRegion = computed(
  () => state.topology.value?.vpcs.filter((v) => !v.region || v.region === regionShown.value) ?? [],
);

/** The VPCs of the region that is shown, as long as none is chosen. */
export const vpcsShown = computed(() => {
  const t = state.topology.value;
  return t ? shownVpcs({ ...t, vpcs: vpcsOfRegion.value }) : [];
});

/** What the map draws: the VPCs that are shown, and what is in them. */
export const topologyShown = computed(() => {
  const t = state.topology.value;
  if (!t) return null;
  const chosen = viewVpc.value ? vpcsOfRegion.value.filter((v) => v.id === viewVpc.value) : vpcsShown.value;
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
