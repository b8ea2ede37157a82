import { useSignal, useSignalEffect } from "@preact/signals";
import * as state from "../app/state.ts";
import { dictionary, ring } from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { Entry } from "../inspector/answer.tsx";
import { Named } from "../inspector/named.tsx";
import { tracePacket } from "../inspector/path.tsx";
import type { Way } from "../stream/dictionary.ts";
import { verdictNames } from "../stream/ring.ts";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { decidedBy, stationAt } from "./record.ts";
import * as text from "./text.ts";

interface Record {
  seq: number;
  micros: number;
  verdict: string;
  reason: number;
  src: string;
  dst: string;
  sport: number;
  dport: number;
  proto: number;
  etherType: number;
  protocol: string;
  flags: string;
  length: number;
  step: number;
  srcEni: string;
  dstEni: string;
  rule: string;
  way: Way;
  translated: boolean;
}

/** Copies a record out of the ring: the slot is overwritten while a person reads. */
function copy(ordinal: number): Record | null {
  if (!ring.holds(ordinal)) return null;
  const i = ring.slot(ordinal);
  return {
    seq: ring.seq[i]!,
    micros: ring.micros[i]!,
    verdict: verdictNames[ring.verdict[i]!] ?? "none",
    reason: ring.reason[i]!,
    src: text.ip(ring.src[i]!),
    dst: text.ip(ring.dst[i]!),
    sport: ring.sport[i]!,
    dport: ring.dport[i]!,
    proto: ring.proto[i]!,
    etherType: ring.etherType[i]!,
    protocol: text.protocol(ring.etherType[i]!, ring.proto[i]!),
    flags: ring.proto[i] === 6 ? text.tcpFlags(ring.flags[i]!) : "",
    length: ring.length[i]!,
    step: text.step(ring.rule[i]!),
    srcEni: dictionary.eni(ring.srcVnic[i]!),
    dstEni: dictionary.eni(ring.dstVnic[i]!),
    rule: decidedBy(ordinal),
    way: dictionary.way(ring.way[i]!),
    translated: text.translated(ring.way[i]!),
  };
}

export function PacketDetail() {
  const record = useSignal<Record | null>(null);
  useSignalEffect(() => {
    const ordinal = state.packet.value;
    record.value = ordinal < 0 ? null : (copy(ordinal) ?? record.peek());
  });
  const r = record.value;
  if (state.packet.value < 0 || !r) return null;
  const reason = state.reasons.value[r.reason];
  const step = state.steps.value[r.step];
  // ICMP has no ports; a record of it holds type and identifier in their place.
  const ported = r.proto === 6 || r.proto === 17;
  const from = ported ? `${r.src}:${r.sport}` : r.src;
  const to = ported ? `${r.dst}:${r.dport}` : r.dst;
  return (
    <section class="packet" aria-label={t("packet.title", { seq: String(r.seq) })}>
      <header>
        <h2>{t("packet.title", { seq: String(r.seq) })}</h2>
        <span class={`mark ${r.verdict} strong`}>{word("verdict", r.verdict)}</span>
        <span class="spacer" />
        <button
          type="button"
          class="icon"
          aria-label={t("action.close")}
          onClick={() => {
            state.packet.value = -1;
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <Scroll label={t("packet.reason")} class="packet-body">
        <p class={`why ${r.verdict}`}>
          <b>{reason && <Said text={reason.text} reason={reason.name} />}</b>
          {r.rule && <code>{r.rule}</code>}
          {reason?.code && <code>{reason.code}</code>}
        </p>
        <dl class="facts">
          <dt>{t("packet.from")}</dt>
          <dd>
            <code>{from}</code> <span>{stationAt(r.srcEni, r.micros)}</span>
          </dd>
          <dt>{t("packet.to")}</dt>
          <dd>
            <code>{to}</code> <span>{stationAt(r.dstEni, r.micros)}</span>
          </dd>
          <dt>{t("packet.protocol")}</dt>
          <dd>
            {r.protocol} {r.flags && <code>{r.flags}</code>}
          </dd>
          <dt>{t("packet.length")}</dt>
          <dd>{t("packet.bytes", { count: r.length })}</dd>
          <dt>{t("packet.at")}</dt>
          <dd>
            <code>{text.time(r.micros)}</code>
          </dd>
          {step && (
            <>
              <dt>{t("why.step")}</dt>
              <dd>
                {word("step", step.name)} {step.point && <code>{step.point}</code>}
              </dd>
            </>
          )}
          <Decided way={r.way} translated={r.translated} />
        </dl>
        <button type="button" onClick={() => tracePacket(r)}>
          {t("packet.trace")}
        </button>
        <p class="quiet small">{t("packet.sampled")}</p>
      </Scroll>
    </section>
  );
}

/** What decided where the frame went, each thing in a row; nothing for those that were not asked. */
function Decided({ way: y, translated }: { way: Way; translated: boolean }) {
  // The internet's own table has one route, which says nothing.
  const route = y.route?.startsWith("internet ") ? "" : y.route;
  const gateways = [y.leaves, y.enters].filter((g) => g !== undefined);
  return (
    <>
      {route && (
        <>
          <dt>{t("why.route")}</dt>
          <dd>
            <Entry text={route} />
            {y.via && (
              <>
                {" → "}
                <Named id={y.via} />
              </>
            )}
          </dd>
        </>
      )}
      {y.onward && (
        <>
          <dt>{t("why.onward")}</dt>
          <dd>
            <Entry text={y.onward} />
          </dd>
        </>
      )}
      {gateways.length > 0 && (
        <>
          <dt>{t("why.gateway")}</dt>
          <dd>
            {gateways.map((g, i) => (
              <span key={i === 0 && y.leaves ? "leaves" : "enters"}>
                {i > 0 && " → "}
                <Named id={g} />
              </span>
            ))}
          </dd>
        </>
      )}
      {(y.aclOut || y.aclIn) && (
        <>
          <dt>{t("why.acl")}</dt>
          <dd>
            {y.aclOut && <Entry text={y.aclOut} />}
            {y.aclOut && y.aclIn && " → "}
            {y.aclIn && <Entry text={y.aclIn} />}
          </dd>
        </>
      )}
      {translated && (
        <>
          <dt>{t("why.translation")}</dt>
          <dd>{t("packet.translated")}</dd>
        </>
      )}
    </>
  );
}
