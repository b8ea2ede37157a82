import { del } from "../api/client.ts";
import { act } from "../app/drill.ts";
import { count } from "../i18n/i18n.ts";
import { Curl } from "./curl.tsx";
import { type ApiFault, faults, read } from "./data.ts";
import { Form } from "./form.tsx";
import { Section } from "./section.tsx";
import { type Field, numbers, texts, type Values } from "./values.ts";
import { w } from "./words.ts";

export function Faults() {
  const fields: Field[] = [
    {
      name: "kind",
      label: w("kind"),
      kind: "select",
      options: (["throttle", "fail", "hang"] as const).map((value) => ({ value, label: w(value) })),
    },
    {
      name: "api",
      label: w("api"),
      kind: "select",
      options: ["ec2", "admin"].map((value) => ({ value, label: value })),
    },
    { name: "operation", label: w("apiOperation"), kind: "text" },
    { name: "code", label: w("code"), kind: "text", shown: (v) => v.kind === "fail" },
    { name: "hangMs", label: w("hangMs"), kind: "number", shown: (v) => v.kind === "hang" },
    {
      name: "when",
      label: w("when"),
      kind: "select",
      options: (["before", "after"] as const).map((value) => ({ value, label: w(value) })),
    },
    { name: "calls", label: w("calls"), kind: "number" },
    { name: "share", label: w("share"), kind: "number" },
  ];
  const body = (v: Values): Record<string, unknown> => ({
    ...texts(v, "api", "operation", "kind", "when"),
    ...(v.kind === "fail" ? texts(v, "code") : {}),
    ...(v.kind === "hang" ? numbers(v, "hangMs") : {}),
    ...numbers(v, "calls", "share"),
  });
  return (
    <Section id="faults" hint="faultsHint">
      <InForce
        what={faults.value.map((f) => ({
          id: f.id,
          text: told(f),
          counts: { seen: f.seen, hit: f.injected },
          spent: f.spent ?? false,
        }))}
        path="/api-faults"
        counted="hits"
      />
      <Form
        label={w("faults")}
        path="/api-faults"
        fields={fields}
        start={{
          kind: "throttle",
          api: "ec2",
          operation: "AttachNetworkInterface",
          code: "InternalError",
          hangMs: "5000",
          when: "before",
          calls: "3",
        }}
        body={body}
        button={w("begin")}
      />
    </Section>
  );
}

const told = (f: ApiFault): string =>
  [
    f.kind,
    f.operation,
    f.api,
    f.code,
    f.hangMs ? `${f.hangMs} ms` : "",
    f.share !== undefined && f.share < 1 ? f.share : "",
    f.when,
  ]
    .filter(Boolean)
    .join(" · ");

/** What is in force, with how often it has acted and the way to end it. */
export function InForce({
  what,
  path,
  counted,
}: {
  what: { id: string; text: string; counts: { seen: number; hit: number }; spent: boolean }[];
  path: string;
  counted: "hits" | "acted";
}) {
  if (what.length === 0) return <p class="quiet">{w("none")}</p>;
  const end = (id: string): void => {
    void act(`end:${id}`, () => del(id ? `${path}/${id}` : path).then(read));
  };
  return (
    <>
      <ul class="in-force">
        {what.map((x) => (
          <li key={x.id}>
            <code>{x.text}</code>
            <span class="quiet small">
              {w(counted, { seen: count(x.counts.seen), hit: count(x.counts.hit) })}
              {x.spent && ` · ${w("spent")}`}
            </span>
            <button type="button" onClick={() => end(x.id)}>
              {w("end")}
              <span class="hidden"> {x.text}</span>
            </button>
          </li>
        ))}
      </ul>
      {what.length > 1 && (
        <button type="button" onClick={() => end("")}>
          {w("endAll")}
        </button>
      )}
      <Curl method="DELETE" path={path} />
    </>
  );
}
