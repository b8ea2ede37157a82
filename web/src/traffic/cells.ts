import { dictionary, ring } from "../app/state.ts";
import type { ColumnId } from "./columns.ts";
import { decidedBy, type RowRecord, stationAt } from "./record.ts";
import * as text from "./text.ts";

// What a cell is worth: to sort by, and as a condition of the filter.

/** What a column sorts by. */
export function keyOf(column: ColumnId): (ordinal: number) => number | string {
  const at = (of: (i: number) => number | string) => (ordinal: number) => of(ring.slot(ordinal));
  switch (column) {
    case "no":
      return at((i) => ring.seq[i]!);
    case "time":
      return at((i) => ring.micros[i]!);
    case "source":
      return at((i) => ring.src[i]!);
    case "destination":
      return at((i) => ring.dst[i]!);
    case "proto":
      return at((i) => text.protocol(ring.etherType[i]!, ring.proto[i]!));
    case "ports":
      return at((i) => (text.hasPorts(ring.proto[i]!) ? ring.dport[i]! * 65536 + ring.sport[i]! : -1));
    case "length":
      return at((i) => ring.length[i]!);
    case "verdict":
      return at((i) => ring.verdict[i]!);
    case "hop":
      return at((i) => text.step(ring.rule[i]!));
    case "rule":
      return decidedBy;
    case "eni":
      return at((i) => {
        const id = dictionary.eni(ring.dstVnic[i]!) || dictionary.eni(ring.srcVnic[i]!);
        return stationAt(id, ring.micros[i]!);
      });
  }
}

const plain = /^[^\s(),"]+$/;
const quoted = (s: string): string =>
  plain.test(s) ? s : `"${s.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

/** The condition that a cell stands for; "": none does. */
export function conditionOf(r: RowRecord, column: ColumnId): string {
  const ip = r.etherType === 0x0800 || r.etherType === 0x0806;
  switch (column) {
    case "no":
      return `seq:${r.seq}`;
    case "time": {
      const at = new Date(r.micros / 1000).toISOString().slice(0, 19);
      return `t:${at}.${String(Math.floor(r.micros % 1e6)).padStart(6, "0")}Z`;
    }
    case "source":
      return ip ? `src:${r.src}` : "";
    case "destination":
      return ip ? `dst:${r.dst}` : "";
    case "proto":
      return `proto:${protocolOf(r)}`;
    case "ports":
      return text.hasPorts(r.proto) && r.etherType === 0x0800 ? `port:${serverPort(r)}` : "";
    case "length":
      return `len:${r.length}`;
    case "verdict":
      return `verdict:${r.verdict}`;
    case "rule":
      return (r.verdict === "accept" || r.verdict === "reject") && r.rule
        ? `rule:${quoted(r.rule)}`
        : r.reason && `reason:${r.reason}`;
    case "hop":
      return r.hop && r.hop !== "none" ? `hop:${r.hop}` : "";
    case "eni":
      return r.dstEni || r.srcEni ? `eni:${r.dstEni || r.srcEni}` : "";
  }
}

/** The port that the conversation is about: of two, the one that is not an ephemeral one. */
export const serverPort = (r: RowRecord): number =>
  r.sport < 1024 && r.dport >= 1024 ? r.sport : r.dport >= 32768 && r.sport < 32768 ? r.sport : r.dport;

export function protocolOf(r: RowRecord): string {
  if (r.etherType === 0x0800) return { 1: "icmp", 6: "tcp", 17: "udp" }[r.proto] ?? String(r.proto);
  if (r.etherType === 0x0806) return "arp";
  if (r.etherType === 0x86dd) return "ipv6";
  return `0x${r.etherType.toString(16).padStart(4, "0")}`;
}

/** The filter that finds a frame's conversation, both directions; "": it has none. */
export function flowOf(r: RowRecord): string {
  if (r.etherType !== 0x0800) return "";
  if (text.hasPorts(r.proto) && (r.sport || r.dport))
    return `flow:${r.src}:${r.sport}-${r.dst}:${r.dport}/${protocolOf(r)}`;
  if (r.proto === 1) return `flow:${r.src}-${r.dst}/icmp/${r.dport}`;
  return `flow:${r.src}-${r.dst}/${protocolOf(r)}`;
}

/** A conversation as tcpdump and captures filter it, both directions. */
export function tcpdumpOf(r: RowRecord): string {
  if (r.etherType === 0x0806) return `arp and host ${r.src} and host ${r.dst}`;
  if (r.etherType !== 0x0800) return `ether proto 0x${r.etherType.toString(16).padStart(4, "0")}`;
  const hosts = `host ${r.src} and host ${r.dst}`;
  if (text.hasPorts(r.proto) && (r.sport || r.dport))
    return `${protocolOf(r)} and ${hosts} and port ${r.sport} and port ${r.dport}`;
  return r.proto === 1 ? `icmp and ${hosts}` : `ip proto ${r.proto} and ${hosts}`;
}

/** A filter and a further condition. */
export const both = (filter: string, condition: string): string =>
  !filter ? condition : / or /i.test(filter) ? `(${filter}) ${condition}` : `${filter} ${condition}`;
