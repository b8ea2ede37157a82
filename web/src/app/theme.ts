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

export function toggleTheme(): void {
  const next: Theme = theme.value === "light" ? "dark" : "light";
  localStorage.setItem("theme", next);
  // Before anything repaints: the canvas reads its colours from the new tokens.
  document.documentElement.dataset.theme = next;
  chosen.value = next;
}
