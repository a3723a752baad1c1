// Rules as the device has them, and what is declared for making them.

import type { Schema } from "../../types";

export type Match = Record<string, string>;

export interface Condition {
  event: string;
  match: Match;
  invert: boolean;
}

/** `do` says which action it is; the other fields are as its schema has them. */
export interface Action {
  do: string;
  [field: string]: unknown;
}

export interface Rule {
  name: string;
  enabled: boolean;
  when: Condition | null;
  conditions: Condition[];
  minimum_interval: number; // seconds
  action: Action;
}

/** GET /events. lasting: it holds until the next value of its source; others only happen. */
export interface DeclaredEvent {
  topic: string;
  words: string;
  lasting: boolean;
  source: string[];
  rest: Match;
  items: { name: string; values: string[] | null }[];
}

/** GET /actions. lasting: undone as the rule ends. recipients: the kinds of those that take it. */
export interface DeclaredAction {
  do: string;
  words: string;
  lasting: boolean;
  recipients: string[];
}

export interface Declared {
  events: Record<string, DeclaredEvent>;
  actions: Record<string, DeclaredAction>;
}

export interface Warning {
  path: string;
  code: "never" | "no_stop" | "fight" | "loop";
  message: string;
  rules: string[];
}

/** How a condition stands, of GET /rules and of the history. */
export interface Stand {
  words: string;
  event: string;
  match: Match;
  invert: boolean;
  holds: boolean;
  since: number;
  time?: string;
  by: Came;
}

export interface Came {
  event: string;
  event_words: string;
  items: Match;
}

export interface Standing {
  name: string;
  enabled: boolean;
  source: string; // what it is a part of, such as "extension 1001"; empty: a rule of its own
  active: boolean;
  begun_time: string | null;
  waits_seconds: number | null;
  conditions: Stand[];
}

export const MAX_RULES = 256; // EVT-01
export const MAX_CONDITIONS = 32;

/** A rule as the device gives it, whose defaults may be left out. */
export const complete = (rule: Partial<Rule> & { name: string; action: Action }): Rule => ({
  enabled: true,
  minimum_interval: 0,
  ...rule,
  when: rule.when ? completeCondition(rule.when) : null,
  conditions: (rule.conditions ?? []).map(completeCondition),
});

export const completeCondition = (condition: Partial<Condition> & { event: string }): Condition => ({ match: {}, invert: false, ...condition });

/** A name that no rule has yet: "Door", "Door 2", … */
export function freeName(wanted: string, taken: readonly string[]): string {
  const cut = wanted.slice(0, 60).trim() || "Rule";
  let name = cut;
  for (let n = 2; taken.includes(name); n += 1) name = `${cut} ${n}`;
  return name;
}

/** The schema of each action, by what it does; its references are those of the root. */
export function actionSchemas(root: Schema): Record<string, Schema> {
  const rule = root.$defs?.Rule;
  const mapping = rule?.properties?.action?.discriminator?.mapping ?? {};
  const found: Record<string, Schema> = {};
  for (const [name, reference] of Object.entries(mapping)) {
    const schema = root.$defs?.[reference.replace("#/$defs/", "")];
    if (schema) found[name] = schema;
  }
  return found;
}

/** What is between a text's marks is a value: it is shown stronger. */
const OPEN = "\uE000";
const CLOSE = "\uE001";

export const value = (text: string | number): string => `${OPEN}${text}${CLOSE}`;
export const plain = (text: string): string => text.replace(/[\uE000\uE001]/g, "");

/** The pieces of a text with marks, in order. */
export function pieces(text: string): { text: string; strong: boolean }[] {
  return text
    .split(/(\uE000[^\uE001]*\uE001)/)
    .filter(Boolean)
    .map((piece) => ({ text: plain(piece), strong: piece.startsWith(OPEN) }));
}
