import * as state from "../app/state.ts";
import { type Impairment, impairments, type Place } from "./data.ts";
import { InForce } from "./faults.tsx";
import { Form } from "./form.tsx";
import { Section } from "./section.tsx";
import { type Field, numbers, texts, type Values } from "./values.ts";
import { w } from "./words.ts";

/** Every place that can be named, as kind and id. */
function places(): { value: string; label: string }[] {
  const t = state.topology.value;
  if (!t) return [];
  const zones = [...new Set(t.subnets.filter((s) => state.inView(s.vpcId)).map((s) => s.zone))].sort();
  return [
    ...t.instances
      .filter((i) => i.state !== "terminated" && state.inView(i.vpcId))
      .map((i) => ({ value: `instance:${i.id}`, label: state.instanceName(i.id) })),
    ...(t.internetHosts ?? []).map((h) => ({ value: `instance:${h.id}`, label: h.name })),
    ...t.networkInterfaces
      .filter((n) => state.inView(n.vpcId))
      .map((n) => ({
        value: `networkInterface:${n.id}`,
        label: `${state.holderName(n.id)} ${state.eniName(n)}`.trim(),
      })),
    ...t.subnets
      .filter((s) => state.inView(s.vpcId))
      .map((s) => ({ value: `subnet:${s.id}`, label: state.subnetName(s.id) })),
    ...zones.map((z) => ({ value: `zone:${z}`, label: w("zone", { name: z }) })),
  ];
}

const placeOf = (text: string | undefined): Place | undefined => {
  const [kind = "", ...id] = (text ?? "").split(":");
  return kind ? { [kind]: id.join(":") } : undefined;
};

const kinds = ["loss", "delay", "reorder", "duplicate", "corrupt", "rate", "partition"] as const;
const shared = ["loss", "reorder", "duplicate", "corrupt"];

export function Impairments() {
  const all = places();
  const is =
    (...of: string[]) =>
    (v: Values): boolean =>
      of.includes(v.kind ?? "");
  const fields: Field[] = [
    {
      name: "kind",
      label: w("kind"),
      kind: "select",
      options: kinds.map((value) => ({ value, label: w(value) })),
    },
    { name: "of", label: w("of"), kind: "select", options: [{ value: "", label: w("everywhere") }, ...all] },
    { name: "to", label: w("to"), kind: "select", options: [{ value: "", label: w("anybody") }, ...all] },
    {
      name: "direction",
      label: w("direction"),
      kind: "select",
      options: (["both", "out", "in"] as const).map((value) => ({ value, label: w(value) })),
    },
    { name: "share", label: w("frameShare"), kind: "number", shown: is(...shared) },
    { name: "delayMs", label: w("delayMs"), kind: "number", shown: is("delay", "reorder") },
    { name: "jitterMs", label: w("jitterMs"), kind: "number", shown: is("delay") },
    { name: "bitsPerSecond", label: w("bits"), kind: "number", shown: is("rate") },
    {
      name: "protocol",
      label: w("protocol"),
      kind: "select",
      options: [
        { value: "", label: w("every") },
        ...["tcp", "udp", "icmp"].map((value) => ({ value, label: value })),
      ],
    },
  ];
  const body = (v: Values): Record<string, unknown> => {
    const of = placeOf(v.of);
    const to = placeOf(v.to);
    return {
      ...texts(v, "kind", "direction", "protocol"),
      ...(of && { of }),
      ...(to && { to }),
      ...numbers(v, ...fields.filter((f) => f.kind === "number" && f.shown?.(v)).map((f) => f.name)),
    };
  };
  return (
    <Section id="impairments" hint="impairmentsHint">
      <InForce
        what={impairments.value.map((i) => ({
          id: i.id,
          text: told(i),
          counts: { seen: i.seen, hit: i.acted },
          spent: false,
        }))}
        path="/impairments"
        counted="acted"
      />
      <Form
        label={w("impairments")}
        path="/impairments"
        fields={fields}
        start={{
          kind: "loss",
          share: "0.05",
          delayMs: "50",
          jitterMs: "",
          bitsPerSecond: "1000000",
          direction: "both",
        }}
        body={body}
        button={w("begin")}
      />
    </Section>
  );
}

function nameOf(p: Place | undefined): string {
  if (!p) return "";
  if (p.instance) return state.instanceName(p.instance);
  const n = state.enisById.value.get(p.networkInterface ?? "");
  if (n) return state.eniName(n);
  return p.networkInterface ?? (p.subnet ? state.subnetName(p.subnet) : (p.zone ?? ""));
}

const told = (i: Impairment): string =>
  [
    w(i.kind as "loss"),
    nameOf(i.of) || w("everywhere"),
    i.to ? `→ ${nameOf(i.to)}` : "",
    i.share !== undefined && shared.includes(i.kind) ? String(i.share) : "",
    i.delayMs ? `${i.delayMs}${i.jitterMs ? `+${i.jitterMs}` : ""} ms` : "",
    i.bitsPerSecond ? `${i.bitsPerSecond} bit/s` : "",
    i.direction === "both" ? "" : w(i.direction as "out"),
    i.protocol ?? "",
  ]
    .filter(Boolean)
    .join(" · ");
