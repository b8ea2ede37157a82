import * as state from "../app/state.ts";
import { dictionary, ring } from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { Accept, Reject, verdictNames } from "../stream/ring.ts";
import * as text from "./text.ts";

/** A record as menus and screens use it: copied, since the ring overwrites its slots. */
export interface RowRecord {
  seq: number;
  micros: number;
  verdict: string;
  reason: string;
  src: string;
  dst: string;
  sport: number;
  dport: number;
  proto: number;
  etherType: number;
  protocol: string;
  /** Names joined by blanks, of TCP. */
  flags: string;
  length: number;
  /** The step at which it ended. */
  hop: string;
  srcEni: string;
  dstEni: string;
  rule: string;
}

export function recordOf(ordinal: number): RowRecord | null {
  if (!ring.holds(ordinal)) return null;
  const i = ring.slot(ordinal);
  return {
    seq: ring.seq[i]!,
    micros: ring.micros[i]!,
    verdict: verdictNames[ring.verdict[i]!] ?? "none",
    reason: state.reasons.value[ring.reason[i]!]?.name ?? "",
    src: text.ip(ring.src[i]!),
    dst: text.ip(ring.dst[i]!),
    sport: ring.sport[i]!,
    dport: ring.dport[i]!,
    proto: ring.proto[i]!,
    etherType: ring.etherType[i]!,
    protocol: text.protocol(ring.etherType[i]!, ring.proto[i]!),
    flags: ring.proto[i] === 6 ? text.tcpFlags(ring.flags[i]!) : "",
    length: ring.length[i]!,
    hop: state.steps.value[text.step(ring.rule[i]!)]?.name ?? "",
    srcEni: dictionary.eni(ring.srcVnic[i]!),
    dstEni: dictionary.eni(ring.dstVnic[i]!),
    rule: dictionary.rule(ring.rule[i]!),
  };
}

/** What decided: the rule that accepted or rejected, else the reason. A frame is never lost by a rule. */
export function decidedBy(ordinal: number): string {
  const i = ring.slot(ordinal);
  const verdict = ring.verdict[i];
  const rule = dictionary.rule(ring.rule[i]!);
  if (rule && (verdict === Accept || verdict === Reject)) return rule;
  return verdict === Accept ? "" : (state.reasons.value[ring.reason[i]!]?.name ?? "");
}

/** Whose interface it was at an instant, in the names of that time. */
export function stationAt(id: string, micros: number): string {
  const who = dictionary.who(id, micros);
  if (who?.instance.startsWith("nat-")) return `${t("gateway.nat")} ${who.name || who.instance}`;
  if (who?.instance === id) return who.name || id; // a host of the internet
  if (who) return who.instance ? `${who.name || who.instance} eth${who.device}` : id;
  return state.hostsById.value.get(id)?.name ?? id;
}
