import type { Topology } from "../api/types.ts";

// What a person types to go somewhere on the map.

export interface Place {
  id: string;
  /** What it is called, for people. */
  name: string;
  /** By what it was found, beside the name. */
  by: string;
}

interface Entry extends Place {
  words: string[];
}

/** All that the map has, with the words by which each can be found. */
export function entriesOf(t: Topology): Entry[] {
  const out: Entry[] = [];
  const add = (id: string, name: string | undefined, ...more: (string | undefined)[]): void => {
    const words = [name, id, ...more].filter((x): x is string => Boolean(x));
    out.push({ id, name: name || id, by: "", words: words.map((x) => x.toLowerCase()) });
  };
  const names = new Map<string, string>();
  for (const i of t.instances) {
    if (i.state === "terminated") continue;
    const name = i.name || i.tags?.Name;
    if (name) names.set(i.id, name);
    add(i.id, name);
  }
  for (const n of t.networkInterfaces) {
    const holder = names.get(n.attachment?.instanceId ?? "") ?? "";
    const index = n.attachment ? `eth${n.attachment.deviceIndex}` : "";
    const place = [holder, index].filter(Boolean).join(" ");
    const name = n.tags?.Name || place || n.id;
    const addresses = n.privateIps.flatMap((p) => [p.address, p.publicIp]);
    add(n.id, name, place, n.macAddress, ...addresses);
  }
  for (const s of t.subnets) add(s.id, s.tags?.Name, s.cidr);
  for (const v of t.vpcs) add(v.id, v.tags?.Name, v.cidr);
  for (const h of t.internetHosts) add(h.id, h.name, h.address);
  for (const g of t.natGateways) add(g.id, g.tags?.Name, g.publicIp, g.privateIp);
  for (const g of [...t.internetGateways, ...t.peeringConnections, ...t.transitGateways, ...t.vpcEndpoints])
    add(g.id, g.tags?.Name);
  return out;
}

/**
 * The places that a text finds, at most so many and how many there are: those whose name, id,
 * IP or MAC is the text, then those that begin with it, then those that have it.
 */
export function find(
  entries: readonly Entry[],
  text: string,
  on: (id: string) => boolean,
  most: number,
): { places: Place[]; count: number } {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return { places: [], count: 0 };
  const ranked: Place[][] = [[], [], []];
  let count = 0;
  for (const e of entries) {
    let best = 3;
    let by = "";
    for (const word of e.words) {
      const r = word === wanted ? 0 : word.startsWith(wanted) ? 1 : word.includes(wanted) ? 2 : 3;
      if (r < best) [best, by] = [r, word];
    }
    if (best === 3 || !on(e.id)) continue;
    count++;
    if (ranked[best]!.length < most)
      ranked[best]!.push({ id: e.id, name: e.name, by: by === e.name.toLowerCase() ? e.id : by });
  }
  return { places: ranked.flat().slice(0, most), count };
}
