import { fill } from "../i18n/fill.ts";
import { language } from "../i18n/i18n.ts";
import { type SettingsKey, settingsEn } from "./settings-en.ts";
import { settingsKo } from "./settings-ko.ts";

export type { SettingsKey };

/** A word of the settings in the page's language, placeholders filled. */
export const w = (key: SettingsKey, values: Record<string, string> = {}): string =>
  fill((language.value === "ko" ? settingsKo : settingsEn)[key], values);
