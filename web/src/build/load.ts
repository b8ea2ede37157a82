import { signal } from "@preact/signals";
import { ApiError, put } from "../api/client.ts";
import { changed } from "../app/session.ts";
import { say } from "../ui/announce.ts";
import { ask } from "../ui/ask.tsx";
import { toast, toastError } from "../ui/toast.tsx";
import { w } from "./words.ts";

// Scenarios put in the place of what there is.

export interface Load {
  name?: string;
  text?: string;
  force?: boolean;
}

export const loading = signal(false);
/** What the server said of the last one, where there is a place to show it. */
export const problem = signal("");

/**
 * Loads a scenario. The server reads it before it looks at what it would replace: what
 * is no scenario is said at once, and only one that can be loaded leads to the question.
 */
export async function loadScenario(what: Load, show: (err: unknown) => void = toastError): Promise<void> {
  if (loading.value) return;
  loading.value = true;
  problem.value = "";
  try {
    const done = await put<{ name: string; state: string }>("/scenario", what);
    const text = w(done.state === "loading" ? "loading" : "loaded", { name: done.name });
    toast(text);
    say(text);
  } catch (err) {
    if (err instanceof ApiError && err.status === 409 && !what.force)
      ask({
        title: w("loadFile"),
        text: w("notEmpty"),
        yes: w("replace"),
        run: () => loadScenario({ ...what, force: true }, show),
      });
    else show(err);
  } finally {
    loading.value = false;
    changed();
  }
}

/** Shows a refusal beside the buttons. */
export const showHere = (err: unknown): void => {
  problem.value = err instanceof Error ? err.message : String(err);
};
