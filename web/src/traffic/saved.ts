import { signal } from "@preact/signals";

// Filters that somebody keeps, in the browser.

const key = "filters.kept";
const most = 20;

function read(): string[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(all) ? all.filter((x) => typeof x === "string").slice(0, most) : [];
  } catch {
    return [];
  }
}

export const saved = signal<readonly string[]>(read());

function write(all: readonly string[]): void {
  saved.value = all;
  try {
    localStorage.setItem(key, JSON.stringify(all));
  } catch {
    // They are kept for this page only.
  }
}

export const keep = (text: string): void =>
  write([text, ...saved.value.filter((x) => x !== text)].slice(0, most));

export const forget = (text: string): void => write(saved.value.filter((x) => x !== text));
