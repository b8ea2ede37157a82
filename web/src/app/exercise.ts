import { signal } from "@preact/signals";

/** Whether an exercise is under way in this browser: its code is fetched only then. */
export const exerciseUnderWay = signal(Boolean(localStorage.getItem("enilab-exercise")));
