// What is typed into the settings' forms, and what of it is sent.

export type Values = Readonly<Record<string, string>>;

export interface Field {
  name: string;
  label: string;
  kind: "text" | "number" | "select";
  options?: readonly { value: string; label: string }[];
  shown?: (v: Values) => boolean;
}

/** The number in a field: undefined if it is empty, null if there is something else in it. */
export function numberOf(v: Values, name: string): number | null | undefined {
  const text = (v[name] ?? "").trim();
  if (text === "") return undefined;
  const n = Number(text);
  return Number.isFinite(n) ? n : null;
}

/** The named numbers that have been typed, for a body. */
export const numbers = (v: Values, ...names: string[]): Record<string, number> =>
  Object.fromEntries(
    names.flatMap((n) => {
      const x = numberOf(v, n);
      return typeof x === "number" ? [[n, x]] : [];
    }),
  );

/** The named texts that are not empty. */
export const texts = (v: Values, ...names: string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((n) => (v[n]?.trim() ? [[n, v[n].trim()]] : [])));
