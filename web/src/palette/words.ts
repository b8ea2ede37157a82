import { fill } from "../i18n/fill.ts";
import { language } from "../i18n/i18n.ts";
import { type PaletteKey, paletteEn } from "./palette-en.ts";
import { paletteKo } from "./palette-ko.ts";

/** A word of the palette in the page's language, placeholders filled. */
export const w = (key: PaletteKey, values: Record<string, string> = {}): string =>
  fill((language.value === "ko" ? paletteKo : paletteEn)[key], values);

/** The same in the other language, so that either finds it. */
export const other = (key: PaletteKey): string => (language.value === "ko" ? paletteEn : paletteKo)[key];
