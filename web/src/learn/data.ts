import { computed, effect, signal } from "@preact/signals";
import { ApiError, get, post } from "../api/client.ts";
import { exerciseUnderWay } from "../app/exercise.ts";
import { go, screen } from "../app/router.ts";
import { language } from "../i18n/i18n.ts";
import { say } from "../ui/announce.ts";
import { toast } from "../ui/toast.tsx";
import * as kept from "./progress.ts";
import { w } from "./words.ts";

// What the page knows of exercises. One owner: this file writes it.

export interface Text {
  en: string;
  ko: string;
}

export interface Exercise {
  name: string;
  title: Text;
  about: Text;
  page?: string;
  drill?: string;
  goals: { name: string; goal: Text; hint: Text }[];
}

export interface Progress {
  name: string;
  state: "loading" | "underway" | "done" | "not-begun";
  met: number;
  of: number;
  saw?: string;
}

export const exercises = signal<readonly Exercise[] | null>(null);
export const failure = signal("");
/** The most goals reached of each, in this browser. */
export const learned = signal(kept.load());
/** The exercise under way here, by name; "": none. */
export const current = signal(kept.loadCurrent());
export const progress = signal<Progress | null>(null);
/** The exercise whose beginning would lose a laboratory. */
export const asked = signal<Exercise | null>(null);
export const beginning = signal(false);

export const exercise = computed(() => exercises.value?.find((e) => e.name === current.value) ?? null);

const lookEveryMs = 1000;

/** A text in the page's language. */
export const said = (text: Text): string => text[language.value];

export async function load(): Promise<void> {
  if (exercises.value) return;
  try {
    exercises.value = (await get<{ items: Exercise[] }>("/exercises")).items;
    failure.value = "";
  } catch (err) {
    failure.value = err instanceof Error ? err.message : String(err);
  }
}

/** Begins an exercise, and goes to where it is done. */
export async function begin(e: Exercise, force = false): Promise<void> {
  beginning.value = true;
  failure.value = "";
  try {
    progress.value = await post<Progress>(`/exercises/${e.name}/begin`, { force });
    asked.value = null;
    enter(e.name);
    go("live");
  } catch (err) {
    if (err instanceof ApiError && err.status === 409 && !force) asked.value = e;
    else failure.value = err instanceof Error ? err.message : String(err);
  } finally {
    beginning.value = false;
  }
}

export function enter(name: string): void {
  if (name !== current.value) progress.value = progress.value?.name === name ? progress.value : null;
  current.value = name;
  kept.storeCurrent(name);
  exerciseUnderWay.value = name !== "";
}

export const leave = (): void => enter("");

/** Takes in a look at the server, and says what is new in it. */
function take(p: Progress): void {
  const e = exercise.value;
  const before = progress.value;
  progress.value = p;
  const more = kept.withMet(learned.value, p.name, p.met);
  if (more !== learned.value) {
    learned.value = more;
    kept.store(more);
  }
  if (!e || !before || before.name !== p.name || p.met <= before.met) return;
  const goal = e.goals[p.met - 1];
  const text =
    p.met === p.of ? w("allReached") : goal ? w("goalReached", { goal: said(goal.goal) }) : w("allReached");
  toast(text);
  say(text);
}

/** Looks at the server while an exercise is under way and the page is seen; returns the way to stop. */
export function watch(): () => void {
  let over = false;
  let timer = 0;
  const look = async (): Promise<void> => {
    const name = current.value;
    if (name && document.visibilityState === "visible" && screen.value === "live") {
      try {
        await load();
        const p = await get<Progress>(`/exercises/${encodeURIComponent(name)}/progress`);
        if (!over && name === current.value) take(p);
      } catch (err) {
        // Gone for good: it was of another version of the server. All else passes.
        if (err instanceof ApiError && err.status === 404) leave();
      }
    }
    if (!over) timer = window.setTimeout(() => void look(), lookEveryMs);
  };
  const stop = effect(() => {
    // A name that has come is looked at without delay.
    if (!current.value) return;
    clearTimeout(timer);
    void look();
  });
  return () => {
    over = true;
    clearTimeout(timer);
    stop();
  };
}
