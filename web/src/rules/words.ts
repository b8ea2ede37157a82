import { language } from "../i18n/i18n.ts";
import { rulesEn } from "./en.ts";
import { rulesKo } from "./ko.ts";

export type RulesKey = keyof typeof rulesEn;

/** A word of the editors and questions in the page's language, placeholders filled. */
export function w(key: RulesKey, values: Record<string, string> = {}): string {
  const text: string = (language.value === "ko" ? rulesKo : rulesEn)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
