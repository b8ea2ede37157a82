import { batch, signal } from "@preact/signals";
import { post } from "../api/client.ts";
import type { PacketAnswer, TreeLayer } from "../api/types.ts";
import { act, busy } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { Said } from "../ui/said.tsx";

// The Path tab: one frame put on a wire for real, and what each station did to it.

type Protocol = "udp" | "tcp" | "icmp";

const from = signal("");
const dst = signal("");
const protocol = signal<Protocol>("udp");
const srcPort = signal("40000");
const dstPort = signal("7");
const flags = signal("syn");
const answer = signal<PacketAnswer | null>(null);
const problem = signal("");

/** Fills the form with a packet of the table and sends it. */
export function tracePacket(p: {
  srcEni: string;
  dst: string;
  proto: number;
  sport: number;
  dport: number;
  flags: string;
}): void {
  batch(() => {
    from.value = p.srcEni;
    dst.value = p.dst;
    protocol.value = p.proto === 6 ? "tcp" : p.proto === 1 ? "icmp" : "udp";
    // ICMP has no ports: a record holds its type and identifier there.
    if (p.proto !== 1) {
      srcPort.value = String(p.sport || 40000);
      dstPort.value = String(p.dport || 7);
    }
    if (p.flags) flags.value = p.flags.toLowerCase().split(" ").join(",");
    state.inspectorTab.value = "path";
    state.inspectorOpen.value = true;
  });
  send();
}

export function traceFrom(eniId: string): void {
  batch(() => {
    from.value = eniId;
    state.inspectorTab.value = "path";
  });
}

function defaults(): void {
  const t = state.topology.value;
  if (!t) return;
  if (!from.value || !state.enisById.value.has(from.value)) {
    const client = t.instances.find((i) => i.role === "client") ?? t.instances[0];
    from.value = client?.interfaces[0]?.networkInterfaceId ?? t.networkInterfaces[0]?.id ?? "";
  }
  if (!dst.value && state.servedEni.value) dst.value = state.primaryAddress(state.servedEni.value);
}

function send(): void {
  problem.value = "";
  if (!dst.value.trim() || !from.value) {
    problem.value = t("path.bad");
    return;
  }
  const fields: Record<string, unknown> = { dst: dst.value.trim(), protocol: protocol.value };
  if (protocol.value !== "icmp") {
    fields.srcPort = Number(srcPort.value);
    fields.dstPort = Number(dstPort.value);
  }
  if (protocol.value === "tcp") fields.tcpFlags = flags.value;
  void act("path", async () => {
    answer.value = await post<PacketAnswer>("/packets", { networkInterfaceId: from.value, fields });
  });
}

export function Path() {
  defaults();
  const list = state.topology.value?.networkInterfaces ?? [];
  const portFields = protocol.value !== "icmp";
  return (
    <div class="panel-body">
      <form
        class="path-form"
        onSubmit={(e) => {
          e.preventDefault();
          send();
        }}
      >
        <h2>{t("path.title")}</h2>
        <label class="wide">
          {t("path.from")}
          <select value={from.value} onChange={(e) => (from.value = e.currentTarget.value)}>
            {list.map((n) => (
              <option key={n.id} value={n.id}>
                {`${n.attachment ? state.instanceName(n.attachment.instanceId) : t("eni.notAttached")} · ${state.eniName(n)}`}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("path.dst")}
          <input
            type="text"
            inputMode="decimal"
            spellcheck={false}
            value={dst.value}
            aria-invalid={problem.value !== ""}
            onInput={(e) => (dst.value = e.currentTarget.value)}
          />
        </label>
        <label>
          {t("path.protocol")}
          <select
            value={protocol.value}
            onChange={(e) => (protocol.value = e.currentTarget.value as Protocol)}
          >
            <option value="udp">UDP</option>
            <option value="tcp">TCP</option>
            <option value="icmp">ICMP echo</option>
          </select>
        </label>
        {portFields && (
          <>
            <label>
              {t("path.srcPort")}
              <input
                type="number"
                min={0}
                max={65535}
                value={srcPort.value}
                onInput={(e) => (srcPort.value = e.currentTarget.value)}
              />
            </label>
            <label>
              {t("path.dstPort")}
              <input
                type="number"
                min={0}
                max={65535}
                value={dstPort.value}
                onInput={(e) => (dstPort.value = e.currentTarget.value)}
              />
            </label>
          </>
        )}
        {protocol.value === "tcp" && (
          <label>
            {t("path.flags")}
            <input
              type="text"
              spellcheck={false}
              value={flags.value}
              onInput={(e) => (flags.value = e.currentTarget.value)}
            />
          </label>
        )}
        {problem.value && (
          <p class="alert wide" role="alert">
            {problem.value}
          </p>
        )}
        <div class="wide form-end">
          <button type="submit" class="primary" disabled={busy.value.has("path")}>
            {busy.value.has("path") ? t("path.sending") : t("path.send")}
          </button>
        </div>
        <p class="quiet small wide">{t("path.hint")}</p>
      </form>
      {answer.value && <Answer answer={answer.value} />}
    </div>
  );
}

function Answer({ answer: a }: { answer: PacketAnswer }) {
  return (
    <section class="answer" aria-label={t("path.hops")}>
      <p class={`why ${a.verdict}`}>
        <span class={`mark ${a.verdict} strong`}>{word("verdict", a.verdict)}</span>{" "}
        <b>
          <Said text={a.reasonText ?? a.reason ?? ""} reason={a.reason ?? ""} />
        </b>
        {a.rule && <code>{a.rule}</code>}
        {a.code && <code>{a.code}</code>}
      </p>
      <ol class="hops">
        {a.hops.map((h, i) => {
          const n = h.networkInterfaceId ? state.enisById.value.get(h.networkInterfaceId) : undefined;
          // A station that let the frame on says "pass"; only the last one accepts.
          const verdict = h.verdict === "pass" ? "accept" : h.verdict || "none";
          return (
            <li key={`${h.station}-${i}`} class={verdict}>
              <span class={`mark ${verdict}`}>
                <b>{word("station", h.station)}</b>
              </span>
              {n && (
                <code>
                  {n.attachment ? `${state.instanceName(n.attachment.instanceId)} ` : ""}
                  {state.eniName(n)}
                </code>
              )}
              <p>
                {word("hop", verdict)}
                {h.detail && (
                  <>
                    {" · "}
                    <Said text={h.detail} reason={h.reason ?? ""} />
                  </>
                )}
                {h.rule && !h.detail?.includes(h.rule) && <code>{h.rule}</code>}
              </p>
            </li>
          );
        })}
      </ol>
      {a.frame && <Frame hex={a.frame.hex} layers={a.frame.tree?.layers ?? []} />}
    </section>
  );
}

const lit = signal<{ off: number; len: number } | null>(null);

function Frame({ hex, layers }: { hex: string; layers: TreeLayer[] }) {
  const bytes = hex.match(/../g) ?? [];
  return (
    <div class="frame">
      <h3>{t("path.frame")}</h3>
      {layers.map((l) => (
        <details key={`${l.name}@${l.off}`}>
          <summary>{l.name}</summary>
          <ul class="fields">
            {l.fields.map((f) => {
              const light = (): void => {
                lit.value = { off: f.off, len: f.len };
              };
              return (
                <li key={`${f.name}@${f.off}`}>
                  <button
                    type="button"
                    class="field"
                    onFocus={light}
                    onMouseEnter={light}
                    onMouseLeave={() => (lit.value = null)}
                  >
                    <span>{f.name}</span>
                    <code>{f.value}</code>
                  </button>
                </li>
              );
            })}
          </ul>
        </details>
      ))}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
      <pre class="hex" tabIndex={0}>
        {bytes.slice(0, 512).map((b, i) => {
          const range = lit.value;
          const on = range && i >= range.off && i < range.off + range.len;
          return (
            <span
              key={i}
              class={on ? "lit" : ""}
            >{`${b}${i % 16 === 15 ? "\n" : i % 8 === 7 ? "  " : " "}`}</span>
          );
        })}
      </pre>
    </div>
  );
}
