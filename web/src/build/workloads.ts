import { put } from "../api/client.ts";
import type { Workload } from "../api/types.ts";
import * as state from "../app/state.ts";
import { type Field, type Kind, str, yes } from "./form.ts";
import * as m from "./model.ts";

// The form of what runs in guests.

const kinds = ["udp-echo", "ping", "http", "frames"];
const hosts = () => [
  ...m.instances(),
  ...(m.lab().internetHosts ?? []).map((h) => ({ value: h.id, label: `${h.name} · ${h.id}` })),
];
const running = (host: string): Workload[] =>
  state.instancesById.value.get(host)?.workloads ?? state.hostsById.value.get(host)?.workloads ?? [];
const pathOf = (host: string): string =>
  `/${host.startsWith("inet-") ? "internet-hosts" : "instances"}/${host}/workloads`;
export const setWorkloads = (host: string, all: Workload[]): Promise<unknown> => put(pathOf(host), all);

/** A workload is named by its host and name: HOST NAME. */
export const workload: Kind = {
  id: "workload",
  label: "workload",
  fields: (editing) => [
    ...(editing
      ? []
      : ([
          { name: "host", label: "runsIn", type: "select", options: hosts, required: true },
        ] satisfies Field[])),
    { name: "name", label: "name", type: "text", required: true },
    {
      name: "kind",
      label: "kind",
      type: "select",
      options: () => kinds.map((k) => ({ value: k, label: k })),
    },
    {
      name: "target",
      label: "targetAddress",
      type: "text",
      required: true,
      placeholder: "10.0.0.20",
      about: ["workloads.target"],
    },
    { name: "port", label: "port", type: "number", shown: (v) => v.kind !== "ping", hint: "portHint" },
    { name: "rate", label: "rate", type: "number", positive: true, required: true },
    {
      name: "connections",
      label: "connections",
      type: "number",
      positive: true,
      shown: (v) => v.kind === "http",
    },
    { name: "paused", label: "paused", type: "check" },
  ],
  start: (at) => ({
    host: at.host || at.instance || hosts()[0]?.value || "",
    name: "requests",
    kind: "udp-echo",
    target: state.servedEni.value ? state.servedAddress(state.servedEni.value) : "",
    port: "",
    rate: "50",
    connections: "4",
    paused: false,
  }),
  read: (key) => {
    const [host = "", name = ""] = key.split(" ");
    const one = running(host).find((x) => x.name === name);
    if (!one) return null;
    return {
      name: one.name,
      kind: one.kind,
      target: one.target ?? "",
      port: one.port ? String(one.port) : "",
      rate: String(one.rate ?? ""),
      connections: one.connections ? String(one.connections) : "",
      paused: one.paused ?? false,
    };
  },
  async save(v, editing) {
    const [host = str(v, "host"), was = ""] = editing ? editing.split(" ") : [];
    const before = running(host);
    const one: Workload = {
      name: str(v, "name"),
      kind: str(v, "kind"),
      target: str(v, "target"),
      rate: Number(str(v, "rate")),
    };
    if (str(v, "port") && one.kind !== "ping") one.port = Number(str(v, "port"));
    if (one.kind === "http" && str(v, "connections")) one.connections = Number(str(v, "connections"));
    if (yes(v, "paused")) one.paused = true;
    const all = was ? before.map((x) => (x.name === was ? { ...x, ...one } : x)) : [...before, one];
    await setWorkloads(host, all);
    return { id: host, undo: () => setWorkloads(host, before) };
  },
};
