import type { MoveVerdict } from "../api/types.ts";

/** An instance that an interface might move to. */
export interface Target {
  id: string;
  name: string;
  verdict?: MoveVerdict | undefined;
}

const rank = (v: MoveVerdict | undefined): number => (!v ? 1 : v.allowed ? 0 : 2);

/**
 * Those that a text finds by name or id, the allowed first, and each kind by name:
 * numbers in names count as numbers, so that web-9 is before web-10.
 */
export function targetsOf(
  all: readonly Target[],
  verdicts: ReadonlyMap<string, MoveVerdict> | null,
  text: string,
): Target[] {
  const wanted = text.trim().toLowerCase();
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  return all
    .filter((x) => !wanted || x.name.toLowerCase().includes(wanted) || x.id.includes(wanted))
    .map((x) => ({ ...x, verdict: verdicts?.get(x.id) }))
    .sort((a, b) => rank(a.verdict) - rank(b.verdict) || compare(a.name, b.name) || compare(a.id, b.id));
}
