import { language } from "../i18n/i18n.ts";
import { type MapKey, mapEn } from "./words-en.ts";
import { mapKo } from "./words-ko.ts";

/** A word of the map's tools in the page's language, placeholders filled. */
export function w(key: MapKey, values: Record<string, string> = {}): string {
  const text: string = (language.value === "ko" ? mapKo : mapEn)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
