// What the palette finds, and in which order; pure, so that tests hold it.

export interface Entry {
  /** The heading under which it stands. */
  group: string;
  label: string;
  detail: string;
  keys?: string;
  run: () => unknown;
  /** What is searched: label and detail, and words of the other language. */
  hay: string;
  /** The label as it is searched. */
  low: string;
}

export const entry = (e: Omit<Entry, "hay" | "low">, also = ""): Entry => ({
  ...e,
  low: e.label.toLowerCase(),
  hay: `${e.label} ${e.detail} ${also}`.toLowerCase().normalize("NFC"),
});

/** How well an entry fits one word: 0 is best, -1 not at all. */
function distance(e: Entry, word: string): number {
  // Most have not even this: of 100,000 it has to be said quickly.
  if (!e.hay.includes(word)) return -1;
  const label = e.low;
  if (label === word || e.detail === word) return 0;
  const at = label.indexOf(word);
  if (at < 0) return 4;
  if (at === 0) return 1;
  return /[\p{L}\p{N}]/u.test(label[at - 1]!) ? 3 : 2;
}

/**
 * The entries that have every word, the best first and otherwise in their own order,
 * at most so many; and how many there are.
 */
export function search(
  entries: readonly Entry[],
  text: string,
  most: number,
): { found: Entry[]; total: number } {
  const words = text.toLowerCase().normalize("NFC").split(/\s+/).filter(Boolean);
  if (words.length === 0) return { found: entries.slice(0, most), total: entries.length };
  const ranks: Entry[][] = [];
  let total = 0;
  next: for (const e of entries) {
    let rank = 0;
    for (const word of words) {
      const f = distance(e, word);
      if (f < 0) continue next;
      rank += f;
    }
    total++;
    ranks[rank] ??= [];
    const of = ranks[rank]!;
    if (of.length < most) of.push(e);
  }
  return { found: ranks.flat().slice(0, most), total };
}
