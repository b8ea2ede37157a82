import type { Topology } from "./types.ts";

// Names are others' text. What would turn the words around it about, or is not seen at
// all, becomes a mark; and one that is longer than any screen is cut.

const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const suspect = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const longest = 128;

/** Text of others as one line of what is shown: as the command line prints it. */
export function plain(text: string, most = longest): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return suspect.test(cut) ? cut.replace(unseen, "?") : cut;
}

interface Named {
  id?: string;
  name?: string;
  tags?: Record<string, string>;
}

/** Makes the names of what was read fit to be shown, in place. */
export function plainNames(t: Topology): void {
  for (const list of Object.values(t) as unknown[]) {
    if (!Array.isArray(list)) continue;
    for (const x of list as Named[]) {
      if (typeof x?.name === "string" && x.name !== plain(x.name)) x.name = plain(x.name);
      const tag = x?.tags?.Name;
      if (typeof tag !== "string" || tag === plain(tag)) continue;
      x.tags!.Name = plain(tag);
      if (x.id) written.set(x.id, tag);
    }
  }
}

/** Name tags that are shown otherwise than they are, by resource. */
const written = new Map<string, string>();

/** Whether a name is the one that is shown of a resource, so that saving it would only lose what is not shown. */
export const isShownName = (id: string, name: string): boolean => {
  const is = written.get(id);
  return is !== undefined && plain(is) === name;
};
