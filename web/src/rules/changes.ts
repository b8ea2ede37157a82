import { icmp, type KindId, keyOf, placeOf, type Row, same, span } from "./rows.ts";

// From what there is to what is drafted: what is added, changed and removed, as the
// what-if takes it, and the rebase of a draft onto what somebody else has saved.

export interface Diff {
  added: Row[];
  removed: Row[];
  changed: { before: Row; after: Row }[];
}

export function diff(kind: KindId, base: readonly Row[], rows: readonly Row[]): Diff {
  const out: Diff = { added: [], removed: [], changed: [] };
  const kept = new Map(rows.filter(keyOf).map((r) => [keyOf(r), r] as const));
  for (const before of base) {
    const after = kept.get(keyOf(before));
    if (!after) out.removed.push(before);
    else if (!same(kind, before, after)) {
      // A rule that turns round, and a route or an entry in another place, is another.
      const moved =
        kind === "sg" ? before.direction !== after.direction : placeOf(kind, before) !== placeOf(kind, after);
      if (moved) {
        out.removed.push(before);
        out.added.push(after);
      } else out.changed.push({ before, after });
    }
  }
  const known = new Set(base.map(keyOf));
  for (const r of rows) if (!keyOf(r) || !known.has(keyOf(r))) out.added.push(r);
  return out;
}

export const isEmpty = (d: Diff): boolean => d.added.length + d.removed.length + d.changed.length === 0;

type Change = Record<string, Record<string, unknown>>;

/** One change for the server, and the row that it comes of. */
export interface Drafted {
  change: Change;
  row: Row;
}

export const protocolOf = (r: Row): string => (r.protocol === "all" ? "-1" : (r.protocol ?? "-1"));

export function reach(r: Row): { FromPort?: number; ToPort?: number } {
  if (r.protocol === "tcp" || r.protocol === "udp") {
    const s = span(r.ports ?? "");
    return s ? { FromPort: s.from, ToPort: s.to } : {};
  }
  if (r.protocol === "icmp") {
    const i = icmp(r.ports ?? "");
    return i ? { FromPort: i.type, ToPort: i.code } : {};
  }
  return {};
}

function rule(group: string, r: Row): Change {
  const { FromPort, ToPort } = reach(r);
  const peer = r.peer ?? "";
  return {
    authorizeRule: {
      groupId: group,
      direction: r.direction,
      protocol: protocolOf(r),
      ...(FromPort !== undefined && { fromPort: FromPort, toPort: ToPort }),
      ...(peer.startsWith("sg-")
        ? { sourceGroupId: peer }
        : peer.startsWith("pl-")
          ? { prefixListId: peer }
          : { cidr: peer }),
    },
  };
}

function entry(acl: string, r: Row): Record<string, unknown> {
  const { FromPort, ToPort } = reach(r);
  return {
    networkAclId: acl,
    number: Number(r.number),
    ...(r.direction === "egress" && { egress: true }),
    action: r.action,
    protocol: protocolOf(r),
    cidr: r.peer,
    ...(FromPort !== undefined &&
      (r.protocol === "icmp"
        ? { icmpType: FromPort, icmpCode: ToPort }
        : { fromPort: FromPort, toPort: ToPort })),
  };
}

/** A draft's changes as POST /what-if takes them: what goes comes first, so that it makes room. */
export function drafted(kind: KindId, id: string, d: Diff): Drafted[] {
  const removed = d.removed.map((row): Drafted => {
    if (kind === "sg") return { change: { revokeRule: { ruleId: keyOf(row) } }, row };
    if (kind === "rtb")
      return { change: { deleteRoute: { routeTableId: id, destination: row.destination } }, row };
    const { networkAclId, number, egress } = entry(id, row);
    return { change: { deleteAclEntry: { networkAclId, number, ...(egress ? { egress } : {}) } }, row };
  });
  const changed = d.changed.flatMap(({ before, after }): Drafted[] => {
    if (kind === "rtb")
      return [
        {
          change: {
            replaceRoute: { routeTableId: id, destination: after.destination, target: after.target },
          },
          row: after,
        },
      ];
    if (kind === "acl") return [{ change: { replaceAclEntry: entry(id, after) }, row: after }];
    // Words about a rule change nothing for packets.
    if (same(kind, { ...before, description: "" }, { ...after, description: "" })) return [];
    return [{ change: { revokeRule: { ruleId: keyOf(before) } }, row: before }];
  });
  const again =
    kind === "sg"
      ? d.changed
          .filter(
            ({ before, after }) => !same(kind, { ...before, description: "" }, { ...after, description: "" }),
          )
          .map(({ after }): Drafted => ({ change: rule(id, after), row: after }))
      : [];
  const added = d.added.map((row): Drafted => {
    if (kind === "sg") return { change: rule(id, row), row };
    if (kind === "rtb")
      return {
        change: { createRoute: { routeTableId: id, destination: row.destination, target: row.target } },
        row,
      };
    return { change: { createAclEntry: entry(id, row) }, row };
  });
  return [...removed, ...changed, ...again, ...added];
}

/** My changes of base put on top of theirs; what they have removed and I have changed is added anew. */
export function rebase(
  kind: KindId,
  base: readonly Row[],
  mine: readonly Row[],
  theirs: readonly Row[],
): Row[] {
  const d = diff(kind, base, mine);
  const removed = new Set(d.removed.map(keyOf));
  const changed = new Map(d.changed.map((c) => [keyOf(c.before), c.after] as const));
  const rows = theirs.filter((r) => !removed.has(keyOf(r))).map((r) => changed.get(keyOf(r)) ?? r);
  const there = new Set(theirs.map(keyOf));
  const lost = d.changed.filter((c) => !there.has(keyOf(c.before))).map((c) => c.after);
  for (const r of [...lost, ...d.added]) {
    if (rows.some((o) => same(kind, o, r))) continue;
    const { key: _, ...fresh } = r;
    const at = kind === "sg" ? -1 : rows.findIndex((o) => placeOf(kind, o) === placeOf(kind, r));
    // Somebody has taken the place meanwhile: mine is a change of theirs.
    if (at >= 0) rows[at] = { ...fresh, key: keyOf(rows[at]!) };
    else rows.push(fresh);
  }
  return rows;
}
