import { signal } from "@preact/signals";
import type { Key } from "./en.ts";

export { instant } from "./instant.ts";

export type Language = "en" | "ko";
export type { Key };

type Catalog = Readonly<Record<Key, string>>;

const catalogs: Partial<Record<Language, Catalog>> = {};
let korean: (typeof import("./server-ko.ts") & typeof import("./errors-ko.ts")) | null = null;

/** Fetches a language's catalog; a page needs one of them, so neither is in the main bundle. */
async function load(which: Language): Promise<void> {
  if (which === "ko") korean ??= { ...(await import("./server-ko.ts")), ...(await import("./errors-ko.ts")) };
  catalogs[which] ??= which === "ko" ? (await import("./ko.ts")).ko : (await import("./en.ts")).en;
}

function initial(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("lang");
  if (asked === "en" || asked === "ko") return asked;
  return navigator.language.startsWith("ko") ? "ko" : "en";
}

export const language = signal<Language>(initial());

const fontWaitMs = 1000;

/**
 * Waits for the page's Hangul font, with a limit. Chromium keeps some of the
 * boxes that it drew for Hangul before the font came, so nothing is drawn before.
 */
async function loadFont(): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, fontWaitMs));
  await Promise.race([document.fonts.load('13px "ENI KO"', "한").catch(() => undefined), late]);
}

/** Loads the page's first language; nothing is rendered before. */
export async function startLanguage(): Promise<void> {
  await Promise.all([load(language.value), loadFont()]);
  name();
}

/** Switches the language and remembers the choice. */
export async function setLanguage(next: Language): Promise<void> {
  await load(next);
  language.value = next;
  localStorage.setItem("lang", next);
  name();
}

function name(): void {
  document.documentElement.lang = language.value;
}

/** The message in the page's language, placeholders filled. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const message = catalogs[language.value]?.[key] ?? key;
  if (!values) return message;
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const v = values[name];
    if (v === undefined) return whole;
    return typeof v === "number" ? count(v) : v;
  });
}

/** A message for a word that the server names, or the word itself if it is new to this page. */
export function word(prefix: string, name: string): string {
  const catalog = catalogs[language.value] as Record<string, string> | undefined;
  return catalog?.[`${prefix}.${name}`] ?? name;
}

/**
 * What the server said, in the page's language: by the reason it names, else by the
 * sentence. null: the page knows it in English only, as whatever EC2 words.
 */
export function ofServer(text: string, reason = ""): string | null {
  if (language.value === "en" || text === "") return text;
  // An error code or an id is no sentence.
  if (!/\s/.test(text) && !(reason in (korean?.reasons ?? {}))) return text;
  const byReason = korean?.reasons[reason];
  if (byReason) return byReason;
  for (const [pattern, words] of korean?.sentences ?? []) {
    if (pattern.test(text)) return text.replace(new RegExp(`${pattern.source}.*`), words);
  }
  return null;
}

/** Between what a refusal means, in the page's language, and the server's own words. */
export const ownWords = " — ";

/** A refusal for people: what its code means if the page's language is not the server's, then the server's words. */
export function refusal(code: string, status: number, said: string): string {
  const means = language.value === "ko" ? korean?.explain(code, status) : "";
  return means ? means + ownWords + said : said;
}

const whole = { en: new Intl.NumberFormat("en"), ko: new Intl.NumberFormat("ko") };
const compact = {
  en: new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }),
  // Korean compacts by 10,000, which does not match the axes' SI units.
  ko: new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }),
};

export const count = (n: number): string => whole[language.value].format(Math.round(n));
export const short = (n: number): string =>
  Math.abs(n) < 10_000 ? count(n) : compact[language.value].format(n);

/** Milliseconds with as many digits as they deserve. */
export function millis(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return ms.toFixed(2);
  if (ms < 10) return ms.toFixed(1);
  return count(ms);
}

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

const pad = (n: number, width: number): string => String(n).padStart(width, "0");

/** Wall clock of an instant, local time, with milliseconds. */
export function clock(ms: number): string {
  const d = new Date(ms);
  return `${pad(d.getHours(), 2)}:${pad(d.getMinutes(), 2)}:${pad(d.getSeconds(), 2)}.${pad(d.getMilliseconds(), 3)}`;
}
