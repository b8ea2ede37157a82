import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** A number that is sent when it is left or Enter is pressed; Escape takes back what was typed. */
export function Num({
  label,
  labelled,
  value,
  placeholder,
  set,
}: {
  label?: string;
  labelled?: string;
  value: number | undefined;
  placeholder?: string;
  /** undefined: the field was emptied. */
  set: (n: number | undefined) => void;
}) {
  const text = useSignal<string | null>(null);
  const is = value === undefined ? "" : String(value);
  useEffect(() => {
    // What others have set shows where nobody types.
    if (text.value === is) text.value = null;
  }, [is]);
  const typed = (text.value ?? is).trim();
  const bad = typed !== "" && !/^\d+(\.\d+)?$/.test(typed);
  const commit = (): void => {
    if (text.value === null || bad) return;
    if (typed !== is) set(typed === "" ? undefined : Number(typed));
    text.value = null;
  };
  return (
    <input
      class="setting-number"
      type="text"
      inputMode="decimal"
      aria-label={label}
      aria-labelledby={labelled}
      aria-invalid={bad}
      placeholder={placeholder}
      autocomplete="off"
      value={text.value ?? is}
      onInput={(e) => (text.value = e.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(e) => {
        if (e.key === "Enter") commit();
        if (e.key === "Escape") {
          text.value = null;
          e.stopPropagation();
        }
      }}
    />
  );
}
