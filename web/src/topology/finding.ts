import { signal } from "@preact/signals";

/** Whether the map's search is open. */
export const finding = signal(false);
