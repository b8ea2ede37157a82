import * as state from "../app/state.ts";

/** The editor of what a rule's name says, and the row in it; null: there is none. at: the interface where it decided. */
export function ruleEditor(name: string, at: string): { id: string; rule?: string } | null {
  const t = state.topology.value;
  const [id = "", ...rest] = name.split(" ");
  if (id.startsWith("sgr-")) {
    const g = t?.securityGroups.find((x) => x.rules.some((r) => r.id === id));
    return g ? { id: g.id, rule: id } : null;
  }
  if (/^(rtb|acl)-/.test(id)) return { id, rule: rest.join(" ") };
  // What no rule allows is for the groups of the interface to allow.
  const first = name === "implicit deny" ? state.enisById.value.get(at)?.groups[0]?.id : undefined;
  return first ? { id: first } : null;
}
