import { useEffect } from "preact/hooks";
import { followInto, go } from "../app/router.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";
import * as d from "./data.ts";
import { w } from "./words.ts";

/** All exercises, and what was reached of each. */
export function Learn() {
  useEffect(() => {
    void d.load();
  }, []);
  const list = d.exercises.value;
  return (
    <main class="screen learn" id="main">
      <header class="screen-head">
        <h2>{w("title")}</h2>
      </header>
      <p class="quiet lead">{w("lead")}</p>
      {d.failure.value && (
        <p class="alert" role="alert">
          {w("failed")} <Said text={d.failure.value} />{" "}
          <button type="button" onClick={() => void d.load()}>
            {w("retry")}
          </button>
        </p>
      )}
      {list ? (
        <ol class="exercises">
          {list.map((e) => (
            <One key={e.name} of={e} />
          ))}
        </ol>
      ) : (
        !d.failure.value && <p class="quiet">{w("loading")}</p>
      )}
      <Replace />
    </main>
  );
}

function One({ of: e }: { of: d.Exercise }) {
  const met = Math.min(d.learned.value[e.name] ?? 0, e.goals.length);
  const done = met === e.goals.length;
  const here = d.current.value === e.name;
  return (
    <li data-exercise={e.name}>
      <div>
        <h3>{d.said(e.title)}</h3>
        <p class="quiet">{d.said(e.about)}</p>
      </div>
      <div class="exercise-side">
        <span class={`reached ${done ? "good" : ""}`}>
          <Steps met={met} of={e.goals.length} />
          {done ? w("done") : w("reached", { met, of: e.goals.length })}
        </span>
        <span class="actions">
          {e.drill && (
            <a href={`/drills/${e.drill}`} onClick={(ev) => followInto(ev, "drills", [e.drill!])}>
              {w("behind")}
            </a>
          )}
          {here && (
            <button type="button" class="primary" onClick={() => go("live")}>
              {w("goOn")}
            </button>
          )}
          <button
            type="button"
            class={here ? "" : "primary"}
            disabled={d.beginning.value}
            onClick={() => void d.begin(e)}
          >
            {here || done ? w("again") : w("begin")}
          </button>
        </span>
      </div>
    </li>
  );
}

/** As many dots as there are goals, those that are reached filled. */
export function Steps({ met, of }: { met: number; of: number }) {
  return (
    <span class="goal-dots" aria-hidden="true">
      {Array.from({ length: of }, (_, i) => (
        <i key={i} class={i < met ? "met" : ""} />
      ))}
    </span>
  );
}

function Replace() {
  const e = d.asked.value;
  if (!e) return null;
  const close = (): void => {
    d.asked.value = null;
  };
  return (
    <Dialog title={d.said(e.title)} onClose={close}>
      <p>{w("replace", { title: d.said(e.title) })}</p>
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" data-autofocus onClick={close}>
          {w("cancel")}
        </button>
        <button
          type="button"
          class="danger"
          disabled={d.beginning.value}
          onClick={() => void d.begin(e, true)}
        >
          {w("replaceYes")}
        </button>
      </div>
    </Dialog>
  );
}
