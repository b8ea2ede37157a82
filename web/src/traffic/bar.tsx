import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { count } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import type { Completion } from "./checking.ts";
import * as d from "./draft.ts";
import * as filter from "./filter.ts";
import { bar } from "./focus.ts";
import { forget, keep, saved } from "./saved.ts";
import { Segments } from "./segments.tsx";
import { offsetOf, type Token, tokens } from "./tokens.ts";
import { aboutWords, faultWords, w } from "./words.ts";

/** The filter: typed with completions, coloured, refused with a place, kept as chips. */
export function FilterBar() {
  const input = useRef<HTMLInputElement>(null);
  const colours = useRef<HTMLDivElement>(null);
  const list = d.completions.value;
  const items = list?.items ?? [];
  // The completion that a keyboard stands on: of this list, and of no other.
  const stand = useSignal<{ list: typeof list; index: number }>({ list: null, index: -1 });
  const at = stand.value.list === list ? stand.value.index : -1;
  // Keys about completions that have not come, and what was typed after them.
  const held = useRef<string[]>([]);
  useEffect(() => {
    bar(input.current);
    return () => bar(null);
  }, []);
  const scroll = (): void => {
    if (colours.current && input.current) colours.current.scrollLeft = input.current.scrollLeft;
  };
  useEffect(scroll);

  const text = d.draft.value;
  const inForce = filter.asked.value ?? filter.filter.value;
  const changed = text.trim() !== inForce;
  // Who is being shown what could follow knows that something is missing.
  const fault = items.length > 0 && d.fault.value?.code === "no_value" ? null : d.fault.value;

  const take = (c: Completion): void => {
    const el = input.current;
    const list = d.completions.peek();
    if (!el || !list) return;
    const text = d.draft.peek();
    const from = offsetOf(list.text, list.from);
    // What was typed since the list came is a part of what is completed.
    const to = Math.max(from, offsetOf(list.text, list.to) + text.length - list.text.length);
    // A value is whole; after a field its value comes.
    const more = c.kind === "field" || text.slice(to).startsWith(" ") ? "" : " ";
    const next = text.slice(0, from) + c.text + more + text.slice(to);
    const caret = from + c.text.length + more.length;
    d.draft.value = next;
    d.completions.value = null;
    d.fault.value = null;
    el.value = next;
    el.setSelectionRange(caret, caret);
    el.focus();
    d.typed(next, caret, true);
  };
  const commit = (): void => {
    const text = d.draft.peek();
    d.closeCompletions();
    const wrong = d.fault.value;
    if (wrong && input.current) {
      const from = offsetOf(text, wrong.at);
      input.current.setSelectionRange(from, offsetOf(text, wrong.at + wrong.length));
      return;
    }
    filter.apply(text);
  };
  const completes = (): boolean => d.draft.peek() !== (filter.asked.peek() ?? filter.filter.peek());
  /** What a key does with the completions that are there; false: nothing. */
  const press = (key: string): boolean => {
    const list = d.completions.peek();
    const items = list?.items ?? [];
    const n = items.length;
    const was = stand.peek().list === list ? stand.peek().index : -1;
    const step = (index: number): void => {
      stand.value = { list, index: (index + n) % n };
    };
    if (key === "ArrowDown" && n > 0) step(was + 1);
    else if (key === "ArrowDown")
      d.typed(d.draft.peek(), input.current?.selectionStart ?? d.draft.peek().length, true);
    else if (key === "ArrowUp" && n > 0) step(was < 0 ? n - 1 : was - 1);
    else if (key === "Enter" && items[was]) take(items[was]);
    else if (key === "Enter") commit();
    else if (key === "Tab" && n > 0 && (was >= 0 || completes())) take(items[Math.max(0, was)]!);
    else return false;
    return true;
  };
  const type = (character: string): void => {
    const el = input.current;
    if (!el) return;
    el.setRangeText(character, el.selectionStart ?? 0, el.selectionEnd ?? 0, "end");
    d.typed(el.value, el.selectionStart ?? 0, true);
  };
  const pending = d.pending.value;
  useLayoutEffect(() => {
    for (let key = held.current[0]; key !== undefined; key = held.current[0]) {
      if (key.length > 1 && d.pending.peek()) return;
      held.current.shift();
      if (key.length === 1) type(key);
      else press(key);
    }
  }, [pending]);
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.isComposing) return;
    const asks =
      e.key === "ArrowDown" || e.key === "ArrowUp" || (e.key === "Tab" && !e.shiftKey && completes());
    const waits = held.current.length > 0;
    if (e.altKey && (e.key === "ArrowLeft" || e.key === "ArrowRight")) {
      held.current = [];
      d.restore();
      filter.step(e.key === "ArrowLeft" ? -1 : 1);
    } else if (e.altKey || e.ctrlKey || e.metaKey) return;
    else if (asks ? waits || d.pending.peek() : waits && (e.key === "Enter" || e.key.length === 1)) {
      held.current.push(e.key);
      d.hurry();
    } else {
      held.current = [];
      if (e.key === "Escape") {
        if (items.length > 0 || d.pending.peek()) d.closeCompletions();
        else {
          d.restore();
          input.current?.blur();
        }
      } else if (e.shiftKey && e.key === "Tab") return;
      else if (!press(e.key)) return;
    }
    e.preventDefault();
    e.stopPropagation();
  };
  const asks = (e: { currentTarget: HTMLInputElement }, complete: boolean): void =>
    d.typed(e.currentTarget.value, e.currentTarget.selectionStart ?? 0, complete);

  return (
    <search class="filter">
      <div class={`filter-line ${fault ? "wrong" : changed ? "changed" : inForce ? "set" : ""}`}>
        <Segments />
        <label class="filter-label" for="filter-input">
          {w("filter")} <kbd>/</kbd>
        </label>
        <div class="filter-field">
          <div class="filter-colours" ref={colours} aria-hidden="true">
            <Coloured text={text} fault={fault} />
          </div>
          <input
            id="filter-input"
            ref={input}
            type="text"
            role="combobox"
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            placeholder={w("placeholder")}
            aria-expanded={items.length > 0}
            aria-controls="filter-list"
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `filter-option-${at}` : undefined}
            aria-invalid={fault !== null}
            aria-describedby="filter-said"
            value={text}
            onInput={(e) => asks(e, true)}
            onClick={(e) => asks(e, e.currentTarget.value !== "")}
            onKeyDown={onKeyDown}
            onScroll={scroll}
            onBlur={() => {
              held.current = [];
              d.closeCompletions();
            }}
          />
          {items.length > 0 && (
            <div
              class="filter-list"
              id="filter-list"
              role="listbox"
              aria-label={w("completions")}
              // The input keeps the focus while somebody presses here.
              onPointerDown={(e) => e.preventDefault()}
            >
              {items.map((c, i) => (
                <Option
                  key={c.text}
                  completion={c}
                  field={list?.field ?? ""}
                  id={`filter-option-${i}`}
                  chosen={i === at}
                  take={() => take(c)}
                />
              ))}
            </div>
          )}
        </div>
        {text && !fault && !saved.value.includes(text.trim()) && (
          <button type="button" class="quiet-button" onClick={() => keep(text.trim())}>
            {w("save")}
          </button>
        )}
        {(text || inForce) && (
          <button
            type="button"
            class="icon"
            aria-label={w("clear")}
            title={w("clear")}
            onClick={() => {
              d.draft.value = "";
              d.fault.value = null;
              d.closeCompletions();
              filter.apply("");
            }}
          >
            <Icon name="close" />
          </button>
        )}
      </div>
      <p class="filter-said" id="filter-said" role="status">
        <Said changed={changed} fault={fault} />
      </p>
      {saved.value.length > 0 && <Chips inForce={inForce} />}
    </search>
  );
}

/** What is wrong with the draft, or what would come of it. */
function Said({ changed, fault }: { changed: boolean; fault: filter.Fault | null }) {
  if (fault) {
    const { problem, hint } = faultWords(fault);
    return (
      <>
        <b class="text-reject">{problem}</b> <span>{hint}</span>
      </>
    );
  }
  if (filter.asked.value !== null) return <>{w("applying")}</>;
  if (!changed) return null;
  const n = d.would.value;
  return (
    <>
      {w("notApplied")}
      {n && ` · ${w("seen", { count: n.matched })}`}
    </>
  );
}

function Coloured({ text, fault }: { text: string; fault: filter.Fault | null }) {
  const from = fault ? offsetOf(text, fault.at) : -1;
  const to = fault ? Math.max(from + 1, offsetOf(text, fault.at + fault.length)) : -1;
  const parts: { token: Token; wrong: boolean }[] = [];
  let at = 0;
  for (const token of tokens(text)) {
    const end = at + token.text.length;
    const cuts = [at, Math.min(end, Math.max(at, from)), Math.min(end, Math.max(at, to)), end];
    if (fault && from < end && to > at) {
      for (let i = 0; i < 3; i++) {
        const piece = text.slice(cuts[i], cuts[i + 1]);
        if (piece) parts.push({ token: { ...token, text: piece }, wrong: i === 1 });
      }
    } else parts.push({ token, wrong: false });
    at = end;
  }
  if (fault && from >= text.length) parts.push({ token: { kind: "space", text: " " }, wrong: true });
  return (
    <>
      {parts.map((p, i) => (
        <span key={i} class={`tok-${p.token.kind} ${p.wrong ? "tok-wrong" : ""}`}>
          {p.token.text}
        </span>
      ))}
    </>
  );
}

function Option({
  completion: c,
  field,
  id,
  chosen,
  take,
}: {
  completion: Completion;
  field: string;
  id: string;
  chosen: boolean;
  take: () => void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen) ref.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the combobox keeps the focus and names the active one
    // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keys
    <div ref={ref} id={id} role="option" aria-selected={chosen} class="filter-option" onClick={take}>
      <code>{c.text}</code>
      <span class="about">{aboutWords(c, field)}</span>
      <span class="num">{c.kind === "field" ? "" : count(c.count)}</span>
    </div>
  );
}

function Chips({ inForce }: { inForce: string }) {
  return (
    <ul class="filter-chips" aria-label={w("saved")}>
      {saved.value.map((text) => (
        <li key={text} class={text === inForce ? "set" : ""}>
          <button
            type="button"
            class="chip-use"
            title={w("use", { filter: text })}
            onClick={() => filter.apply(text)}
          >
            {text}
          </button>
          <button
            type="button"
            class="chip-forget"
            aria-label={w("forget", { filter: text })}
            onClick={() => forget(text)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
