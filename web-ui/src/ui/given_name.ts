// What the device tells in place of the name that somebody gave who was not let in. No account is called so.

import { language } from "../words";

const GERMAN: Record<string, string> = {
  "an unknown name": "ein unbekannter Name",
  "(token)": "(Token)",
};

/** The name, or what stands in its place, in the language of the page. */
export const givenName = (name: string): string => (language.value === "de" ? (GERMAN[name] ?? name) : name);
