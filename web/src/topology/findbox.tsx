import { computed, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { Icon } from "../ui/icons.tsx";
import { entriesOf, find } from "./find.ts";
import { finding, sought as text } from "./finding.ts";
import { goTo, placeOf } from "./sight.ts";
import { focusOn } from "./walk.ts";
import { w } from "./words.ts";

const most = 12;

const entries = computed(() =>
  finding.value && state.topology.value ? entriesOf(state.topology.value) : [],
);
const found = computed(() => find(entries.value, text.value, (id) => placeOf(id) !== undefined, most));

/** Search on the map: a name, an id, an IP or a MAC, and the camera goes there. */
export function FindBox() {
  const input = useRef<HTMLInputElement>(null);
  const at = useSignal(0);
  // Before the next key: what is typed at once is of the search, and not a key of the page.
  useLayoutEffect(() => {
    if (finding.value) input.current?.focus();
  }, [finding.value]);
  if (!finding.value)
    return (
      <button
        type="button"
        class="icon"
        title={`${w("find")} (S)`}
        aria-label={w("find")}
        onClick={() => {
          finding.value = true;
        }}
      >
        <Icon name="search" />
      </button>
    );
  const { places, count } = found.value;
  const close = (): void => {
    finding.value = false;
    text.value = "";
    at.value = 0;
  };
  const go = (id: string): void => {
    close();
    goTo(id);
    select(id);
    focusOn(id);
  };
  const onKey = (e: KeyboardEvent): void => {
    if (e.key === "Escape") close();
    else if (e.key === "ArrowDown") at.value = Math.min(places.length - 1, at.value + 1);
    else if (e.key === "ArrowUp") at.value = Math.max(0, at.value - 1);
    else if (e.key === "Enter" && !e.isComposing && places[at.value]) go(places[at.value]!.id);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const chosen = places[at.value];
  return (
    <div class="map-find">
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        role="combobox"
        autocomplete="off"
        aria-label={w("find")}
        aria-expanded={places.length > 0}
        aria-controls={places.length > 0 ? "map-found" : undefined}
        aria-activedescendant={chosen ? `found-${chosen.id}` : undefined}
        placeholder={w("findHint")}
        value={text.value}
        onInput={(e) => {
          text.value = e.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={onKey}
        onBlur={(e) => {
          if (!(e.relatedTarget as HTMLElement | null)?.closest(".map-find") && !text.value) close();
        }}
      />
      {places.length > 0 && (
        <div class="map-found" id="map-found" role="listbox" aria-label={w("find")}>
          {places.map((p, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys of its list
            <div
              key={p.id}
              id={`found-${p.id}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === at.value}
              onClick={() => go(p.id)}
            >
              <strong>{p.name}</strong> <code>{p.by}</code>
            </div>
          ))}
        </div>
      )}
      {text.value.trim() && (
        <p class="map-count" role="status">
          {count > 0 ? w("found", { count: String(count) }) : w("foundNone", { text: text.value.trim() })}
        </p>
      )}
    </div>
  );
}
