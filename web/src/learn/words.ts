import { language } from "../i18n/i18n.ts";
import { learnKo } from "./words-ko.ts";

// English words of the exercises, which are fetched when they are first opened.
const learnEn = {
  title: "Learn",
  lead: "Exercises in a laboratory of your own. Each goal is looked at by the server, in packets and state; how you reach it is up to you. What you have reached is kept in this browser.",
  loading: "Fetching the exercises…",
  failed: "The exercises could not be fetched.",
  retry: "Try again",
  begin: "Begin",
  again: "Begin anew",
  goOn: "Go on",
  reached: "{met} of {of} goals",
  done: "done",
  replace:
    "Beginning “{title}” puts another laboratory in the place of this one. What is here is lost, assertions too.",
  replaceYes: "Replace and begin",
  cancel: "Cancel",
  coach: "Exercise",
  goals: "Goals",
  isReached: "reached",
  isNext: "next",
  isLater: "later",
  hint: "Hint",
  seen: "Seen so far",
  behind: "What is behind it",
  end: "Leave the exercise",
  fold: "Fold the exercise",
  unfold: "Unfold the exercise",
  lost: "The server has been started anew, or another exercise was begun: what had been reached is kept, but this one has to be begun anew.",
  preparing: "The laboratory of the exercise is being made…",
  goalReached: "Goal reached: {goal}",
  allReached: "All goals are reached.",
  all: "All exercises",
  next: "Next exercise",
} as const;

export type LearnKey = keyof typeof learnEn;
export type LearnWords = Readonly<Record<LearnKey, string>>;

/** A word of the exercises in the page's language, placeholders filled. */
export function w(key: LearnKey, values: Record<string, string | number> = {}): string {
  const text: string = (language.value === "ko" ? learnKo : learnEn)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
