import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { ApiError, post } from "../api/client.ts";
import { Said } from "../ui/said.tsx";
import { Curl } from "./curl.tsx";
import { read } from "./data.ts";
import { type Field, numberOf, type Values } from "./values.ts";
import { w } from "./words.ts";

/** A form whose call is shown as it is typed, and whose refusal stands at the field that it is about. */
export function Form(props: {
  label: string;
  path: string;
  fields: readonly Field[];
  start: Values;
  body: (v: Values) => Record<string, unknown>;
  button: string;
}) {
  const { fields, path } = props;
  const v = useSignal(props.start);
  const wrong = useSignal<Readonly<Record<string, string>>>({});
  const sending = useSignal(false);
  const shown = fields.filter((f) => f.shown?.(v.value) ?? true);
  const send = async (): Promise<void> => {
    const unread = shown.filter((f) => f.kind === "number" && numberOf(v.value, f.name) === null);
    wrong.value = Object.fromEntries(unread.map((f) => [f.name, w("number")]));
    if (unread.length > 0) return;
    sending.value = true;
    try {
      await post(path, props.body(v.value));
      await read();
    } catch (err) {
      const said =
        err instanceof ApiError && err.code ? `${err.code}: ${err.message}` : String((err as Error).message);
      const at = err instanceof ApiError ? err.fields.map((x) => x.location.split(".")[1] ?? x.location) : [];
      wrong.value = { [shown.find((f) => at.includes(f.name))?.name ?? ""]: said };
    } finally {
      sending.value = false;
    }
  };
  return (
    <form
      class="setting-form"
      aria-label={props.label}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void send();
      }}
    >
      <div class="setting-fields">
        {shown.map((f) => (
          <One
            key={f.name}
            of={f}
            value={v.value[f.name] ?? ""}
            wrong={wrong.value[f.name] ?? ""}
            onChange={(x) => {
              v.value = { ...v.value, [f.name]: x };
              if (wrong.value[f.name]) wrong.value = {};
            }}
          />
        ))}
        <button type="submit" class="primary" disabled={sending.value}>
          {props.button}
        </button>
      </div>
      {wrong.value[""] && (
        <p class="field-wrong" role="alert">
          <Said text={wrong.value[""]} />
        </p>
      )}
      <Curl method="POST" path={path} body={props.body(v.value)} />
    </form>
  );
}

function One({
  of: f,
  value,
  wrong,
  onChange,
}: {
  of: Field;
  value: string;
  wrong: string;
  onChange: (v: string) => void;
}) {
  const id = useId();
  const common = {
    id,
    "aria-invalid": Boolean(wrong),
    "aria-describedby": wrong ? `${id}-wrong` : undefined,
  } as const;
  return (
    <div class="build-field">
      <label for={id}>{f.label}</label>
      {f.options ? (
        <select {...common} value={value} onChange={(e) => onChange(e.currentTarget.value)}>
          {f.options.map((o) => (
            <option key={o.value} value={o.value} selected={o.value === value}>
              {o.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type="text"
          inputMode={f.kind === "number" ? "decimal" : "text"}
          autocomplete="off"
          spellcheck={false}
          value={value}
          onInput={(e) => onChange(e.currentTarget.value)}
        />
      )}
      {wrong && (
        <span class="field-wrong" id={`${id}-wrong`} role="alert">
          <Said text={wrong} />
        </span>
      )}
    </div>
  );
}
