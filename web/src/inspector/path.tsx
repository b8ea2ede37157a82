import { batch, signal } from "@preact/signals";
import { post } from "../api/client.ts";
import type { PacketAnswer } from "../api/types.ts";
import { act, busy } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { ofTheNetwork } from "../topology/cards.ts";
import { Answer, placesOf } from "./answer.tsx";

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

export function traceFrom(sender: string): void {
  batch(() => {
    from.value = sender;
    // What the last sender aimed at may be nobody's to this one.
    if (isHost(sender) !== isHost(lastSender)) dst.value = "";
    state.inspectorTab.value = "path";
  });
}

let lastSender = "";
const isHost = (id: string): boolean => state.hostsById.value.has(id);
const known = (id: string): boolean => state.enisById.value.has(id) || isHost(id);

/** The address that the world beyond the VPC knows the served interface by, else anybody's. */
function publicTarget(): string {
  const t = state.topology.value;
  const served = state.servedEni.value?.privateIps.find((p) => p.publicIp)?.publicIp;
  return served ?? t?.addresses.find((a) => a.networkInterfaceId)?.publicIp ?? "";
}

function defaults(): void {
  const t = state.topology.value;
  if (!t) return;
  if (!known(from.value)) {
    const client = t.instances.find((i) => i.role === "client") ?? t.instances[0];
    from.value = client?.interfaces[0]?.networkInterfaceId ?? t.networkInterfaces[0]?.id ?? "";
  }
  if (dst.value === "") {
    const served = state.servedEni.value;
    dst.value = isHost(from.value) ? publicTarget() : served ? state.primaryAddress(served) : "";
  }
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
  const sender = from.value;
  lastSender = sender;
  void act("path", async () => {
    const a = await post<PacketAnswer>("/packets", { networkInterfaceId: sender, fields, follow: true });
    batch(() => {
      answer.value = a;
      state.traced.value = { places: placesOf(a, sender), verdict: (a.followed?.at(-1) ?? a).verdict };
    });
  });
}

export function Path() {
  defaults();
  // A NAT gateway's interface has no guest that could send.
  const list = state.topology.value?.networkInterfaces.filter((n) => !ofTheNetwork(n)) ?? [];
  const hosts = state.topology.value?.internetHosts ?? [];
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
                {`${state.holderName(n.id) || t("eni.notAttached")} · ${state.eniName(n)}`}
              </option>
            ))}
            {hosts.length > 0 && (
              <optgroup label={t("gateway.internet")}>
                {hosts.map((h) => (
                  <option key={h.id} value={h.id}>
                    {`${h.name} · ${h.address}`}
                  </option>
                ))}
              </optgroup>
            )}
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
