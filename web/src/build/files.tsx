import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, get, put, url } from "../api/client.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { regionShown } from "../app/view.ts";
import { say } from "../ui/announce.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";
import { toast, toastError } from "../ui/toast.tsx";
import { openForm } from "./form.ts";
import { kinds } from "./kinds.ts";
import { placeOf } from "./model.ts";
import { w } from "./words.ts";

// A laboratory as a scenario: saved, loaded, and begun with.

interface Shipped {
  name: string;
  description: string;
  drill: boolean;
}

interface Load {
  name?: string;
  text?: string;
  force?: boolean;
}

const shipped = signal<readonly Shipped[]>([]);
const loading = signal(false);
const problem = signal("");
/** What was asked for in a laboratory that is not empty. */
const asked = signal<Load | null>(null);

/** Whether loading something would lose nothing. */
const isEmpty = (): boolean => {
  const t = state.topology.value;
  return (
    !t || (t.instances.length === 0 && t.vpcs.every((v) => v.default) && (t.internetHosts ?? []).length === 0)
  );
};

async function load(what: Load): Promise<void> {
  if (!what.force && !isEmpty()) {
    asked.value = what;
    return;
  }
  loading.value = true;
  problem.value = "";
  try {
    const done = await put<{ name: string; state: string }>("/scenario", what);
    const text = w(done.state === "loading" ? "loading" : "loaded", { name: done.name });
    toast(text);
    say(text);
    asked.value = null;
  } catch (err) {
    if (err instanceof ApiError && err.status === 409 && !what.force) asked.value = what;
    else problem.value = err instanceof Error ? err.message : String(err);
  } finally {
    loading.value = false;
    changed();
  }
}

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
    void file.text().then((text) => load({ name: file.name, text }));
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
      <Replace />
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

function Replace() {
  const what = asked.value;
  if (!what) return null;
  const close = (): void => {
    asked.value = null;
  };
  return (
    <Dialog title={w("loadFile")} onClose={close}>
      <p>{w("notEmpty")}</p>
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" data-autofocus onClick={close}>
          {w("cancel")}
        </button>
        <button
          type="button"
          class="danger"
          disabled={loading.value}
          onClick={() => void load({ ...what, force: true })}
        >
          {w("replace")}
        </button>
      </div>
    </Dialog>
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
          onClick={() => void load({ name: "demo" })}
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
                  onClick={() => void load({ name: s.name })}
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
