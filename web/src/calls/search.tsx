import type { Signal } from "@preact/signals";
import { count } from "../i18n/i18n.ts";
import { w } from "./words.ts";

/** Whether a text has every word that is sought. */
export function has(text: string, sought: string): boolean {
  const low = text.toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => low.includes(word));
}

export function Search({
  text,
  label,
  shown,
  of,
}: {
  text: Signal<string>;
  label: string;
  shown: number;
  of: number;
}) {
  return (
    <>
      <input
        type="search"
        class="list-search"
        aria-label={label}
        placeholder={w("seek")}
        value={text.value}
        onInput={(e) => (text.value = e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Escape" && text.value) {
            text.value = "";
            e.stopPropagation();
          }
        }}
      />
      {text.value && (
        <span class="quiet small" role="status">
          {w("shownOf", { shown: count(shown), all: count(of) })}
        </span>
      )}
    </>
  );
}
