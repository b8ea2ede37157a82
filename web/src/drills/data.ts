import { signal } from "@preact/signals";
import { del, get, post } from "../api/client.ts";
import { act } from "../app/drill.ts";
import { go } from "../app/router.ts";
import { t } from "../i18n/i18n.ts";
import { say } from "../ui/announce.ts";
import { toastError } from "../ui/toast.tsx";
import type { Drill, Picture, Place, Trial, WholeDrill } from "./types.ts";

// What the screen knows of drills and trials. One owner: this file writes it.

export const drills = signal<Drill[] | null>(null);
export const trials = signal<Trial[]>([]);
export const failure = signal("");

/** The trial that the screen shows, its pictures, and what is wrong with it. */
export const shown = signal<{ trial: Trial; pictures: Picture[] } | null>(null);
export const shownFailure = signal("");

const waitSeconds = 5;
const retryMs = 1000;

export async function load(): Promise<void> {
  try {
    const [d, x] = await Promise.all([
      drills.value ? null : get<{ items: Drill[] }>("/drills?limit=1000"),
      get<{ items: Trial[] }>("/trials?limit=1000"),
    ]);
    if (d) drills.value = d.items;
    trials.value = x.items;
    failure.value = "";
  } catch (err) {
    failure.value = err instanceof Error ? err.message : String(err);
  }
}

export const whole = (name: string): Promise<WholeDrill> =>
  get<WholeDrill>(`/drills/${encodeURIComponent(name)}`);

/** What a trial is asked for. */
export interface Asked {
  drill: string;
  in: Place;
  runs: number;
  seed: number;
  strategies: string[];
  timing: "fast" | "aws";
  force?: boolean;
}

/** Begins a trial and goes to it; the refusal is the caller's to show. */
export async function start(asked: Asked): Promise<void> {
  const x = await post<Trial>("/trials", asked);
  await load();
  say(t("trial.begun", { name: asked.drill }));
  go("drills", [asked.drill, x.id]);
}

export function stop(id: string): void {
  void act(`stop:${id}`, () => post(`/trials/${id}/stop`));
}

export function forget(x: Trial): void {
  void act(`forget:${x.id}`, async () => {
    await del(`/trials/${x.id}`);
    await load();
    if (shown.value?.trial.id === x.id) go("drills", [x.drill]);
  });
}

const picturesOf = async (id: string, other = ""): Promise<Picture[]> =>
  (await get<{ pictures: Picture[] }>(`/trials/${id}/pictures${other ? `?with=${other}` : ""}`)).pictures;

/** Shows a trial and follows it until it has ended; returns the way to stop. */
export function followTrial(id: string): () => void {
  let over = false;
  const run = async (): Promise<void> => {
    let known = -1;
    while (!over) {
      try {
        const query = known < 0 ? "" : `?wait=${waitSeconds}&done=${known}`;
        const trial = await get<Trial>(`/trials/${id}${query}`);
        const pictures = await picturesOf(id);
        if (over) return;
        const before = shown.value?.trial;
        shown.value = { trial, pictures };
        shownFailure.value = "";
        if (trial.state !== "running") {
          if (before?.id === id && before.state === "running" && trial.verdict) {
            say(t("trial.ended", { verdict: t(`verdict.of.${trial.verdict}`) }), true);
          }
          void load();
          return;
        }
        known = trial.done;
      } catch (err) {
        if (over) return;
        shownFailure.value = err instanceof Error ? err.message : String(err);
        // Gone for good, or a server that starts anew.
        if ((err as { status?: number }).status === 404) return;
        await new Promise((done) => setTimeout(done, retryMs));
      }
    }
  };
  if (shown.value?.trial.id !== id) shown.value = null;
  shownFailure.value = "";
  void run();
  return () => {
    over = true;
  };
}

/** Another trial beside the one that is shown, for comparing. */
export async function beside(
  id: string,
  other: string,
): Promise<{ trial: Trial; pictures: Picture[] } | null> {
  try {
    const [trial, pictures] = await Promise.all([get<Trial>(`/trials/${other}`), picturesOf(id, other)]);
    return { trial, pictures };
  } catch (err) {
    toastError(err);
    return null;
  }
}
