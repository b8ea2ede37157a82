import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, url } from "../api/client.ts";
import { regionShown } from "../app/view.ts";
import { Said } from "../ui/said.tsx";
import { toastError } from "../ui/toast.tsx";
import { openForm } from "./form.ts";
import { kinds } from "./kinds.ts";
import { loading, loadScenario, problem, showHere } from "./load.ts";
import { placeOf } from "./model.ts";
import { w } from "./words.ts";

// A laboratory as a scenario: saved, loaded, and begun with.

interface Shipped {
  name: string;
  description: string;
  drill: boolean;
}

const shipped = signal<readonly Shipped[]>([]);

const saved = (): string => url(`/scenario?region=${encodeURIComponent(regionShown.value)}`);

async function save(): Promise<void> {
  try {
    const response = await fetch(saved());
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = "enilab.yaml";
    link.click();
    URL.revokeObjectURL(link.href);
  } catch (err) {
    toastError(err);
  }
}

export function Files() {
  const choose = (e: Event & { currentTarget: HTMLInputElement }): void => {
    const input = e.currentTarget;
    const file = input.files?.[0];
    if (!file) return;
    void file.text().then((text) => loadScenario({ name: file.name, text }, showHere));
    input.value = "";
  };
  return (
    <section class="build-files">
      <h3>{w("file")}</h3>
      <div class="actions">
        <button type="button" onClick={() => void save()}>
          {w("saveFile")}
        </button>
        <label class="button">
          {w("loadFile")}
          <input class="hidden" type="file" accept=".yaml,.yml" disabled={loading.value} onChange={choose} />
        </label>
      </div>
      <Problem />
    </section>
  );
}

function Problem() {
  if (!problem.value) return null;
  return (
    <pre class="alert scenario-problem" role="alert">
      <Said text={problem.value} />
    </pre>
  );
}

/** What an empty laboratory offers. */
export function EmptyLab() {
  useEffect(() => {
    get<{ items: Shipped[] }>("/scenarios").then(
      (a) => {
        shipped.value = a.items;
      },
      () => undefined, // the demo and an own one can be had without the list
    );
  }, []);
  return (
    <div class="empty-card over empty-lab">
      <strong>{w("emptyTitle")}</strong>
      <p>{w("emptyHint")}</p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          disabled={loading.value}
          onClick={() => void loadScenario({ name: "demo" }, showHere)}
        >
          {w("demo")}
        </button>
        <button type="button" onClick={() => openForm(kinds.vpc, placeOf(""))}>
          {w("own")}
        </button>
      </div>
      <Problem />
      <details>
        <summary>{w("others")}</summary>
        <ul>
          {shipped.value
            .filter((s) => s.name !== "demo")
            .map((s) => (
              <li key={s.name}>
                <button
                  type="button"
                  class="link"
                  disabled={loading.value}
                  onClick={() => void loadScenario({ name: s.name }, showHere)}
                >
                  {s.name}
                </button>{" "}
                <span class="quiet" lang="en">
                  {s.description}
                </span>
              </li>
            ))}
        </ul>
      </details>
    </div>
  );
}
