import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { paletteOpen } from "../app/palette-open.ts";
import { count, language } from "../i18n/i18n.ts";
import { entries, scenarios } from "./commands.ts";
import { type Entry, search } from "./search.ts";
import { w } from "./words.ts";

const most = 50;

/** Finds screens, resources and actions by their words; the ARIA pattern of a combobox with a list. */
export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const text = useSignal("");
  const at = useSignal(0);
  const loads = useSignal<readonly Entry[]>([]);
  // What there is when it is opened: a list that changes under the arrow keys runs another line.
  const fixed = useMemo(entries, [language.value]);
  const all = useMemo(() => [...fixed, ...loads.value], [fixed, loads.value]);
  const { found, total } = useMemo(() => search(all, text.value, most), [all, text.value]);
  const current = Math.min(at.value, found.length - 1);

  useEffect(() => {
    const d = dialog.current!;
    d.showModal();
    scenarios().then(
      (more) => {
        loads.value = more;
      },
      () => undefined, // without a server there is nothing to load
    );
    return () => d.close();
  }, []);
  useEffect(() => {
    document.getElementById(`palette-${current}`)?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const close = (): void => {
    paletteOpen.value = false;
  };
  const run = (e: Entry | undefined): void => {
    if (!e) return;
    close();
    e.run();
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    // While an input method composes, its keys are its own.
    if (e.isComposing) return;
    const last = found.length - 1;
    const to = {
      ArrowDown: current >= last ? 0 : current + 1,
      ArrowUp: current <= 0 ? last : current - 1,
      PageDown: Math.min(last, current + 10),
      PageUp: Math.max(0, current - 10),
    }[e.key];
    if (to !== undefined) at.value = to;
    else if (e.key === "Enter") run(found[current]);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const said =
    found.length === 0
      ? w("none")
      : total > found.length
        ? w("foundCut", { count: count(total), shown: count(found.length) })
        : w("found", { count: count(total) });
  return (
    <dialog
      ref={dialog}
      class="command-palette"
      aria-label={w("title")}
      onCancel={(e) => {
        e.preventDefault();
        close();
      }}
      onPointerDown={(e) => {
        if (e.target === dialog.current) close();
      }}
    >
      <div class="palette-body">
        <input
          type="text"
          role="combobox"
          aria-label={w("field")}
          aria-expanded="true"
          aria-controls="palette-list"
          aria-autocomplete="list"
          aria-activedescendant={current >= 0 ? `palette-${current}` : undefined}
          placeholder={w("placeholder")}
          autocomplete="off"
          spellcheck={false}
          maxLength={200}
          value={text.value}
          onInput={(e) => {
            text.value = e.currentTarget.value;
            at.value = 0;
          }}
          onKeyDown={onKeyDown}
          autofocus
        />
        <div id="palette-list" class="palette-list" role="listbox" aria-label={w("list")}>
          {found.map((e, i) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the field has keys and focus, as in every combobox
            <div
              key={`${e.group} ${e.label} ${e.detail}`}
              id={`palette-${i}`}
              role="option"
              aria-selected={i === current}
              onPointerMove={() => {
                at.value = i;
              }}
              onClick={() => run(e)}
            >
              <span class="palette-group">{e.group}</span>
              <span class="palette-label">{e.label}</span>
              <span class="palette-detail">{e.detail}</span>
              {e.keys && <kbd>{e.keys}</kbd>}
            </div>
          ))}
        </div>
        <p class="palette-foot">
          <span role="status">{said}</span>
          <span class="quiet">{w("hint")}</span>
        </p>
      </div>
    </dialog>
  );
}
