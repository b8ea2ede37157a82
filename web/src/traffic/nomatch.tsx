import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { post } from "../api/client.ts";
import { count } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import type { Check } from "./checking.ts";
import * as filter from "./filter.ts";
import { without } from "./terms.ts";
import { w } from "./words.ts";

const againMs = 2000;

/** Nothing matches: what each condition would let through by itself, and a way to leave it out. */
export function NoMatch() {
  const check = useSignal<Check | null>(null);
  const text = filter.filter.value;
  useEffect(() => {
    let over = false;
    const look = async (): Promise<void> => {
      try {
        const c = await post<Check>("/filters/check", { filter: text });
        if (!over) check.value = c;
      } catch {
        // The banner says that there is no server.
      }
    };
    void look();
    const timer = setInterval(() => void look(), againMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [text]);
  const c = check.value;
  const characters = [...text];
  return (
    <div class="grid-empty no-match">
      <strong>{w("noMatch", { count: c ? count(c.records) : "…" })}</strong>
      {c?.valid && c.filter === text && (
        <ul>
          {c.terms.map((term) => {
            const own = characters.slice(term.at, term.at + term.length).join("");
            return (
              <li key={term.at}>
                <code>{own}</code>
                <span class={term.matched === 0 ? "text-lost" : ""}>
                  {w("byItself", { count: count(term.matched) })}
                </span>
                <button
                  type="button"
                  class="icon"
                  aria-label={w("leaveOut", { term: own })}
                  title={w("leaveOut", { term: own })}
                  onClick={() => filter.apply(without(text, term.at, term.length))}
                >
                  <Icon name="close" />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <button type="button" onClick={() => filter.apply("")}>
        {w("clear")}
      </button>
    </div>
  );
}
