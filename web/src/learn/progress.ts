// What a learner has reached, kept in the browser: the most goals of each exercise.

const key = "enilab-learned";

export type Learned = Readonly<Record<string, number>>;

/** What is kept; anything that is not understood counts as nothing. */
export function readLearned(text: string | null): Learned {
  try {
    const kept: unknown = JSON.parse(text ?? "{}");
    if (typeof kept !== "object" || kept === null || Array.isArray(kept)) return {};
    return Object.fromEntries(
      Object.entries(kept).filter(([, n]) => Number.isInteger(n) && (n as number) > 0),
    );
  } catch {
    return {};
  }
}

/** With a look at the server: what was reached before is not lost by beginning anew. */
export function withMet(kept: Learned, name: string, met: number): Learned {
  return met > (kept[name] ?? 0) ? { ...kept, [name]: met } : kept;
}

export const load = (): Learned => readLearned(localStorage.getItem(key));

export const store = (kept: Learned): void => localStorage.setItem(key, JSON.stringify(kept));

const current = "enilab-exercise";

/** The exercise under way in this browser; "": none. */
export const loadCurrent = (): string => localStorage.getItem(current) ?? "";

export function storeCurrent(name: string): void {
  if (name) localStorage.setItem(current, name);
  else localStorage.removeItem(current);
}
