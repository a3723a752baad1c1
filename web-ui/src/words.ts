// Two languages, and how numbers, times and lengths read in them.

import { computed, signal } from "@preact/signals";

export type Language = "en" | "de";
type Values = Record<string, string | number>;

const KEPT = "language";
const kept = localStorage.getItem(KEPT);

export const LANGUAGES: Record<Language, string> = { en: "English", de: "Deutsch" };
export const language = signal<Language>(kept === "de" || kept === "en" ? kept : navigator.language.startsWith("de") ? "de" : "en");
const LOCALES: Record<Language, string> = { en: "en-GB", de: "de-DE" };

/** Dates, times and numbers are written as in the country of the browser, if the page speaks its
 *  language (TIM-04). */
export const locale = computed(() => navigator.languages.find((one) => one.startsWith(`${language.value}-`)) ?? LOCALES[language.value]);

export function speak(chosen: Language): void {
  localStorage.setItem(KEPT, chosen);
  language.value = chosen;
}

/** Words by their keys, in both languages. "{n}" is filled from the values; of "one call|{n} calls"
 *  the value n says which is meant. */
export function words<const E extends Record<string, string>>(table: { en: E; de: { [K in keyof NoInfer<E>]: string } }) {
  return (key: keyof E & string, values: Values = {}): string => fill((table[language.value] as Record<string, string>)[key] ?? key, values);
}

function fill(text: string, values: Values): string {
  const forms = typeof values.n === "number" ? text.split("|") : [text];
  const chosen = forms.length > 1 && new Intl.PluralRules(locale.value).select(Number(values.n)) !== "one" ? forms[1] : forms[0];
  return (chosen ?? text).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === "number" ? number(value) : value;
  });
}

// --- the device's own words: English on the wire, translated where a page knows how ---------------

const translated = new Map<string, string>();
const sentences: { fits: RegExp; names: string[]; german: string }[] = [];

/** German for titles, descriptions, values and sentences that the device says in English. "{name}" in
 *  both stands for what is another each time, and is translated by itself. */
export function translate(german: Record<string, string>): void {
  for (const [english, word] of Object.entries(german)) {
    translated.set(english, word);
    const names = [...english.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const parts = english.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (names.length) sentences.push({ fits: new RegExp(`^${parts.join("(.+?)")}$`, "s"), names, german: word });
  }
}

/** What the device says, in the language of the page where that is known. */
export function told(text: string): string {
  if (language.value !== "de") return text;
  const known = translated.get(text);
  if (known !== undefined) return known;
  for (const { fits, names, german } of sentences) {
    const found = fits.exec(text);
    if (found) return german.replace(/\{(\w+)\}/g, (_, name: string) => told(found[names.indexOf(name) + 1]!));
  }
  return text;
}

// --- numbers --------------------------------------------------------------------------------------

export function number(value: number, digits = 3): string {
  return new Intl.NumberFormat(locale.value, { maximumFractionDigits: digits }).format(value).replace("-", "−");
}

/** With exactly so many decimals. */
export function fixed(value: number, digits = 1): string {
  return new Intl.NumberFormat(locale.value, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value).replace("-", "−");
}

/** A share of one: "0.6 %". */
export function percent(share: number, digits = 1): string {
  return new Intl.NumberFormat(locale.value, { style: "percent", maximumFractionDigits: digits }).format(share);
}

/** "−6 dB", "+3 dB"; zero has no sign. */
export function decibels(value: number): string {
  const rounded = Math.round(10 * value) / 10;
  return `${rounded > 0 ? "+" : ""}${number(rounded, 1)} dB`;
}

/** How loud: "−18 dBFS". */
export const level = (value: number): string => `${number(Math.round(value), 0)} dBFS`;

export function bytes(count: number): string {
  const step = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** step;
  return `${number(value, step && value < 10 ? 1 : 0)} ${["B", "kB", "MB", "GB"][step]}`;
}

// --- times ----------------------------------------------------------------------------------------

/** Counted down: "0:42", "1:02:03", "3 d 4 h". */
export function span(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** A length that is not counted down: "0.4 s", "12 s", "3:05". */
export const seconds = (value: number): string => (value < 60 ? `${number(value, value < 9.95 ? 1 : 0)} s` : span(value));

/** The time of day with seconds. */
export const clock = (instant: Date | string | number): string =>
  new Intl.DateTimeFormat(locale.value, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(instant));

/** The time of day, with the date where that is not today's. */
export function when(instant: Date | string | number): string {
  const date = new Date(instant);
  const day = date.toDateString() === new Date().toDateString() ? {} : ({ day: "numeric", month: "short" } as const);
  return new Intl.DateTimeFormat(locale.value, { ...day, hour: "2-digit", minute: "2-digit" }).format(date);
}

/** Date and time in full. */
export const dateTime = (instant: Date | string | number): string =>
  new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(instant));

/** The same as a clock shows it that is so many seconds ahead of UTC. */
export const dateTimeAt = (instant: string, offset: number): string =>
  new Intl.DateTimeFormat(locale.value, { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" }).format(Date.parse(instant) + 1000 * offset);

/** A SIP URI without its scheme and parameters. */
export const party = (uri: string): string => uri.replace(/^sips?:/, "").replace(/[;?].*$/, "");
