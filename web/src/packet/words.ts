import { language } from "../i18n/i18n.ts";
import { type PacketKey, packetEn } from "./words-en.ts";
import { packetKo } from "./words-ko.ts";

export type { PacketKey };

/** A word of the packet view in the page's language, placeholders filled. */
export function w(key: PacketKey, values: Record<string, string> = {}): string {
  const text: string = (language.value === "ko" ? packetKo : packetEn)[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** What a note of the server says, or its own words if the page does not know it. */
export function noteWord(kind: string): string | null {
  const key = `note.${kind}` as PacketKey;
  return key in packetEn ? w(key) : null;
}
