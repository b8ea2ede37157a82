import { fill } from "../i18n/fill.ts";
import { language } from "../i18n/i18n.ts";
import { type CallsKey, callsEn } from "./calls-en.ts";
import { callsKo } from "./calls-ko.ts";

/** A word of the lists of calls and events in the page's language, placeholders filled. */
export const w = (key: CallsKey, values: Record<string, string> = {}): string =>
  fill((language.value === "ko" ? callsKo : callsEn)[key], values);
