import { type BuildKey, buildEn } from "../i18n/build-en.ts";
import { buildKo } from "../i18n/build-ko.ts";
import { language } from "../i18n/i18n.ts";

export type { BuildKey };

/** A word of the forms in the page's language, placeholders filled. */
export function w(key: BuildKey, values: Record<string, string> = {}): string {
  const text: string = (language.value === "ko" ? buildKo : buildEn)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
