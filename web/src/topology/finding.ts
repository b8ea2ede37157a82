import { signal } from "@preact/signals";

/** Whether the map's search is open. */
export const finding = signal(false);

/** What is sought. It is typed here until the search's code is there and its field has the focus. */
export const sought = signal("");

/** Takes a key that is typed before the search's field is there; false: it is not one of the search's. */
export function typeAhead(key: string): boolean {
  if (!finding.value || document.querySelector(".map-find")) return false;
  if (key === "Escape") {
    finding.value = false;
    sought.value = "";
  } else if (key === "Backspace") sought.value = sought.value.slice(0, -1);
  else if (key.length === 1) sought.value += key;
  else return false;
  return true;
}
