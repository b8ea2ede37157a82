import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { followInto } from "../app/router.ts";
import { Icon } from "../ui/icons.tsx";
import * as d from "./data.ts";
import { Steps } from "./screen.tsx";
import { w } from "./words.ts";

const folded = signal(false);

/** The exercise under way, beside the map: its goals, a hint, and what is seen. */
export function Coach() {
  useEffect(d.watch, []);
  const e = d.exercise.value;
  if (!e) return null;
  const p = d.progress.value;
  const met = p?.met ?? 0;
  return (
    <aside class={`coach ${folded.value ? "folded" : ""}`} aria-label={w("coach")}>
      <header>
        <h2>{d.said(e.title)}</h2>
        <Steps met={met} of={e.goals.length} />
        <span class="hidden">{w("reached", { met, of: e.goals.length })}</span>
        <button
          type="button"
          class="icon"
          aria-expanded={!folded.value}
          aria-label={w(folded.value ? "unfold" : "fold")}
          title={w(folded.value ? "unfold" : "fold")}
          onClick={() => {
            folded.value = !folded.value;
          }}
        >
          <Icon name={folded.value ? "plus" : "minus"} />
        </button>
        <button type="button" class="icon" aria-label={w("end")} title={w("end")} onClick={d.leave}>
          <Icon name="close" />
        </button>
      </header>
      {!folded.value && <Body of={e} progress={p} />}
    </aside>
  );
}

function Body({ of: e, progress: p }: { of: d.Exercise; progress: d.Progress | null }) {
  if (p?.state === "not-begun") {
    return (
      <>
        <p>{w("lost")}</p>
        <div class="actions">
          <button
            type="button"
            class="primary"
            disabled={d.beginning.value}
            onClick={() => void d.begin(e, true)}
          >
            {w("again")}
          </button>
        </div>
      </>
    );
  }
  if (!p || p.state === "loading") return <p class="quiet">{w("preparing")}</p>;
  return (
    <>
      <ol class="goals" aria-label={w("goals")}>
        {e.goals.map((g, i) => {
          const state = i < p.met ? "isReached" : i === p.met ? "isNext" : "isLater";
          return (
            <li key={g.name} class={state} aria-current={state === "isNext" ? "step" : undefined}>
              <span class="goal-mark" aria-hidden="true">
                {state === "isReached" ? "✓" : state === "isNext" ? "▸" : "○"}
              </span>
              <div>
                <span class="hidden">{w(state)}: </span>
                {d.said(g.goal)}
                {state === "isNext" && (
                  <details key={g.name}>
                    <summary>{w("hint")}</summary>
                    <p>{d.said(g.hint)}</p>
                    {p.saw && (
                      <p class="quiet small">
                        {w("seen")}: <span lang="en">{p.saw}</span>
                      </p>
                    )}
                  </details>
                )}
              </div>
            </li>
          );
        })}
      </ol>
      {p.state === "done" && <Done of={e} />}
    </>
  );
}

function Done({ of: e }: { of: d.Exercise }) {
  const all = d.exercises.value ?? [];
  const next = all[all.indexOf(e) + 1];
  return (
    <>
      <p class="good">
        <strong>{w("allReached")}</strong>
      </p>
      <div class="actions">
        {e.drill && (
          <a href={`/drills/${e.drill}`} onClick={(ev) => followInto(ev, "drills", [e.drill!])}>
            {w("behind")}
          </a>
        )}
        <a href="/learn" onClick={(ev) => followInto(ev, "learn", [])}>
          {w("all")}
        </a>
        {next && (
          <button
            type="button"
            class="primary"
            disabled={d.beginning.value}
            onClick={() => void d.begin(next, true)}
          >
            {w("next")}
          </button>
        )}
      </div>
    </>
  );
}
