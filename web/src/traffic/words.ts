import { count, language, ofServer, word } from "../i18n/i18n.ts";
import { type TrafficKey, trafficEn } from "../i18n/traffic-en.ts";
import { faultsKo, fieldsKo, trafficKo } from "../i18n/traffic-ko.ts";
import type { Completion } from "./checking.ts";
import type { Fault } from "./filter.ts";

const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const v = values[name];
    return v === undefined ? whole : typeof v === "number" ? count(v) : v;
  });

/** A word of the table in the page's language, placeholders filled. */
export const w = (key: TrafficKey, values: Record<string, string | number> = {}): string =>
  fill((language.value === "ko" ? trafficKo : trafficEn)[key], values);

/** What is wrong with a filter and what would be right. */
export function faultWords(f: Fault): { problem: string; hint: string } {
  const own = language.value === "ko" ? faultsKo[f.code] : undefined;
  if (!own) return f;
  const known = f.args.near ? `혹시 ${f.args.near}?` : `있는 것: ${f.args.all ?? ""}`;
  return { problem: fill(own[0], f.args), hint: fill(own[1], { ...f.args, known }) };
}

/** What a completion is, in the page's language. */
export function aboutWords(c: Completion, field: string): string {
  if (c.kind === "field")
    return (language.value === "ko" ? fieldsKo[c.text.slice(0, -1)] : undefined) ?? c.about ?? "";
  if (field === "hop") return word("step", c.text);
  if (field === "reason") return ofServer(c.about ?? "", c.text) ?? c.about ?? "";
  return c.about ?? "";
}
