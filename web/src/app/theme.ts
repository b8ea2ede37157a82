import { computed, signal } from "@preact/signals";

type Theme = "light" | "dark";

const preferred = matchMedia("(prefers-color-scheme: light)");
const system = signal<Theme>(preferred.matches ? "light" : "dark");
preferred.addEventListener("change", () => {
  system.value = preferred.matches ? "light" : "dark";
});

const stored = localStorage.getItem("theme");
const chosen = signal<Theme | "">(stored === "light" || stored === "dark" ? stored : "");

/** The theme in force: a person's choice, else the system's. */
export const theme = computed<Theme>(() => chosen.value || system.value);

/** A person's choice; "": the system's. */
export const chosenTheme = computed(() => chosen.value);

export function chooseTheme(next: Theme | ""): void {
  if (next) localStorage.setItem("theme", next);
  else localStorage.removeItem("theme");
  // Before anything repaints: the canvas reads its colours from the new tokens.
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  chosen.value = next;
}

export const toggleTheme = (): void => chooseTheme(theme.value === "light" ? "dark" : "light");
