import { del, post, put } from "../api/client.ts";
import type { Policy } from "../api/types.ts";
import * as state from "../app/state.ts";
import { type Kind, list, str, type Values, yes } from "./form.ts";
import * as m from "./model.ts";
import { w } from "./words.ts";

// The form of failover policies.

const fences = ["none", "stop", "detach"];
/** A primary interface stays with its instance, and the network's own are not moved. */
const movable = (id: string): boolean => {
  const n = state.enisById.value.get(id);
  return Boolean(n) && n?.attachment?.deviceIndex !== 0 && (!n?.type || n.type === "interface");
};

const ownerOf = (v: Values): string => state.enisById.value.get(str(v, "eni"))?.attachment?.instanceId ?? "";

const hasPort = (v: Values): boolean => v.probe !== "icmp";

/** What the API takes of a policy that is there. */
export function policyBody(p: Policy): Record<string, unknown> {
  const { id: _id, status: _status, ...body } = p as Policy & { scope?: string };
  const { scope: _scope, ...rest } = body as { scope?: string };
  return rest;
}

export const policy: Kind = {
  id: "policy",
  label: "policy",
  fields: () => [
    {
      name: "eni",
      label: "guards",
      type: "select",
      options: () => m.enis().filter((x) => movable(x.value)),
      required: true,
      about: ["networkInterfaceId", "networkInterface"],
      hint: "guardsHint",
    },
    {
      name: "standbys",
      label: "standbys",
      type: "many",
      // Who has it stands by for nobody; one that is chosen already stays to be seen.
      options: (v) =>
        m.instances().filter((i) => i.value !== ownerOf(v) || list(v, "standbys").includes(i.value)),
      required: true,
      wrong: (v) => (list(v, "standbys").every((i) => i === ownerOf(v)) ? w("onlyOwner") : ""),
    },
    {
      name: "probe",
      label: "probe",
      type: "select",
      options: () => ["icmp", "tcp", "http"].map((x) => ({ value: x, label: x })),
      about: ["probe.type"],
    },
    {
      name: "from",
      label: "probeFrom",
      type: "select",
      options: m.enis,
      required: true,
      about: ["probe.from", "fromInterfaceId"],
      hint: "probeFromHint",
    },
    { name: "port", label: "port", type: "number", shown: hasPort, about: ["probe.port"] },
    { name: "path", label: "path", type: "text", shown: (v) => v.probe === "http", about: ["probe.path"] },
    {
      name: "interval",
      label: "interval",
      type: "number",
      positive: true,
      about: ["probe.interval", "intervalMs"],
    },
    {
      name: "timeout",
      label: "timeout",
      type: "number",
      positive: true,
      about: ["probe.timeout", "timeoutMs"],
    },
    { name: "misses", label: "misses", type: "number", positive: true, about: ["probe.misses"] },
    {
      name: "fence",
      label: "fence",
      type: "select",
      options: () => fences.map((x) => ({ value: x, label: x })),
      hint: "fenceHint",
      about: ["fence"],
    },
    { name: "back", label: "failBack", type: "check" },
    { name: "hold", label: "holdDown", type: "number", hint: "holdDownHint", about: ["holdDownMs"] },
    { name: "enabled", label: "enabled", type: "check" },
  ],
  start: (at) => ({
    eni: movable(at.eni) ? at.eni : (m.enis().find((x) => movable(x.value))?.value ?? ""),
    standbys: [],
    probe: "icmp",
    from: m.enis().find((x) => x.value !== at.eni)?.value ?? "",
    port: "80",
    path: "/",
    interval: "200",
    timeout: "200",
    misses: "3",
    fence: "none",
    back: false,
    hold: "0",
    enabled: true,
  }),
  read: (id) => {
    const p = m.lab().policies?.find((x) => x.id === id);
    if (!p) return null;
    return {
      eni: p.networkInterfaceId,
      standbys: p.standbys,
      probe: p.probe.type,
      from: p.probe.fromInterfaceId,
      port: String(p.probe.port ?? 80),
      path: p.probe.path ?? "/",
      interval: String(p.probe.intervalMs),
      timeout: String(p.probe.timeoutMs),
      misses: String(p.probe.misses),
      fence: p.fence ?? "none",
      back: p.failBack,
      hold: String(p.holdDownMs ?? 0),
      enabled: p.enabled,
    };
  },
  async save(v, editing) {
    const before = m.lab().policies?.find((x) => x.id === editing);
    const body = {
      ...(before ? policyBody(before) : {}),
      networkInterfaceId: str(v, "eni"),
      standbys: list(v, "standbys"),
      failBack: yes(v, "back"),
      fence: str(v, "fence"),
      holdDownMs: Number(str(v, "hold")),
      enabled: yes(v, "enabled"),
      probe: {
        type: str(v, "probe"),
        fromInterfaceId: str(v, "from"),
        ...(hasPort(v) ? { port: Number(str(v, "port")) } : {}),
        ...(v.probe === "http" ? { path: str(v, "path") } : {}),
        intervalMs: Number(str(v, "interval")),
        timeoutMs: Number(str(v, "timeout")),
        misses: Number(str(v, "misses")),
      },
    };
    if (before) {
      await put(`/failover-policies/${editing}`, body);
      return { id: "", undo: () => put(`/failover-policies/${editing}`, policyBody(before)) };
    }
    const made = await post<Policy>("/failover-policies", body);
    return { id: "", undo: () => del(`/failover-policies/${made.id}`) };
  },
};

export const dropPolicy = (id: string): Promise<unknown> => del(`/failover-policies/${id}`);
