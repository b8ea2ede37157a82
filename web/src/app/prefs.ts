import { effect, type Signal, signal } from "@preact/signals";

// What a person has chosen for this browser; it outlives the page.

function remembered(key: string, start: boolean): Signal<boolean> {
  const stored = localStorage.getItem(key);
  const s = signal(stored === null ? start : stored === "yes");
  let first = true;
  effect(() => {
    const now = s.value ? "yes" : "no";
    if (!first) localStorage.setItem(key, now);
    first = false;
  });
  return s;
}

/** Keys of one character are off, for who speaks to the computer or mistypes (WCAG 2.1.4). */
export const lettersOff = remembered("lettersOff", false);
/** Nothing moves, whatever the system says. */
export const motionOff = remembered("motionOff", false);
/** What one could do after the first failover is known. */
export const nextDismissed = remembered("nextDismissed", false);

effect(() => {
  document.documentElement.dataset.motion = motionOff.value ? "off" : "on";
});
