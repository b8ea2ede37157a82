import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import * as state from "../app/state.ts";
import { count, short, t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import {
  columnIds,
  columns,
  heading,
  move,
  relative,
  reset,
  resize,
  setRelative,
  shows,
  toggle,
} from "./columns.ts";
import * as filter from "./filter.ts";
import { following, followNewest, togglePause } from "./follow.ts";
import { withEni } from "./terms.ts";
import { w } from "./words.ts";

/** What share is shown, columns, pause. */
export function Tools({ newer }: { newer: number }) {
  const paused = state.packetsPaused.value;
  const selected = state.enisById.value.get(state.selection.value);
  const now = filter.asked.value ?? filter.filter.value;
  return (
    <div class="tools">
      {selected && (
        <label class="check-row">
          <input
            type="checkbox"
            checked={withEni.of(now) === selected.id}
            onChange={(e) => filter.apply(withEni.set(now, e.currentTarget.checked ? selected.id : ""))}
          />
          {t("packets.onlySelected", { name: state.eniName(selected) })}
        </label>
      )}
      <span class="spacer" />
      {!following.value && newer > 0 && (
        <button type="button" class="pill" onClick={followNewest}>
          {t("packets.newer", { count: newer })} <kbd>L</kbd>
        </button>
      )}
      <SampleNotice />
      <ColumnsMenu />
      <button type="button" aria-pressed={paused} onClick={togglePause}>
        {paused ? t("packets.resume") : t("packets.pause")} <kbd>Space</kbd>
      </button>
    </div>
  );
}

/** What share of the traffic the rows are; the rate itself is always exact. */
function SampleNotice() {
  const r = state.rates.value;
  const rate = short(r.accept + r.reject + r.lost + r.control);
  const m = filter.matches.value;
  if (filter.filter.value) {
    const share = !m || m.factor <= 1 ? w("allShown") : w("someShown", { factor: count(m.factor) });
    const matching = m ? (m.partly ? "≥ " : "") + short(m.perSecond) : "…";
    return (
      <span class="notice" title={m?.partly ? w("partly") : undefined}>
        {w("matching", { rate, matching, share })}
      </span>
    );
  }
  const { shown: rows, skipped } = state.sampling.value;
  const factor = Math.max(state.reducedFactor.value, rows > 0 ? Math.round((rows + skipped) / rows) : 1);
  return (
    <span class="notice">
      {factor > 1
        ? t("packets.sampleSome", { factor: count(factor), rate })
        : t("packets.sampleAll", { rate })}
    </span>
  );
}

/** Which columns, in which order, how wide, and how times are told. */
function ColumnsMenu() {
  const open = useSignal(false);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open.value) return;
    ref.current?.querySelector<HTMLElement>("input")?.focus();
    const away = (e: PointerEvent): void => {
      if (!ref.current?.parentElement?.contains(e.target as Node)) open.value = false;
    };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [open.value]);
  const order = [...columns.value.map((c) => c.id), ...columnIds.filter((id) => !shows(id))];
  const width = (id: string): number => columns.value.find((c) => c.id === id)?.width ?? 0;
  return (
    <div class="columns-menu">
      <button
        type="button"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        {w("columns")}
      </button>
      {open.value && (
        <div
          ref={ref}
          class="popover"
          role="dialog"
          aria-label={w("columns")}
          onKeyDown={(e) => {
            if (e.key !== "Escape") return;
            e.stopPropagation();
            open.value = false;
            (e.currentTarget.previousElementSibling as HTMLElement).focus();
          }}
        >
          <label class="check-row">
            <input
              type="checkbox"
              checked={relative.value}
              onChange={(e) => setRelative(e.currentTarget.checked)}
            />
            {w("relative")}
          </label>
          <ul>
            {order.map((id) => (
              <li key={id}>
                <label class="check-row">
                  <input type="checkbox" checked={shows(id)} onChange={() => toggle(id)} />
                  {t(heading(id))}
                </label>
                {shows(id) && (
                  <>
                    <input
                      type="number"
                      min={36}
                      max={600}
                      step={4}
                      value={width(id)}
                      aria-label={w("widthOf", { name: t(heading(id)) })}
                      onChange={(e) => resize(id, Number(e.currentTarget.value) || width(id))}
                    />
                    <button
                      type="button"
                      class="icon"
                      aria-label={w("earlier", { name: t(heading(id)) })}
                      onClick={() => move(id, -1)}
                    >
                      <span aria-hidden="true">↑</span>
                    </button>
                    <button
                      type="button"
                      class="icon"
                      aria-label={w("later", { name: t(heading(id)) })}
                      onClick={() => move(id, 1)}
                    >
                      <span aria-hidden="true">↓</span>
                    </button>
                  </>
                )}
              </li>
            ))}
          </ul>
          <button type="button" onClick={reset}>
            <Icon name="back" /> {w("standard")}
          </button>
        </div>
      )}
    </div>
  );
}
