import { block, contains, icmp, isBlock6, type KindId, placeOf, type Row, span } from "./rows.ts";
import type { RulesKey } from "./words.ts";

// What is wrong with a row as it stands, and what two rows are to each other.

export interface Said {
  key: RulesKey;
  values?: Record<string, string>;
}

const hasPorts = (r: Row): boolean => r.protocol === "tcp" || r.protocol === "udp";
const isAll = (r: Row): boolean => r.protocol === "-1" || r.protocol === "all";

const known = /^(tcp|udp|icmp|icmpv6|all|-1|\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/;

/** What is wrong with a row, by column. The server has the last word, and may say more. */
export function wrong(kind: KindId, r: Row): Record<string, Said> {
  const out: Record<string, Said> = {};
  if (kind === "rtb") {
    if (!r.destination) out.destination = { key: "needed" };
    else if (!block(r.destination) && !isBlock6(r.destination) && !r.destination.startsWith("pl-"))
      out.destination = { key: "badBlock" };
    if (!r.target) out.target = { key: "needed" };
    return out;
  }
  if (!known.test(r.protocol ?? "")) out.protocol = { key: "badProtocol" };
  if (hasPorts(r) && !span(r.ports ?? "")) out.ports = { key: "badPorts" };
  if (r.protocol === "icmp" && !icmp(r.ports ?? "")) out.ports = { key: "badIcmp" };
  if (!hasPorts(r) && r.protocol !== "icmp" && (r.ports ?? "") !== "") out.ports = { key: "noPorts" };
  const peer = r.peer ?? "";
  const ids = kind === "sg" && /^(sg|pl)-/.test(peer);
  if (!peer) out.peer = { key: "needed" };
  else if (!ids && !block(peer) && !isBlock6(peer))
    out.peer = { key: kind === "sg" ? "badPeer" : "badBlock" };
  if (kind === "acl") {
    const n = Number(r.number);
    if (!/^\d+$/.test(r.number ?? "") || n < 1 || n > 32766) out.number = { key: "badNumber" };
  }
  return out;
}

/** Whether everything that b matches is matched by a, as far as this can be told. */
export function covers(a: Row, b: Row): boolean {
  if (a.direction !== b.direction) return false;
  if (!isAll(a)) {
    if (a.protocol !== b.protocol) return false;
    if (hasPorts(a)) {
      const [x, y] = [span(a.ports ?? ""), span(b.ports ?? "")];
      if (!x || !y || x.from > y.from || x.to < y.to) return false;
    } else if (a.protocol === "icmp") {
      const [x, y] = [icmp(a.ports ?? ""), icmp(b.ports ?? "")];
      if (!x || !y) return false;
      if (x.type !== -1 && (x.type !== y.type || (x.code !== -1 && x.code !== y.code))) return false;
    }
  }
  if (a.peer === b.peer) return true;
  const [x, y] = [block(a.peer ?? ""), block(b.peer ?? "")];
  return Boolean(x && y && contains(x, y));
}

/** What a row is to another, by row: a duplicate, shadowed, or beside the point. */
export function hints(kind: KindId, rows: readonly Row[]): Map<number, Said> {
  const out = new Map<number, Said>();
  const of = (j: number): Record<string, string> => ({ row: String(j + 1) });
  rows.forEach((r, i) => {
    if (Object.keys(wrong(kind, r)).length > 0) return;
    for (const [j, o] of rows.entries()) {
      if (i === j || out.has(i) || Object.keys(wrong(kind, o)).length > 0) continue;
      if (kind === "rtb") {
        if (r.destination === o.destination && i > j) out.set(i, { key: "sameRoute", values: of(j) });
        continue;
      }
      if (kind === "acl") {
        if (placeOf(kind, r) === placeOf(kind, o)) {
          if (i > j) out.set(i, { key: "sameNumber", values: of(j) });
        } else if (Number(o.number) < Number(r.number) && covers(o, r))
          out.set(i, {
            key: o.action === r.action ? "shadowed" : "neverAsked",
            values: { number: o.number ?? "" },
          });
        continue;
      }
      if (covers(o, r)) {
        const both = covers(r, o);
        if (both && i > j) out.set(i, { key: "duplicate", values: of(j) });
        else if (!both) out.set(i, { key: "covered", values: of(j) });
      }
    }
  });
  return out;
}

/** Hints that the server would refuse too. */
export const isMistake = (s: Said | undefined): boolean =>
  s?.key === "duplicate" || s?.key === "sameNumber" || s?.key === "sameRoute";
