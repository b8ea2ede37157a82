import { batch } from "@preact/signals";
import { enisById, failovers, inspectorOpen, inspectorTab, instancesById, selection } from "./state.ts";

/** Ids of what the Network tab tells of. */
const ofNetwork = /^(vpc|subnet|igw|nat|inet|pcx|tgw)-/;

/** Selects a resource; the inspector follows what kind it is. */
export function select(id: string): void {
  batch(() => {
    selection.value = id;
    if (enisById.value.has(id)) inspectorTab.value = "eni";
    else if (instancesById.value.has(id)) inspectorTab.value = "instance";
    else if (ofNetwork.test(id)) inspectorTab.value = "network";
    else return;
    inspectorOpen.value = true;
  });
}

/** The failover record that the address names, or the newest. */
export const shownFailover = (id: string) =>
  id ? failovers.value.find((f) => f.id === id) : failovers.value[0];
