import { useEffect, useRef } from "preact/hooks";
import { Said } from "../ui/said.tsx";
import * as form from "./form.ts";
import { needZones } from "./model.ts";
import { w } from "./words.ts";

/** The open form. */
export function FormView() {
  const o = form.open.value;
  const ref = useRef<HTMLFormElement>(null);
  useEffect(() => {
    needZones();
    ref.current?.scrollIntoView({ block: "nearest" });
    ref.current?.querySelector<HTMLElement>("input:not([type=checkbox]), select")?.focus();
  }, [o?.kind, o?.editing]);
  if (!o) return null;
  const v = form.values.value;
  const what = { what: w(o.kind.label) };
  const general = form.wrong.value[""];
  return (
    <form
      ref={ref}
      class="build-form"
      aria-label={w(o.editing ? "editOf" : "newOf", what)}
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void form.submit();
      }}
      onKeyDown={(e) => {
        // What was typed stays, and the map keeps what is selected.
        if (e.key === "Escape") e.stopPropagation();
      }}
    >
      <h3>{w(o.editing ? "editOf" : "newOf", what)}</h3>
      {form.conflict.value && (
        <p class="alert" role="alert">
          {w("conflict")}{" "}
          <button type="button" class="link" onClick={form.lookAgain}>
            {w("lookAgain")}
          </button>
        </p>
      )}
      {o.kind
        .fields(o.editing)
        .filter((f) => f.shown?.(v) ?? true)
        .map((f) => (
          <FieldView key={f.name} field={f} v={v} />
        ))}
      {general && (
        <p class="alert" role="alert">
          <Said text={general} />
        </p>
      )}
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" onClick={form.closeForm}>
          {w("cancel")}
        </button>
        <button type="submit" class="primary" disabled={form.sending.value || form.conflict.value}>
          {w(o.editing ? "save" : "create")}
        </button>
      </div>
    </form>
  );
}

function FieldView({ field: f, v }: { field: form.Field; v: form.Values }) {
  const id = `field-${f.name}`;
  const wrong = form.wrong.value[f.name];
  const described =
    [f.hint ? `${id}-hint` : "", wrong ? `${id}-wrong` : ""].filter(Boolean).join(" ") || undefined;
  const common = {
    id,
    "aria-invalid": Boolean(wrong),
    "aria-describedby": described,
  } as const;
  const notes = (
    <>
      {f.hint && (
        <span class="quiet small" id={`${id}-hint`}>
          {w(f.hint)}
        </span>
      )}
      {wrong && (
        <span class="field-wrong" id={`${id}-wrong`} role="alert">
          <Said text={wrong} />
        </span>
      )}
    </>
  );
  if (f.type === "many") return <Many field={f} v={v} notes={notes} described={described} />;
  if (f.type === "check")
    return (
      <div class="build-field">
        <label class="check-row">
          <input
            type="checkbox"
            {...common}
            checked={v[f.name] === true}
            onChange={(e) => form.setValue(f.name, e.currentTarget.checked)}
          />
          {w(f.label)}
        </label>
        {notes}
      </div>
    );
  const value = String(v[f.name] ?? "");
  return (
    <div class="build-field">
      <label for={id}>{w(f.label)}</label>
      {f.type === "select" ? (
        <select
          {...common}
          required={f.required ?? false}
          value={value}
          onChange={(e) => form.setValue(f.name, e.currentTarget.value)}
        >
          {withValue(f.options?.(v) ?? [], value).map((o) => (
            <option key={o.value} value={o.value} selected={o.value === value}>
              {o.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type="text"
          inputMode={f.type === "number" ? "decimal" : "text"}
          spellcheck={false}
          autocomplete="off"
          required={f.required ?? false}
          placeholder={f.placeholder}
          value={value}
          onInput={(e) => form.setValue(f.name, e.currentTarget.value)}
        />
      )}
      {notes}
    </div>
  );
}

/** A value that is no choice any more stays to be seen, until another is chosen. */
function withValue(options: form.Option[], value: string): form.Option[] {
  return options.some((o) => o.value === value)
    ? options
    : [{ value, label: value || w("none") }, ...options];
}

function Many({
  field: f,
  v,
  notes,
  described,
}: {
  field: form.Field;
  v: form.Values;
  notes: preact.ComponentChildren;
  described: string | undefined;
}) {
  const chosen = form.list(v, f.name);
  const options = f.options?.(v) ?? [];
  return (
    <fieldset class="build-field many" aria-describedby={described}>
      <legend>{w(f.label)}</legend>
      {options.length === 0 && <span class="quiet small">{w("nothing")}</span>}
      {options.map((o) => (
        <label key={o.value} class="check-row">
          <input
            type="checkbox"
            checked={chosen.includes(o.value)}
            onChange={(e) =>
              form.setValue(
                f.name,
                e.currentTarget.checked ? [...chosen, o.value] : chosen.filter((x) => x !== o.value),
              )
            }
          />
          {o.label}
        </label>
      ))}
      {notes}
    </fieldset>
  );
}
