// A rule as a sentence: "When extension 1001 is called, show the profile Evacuate while it lasts."

import { language, span } from "../../words";
import * as de from "./clauses.de";
import * as en from "./clauses.en";
import { english, german } from "./deeds";
import type { Action, Condition, DeclaredAction, Rule } from "./model";
import { plain, value } from "./model";
import type { Mode, Names } from "./said";
import { Items } from "./said";

const DEEDS = { en: english(en.quote), de: german(de.quote) };
const CLAUSES = { en: en.CLAUSES, de: de.CLAUSES };

/** What is said of an event that these words do not know: its own. */
function unknown(condition: Condition, mode: Mode): string {
  const said = value(condition.event);
  if (language.value === "de") return { is: `${said} gilt`, not: `${said} nicht gilt`, begins: `${said} eintritt`, ends: `${said} endet` }[mode];
  return { is: `${said} holds`, not: `${said} does not hold`, begins: `${said} comes`, ends: `${said} ends` }[mode];
}

function clause(condition: Condition, mode: Mode, names: Names): string {
  if (condition.event === "") return "…"; // not chosen yet
  const items = new Items(condition.match, names);
  const said = CLAUSES[language.value][condition.event]?.(items, mode);
  const rest = items.rest.map(([name, wanted]) => `${name.replaceAll("_", " ")} ${value(wanted)}`).join(", ");
  return (said ?? unknown(condition, mode)) + (rest ? ` (${rest})` : "");
}

/** A condition that holds, or does not: "a call to extension 1001 rings". */
export const holds = (condition: Condition, names: Names): string => clause(condition, condition.invert ? "not" : "is", names);

/** A trigger: "a call to extension 1001 begins to ring". */
export const happens = (condition: Condition, names: Names): string => clause(condition, condition.invert ? "ends" : "begins", names);

/** What is done: "run the profile “Evacuate”". */
export const deed = (action: Action, names: Names): string => DEEDS[language.value][action.do]?.(action, names) ?? action.do.replaceAll("_", " ");

/** The whole sentence, with the marks of its values. */
export function sentence(rule: Rule, actions: Record<string, DeclaredAction>, names: Names): string {
  const lasting = actions[rule.action.do]?.lasting ?? false;
  const does = deed(rule.action, names);
  const conditions = rule.conditions.map((condition) => holds(condition, names));
  const said = language.value === "de" ? inGerman(rule, lasting, does, conditions, names) : inEnglish(rule, lasting, does, conditions, names);
  const least = rule.minimum_interval > 0 ? atMost(rule.minimum_interval) : "";
  return capital(said) + least;
}

function inEnglish(rule: Rule, lasting: boolean, does: string, conditions: string[], names: Names): string {
  const all = conditions.join(" and ");
  if (rule.when) {
    const when = happens(rule.when, names);
    if (!all) return `when ${when}, ${does}.`;
    return lasting ? `when ${when}, ${does} as long as ${all}.` : `when ${when} while ${all}, ${does}.`;
  }
  return `${lasting ? "as long as" : "as soon as"} ${all || "…"}, ${does}.`;
}

function inGerman(rule: Rule, lasting: boolean, does: string, conditions: string[], names: Names): string {
  const all = conditions.join(" und ");
  if (rule.when) {
    const when = happens(rule.when, names);
    if (!all) return `wenn ${when}: ${does}.`;
    return lasting ? `wenn ${when}: ${does}, solange ${all}.` : `wenn ${when}, während ${all}: ${does}.`;
  }
  return `${lasting ? "solange" : "sobald"} ${all || "…"}: ${does}.`;
}

const atMost = (interval: number): string =>
  language.value === "de" ? ` Höchstens einmal in ${value(span(interval))}.` : ` At most once in ${value(span(interval))}.`;

/** A name for a rule that has none: its sentence, cut where a name must end. */
export function nameFor(rule: Rule, actions: Record<string, DeclaredAction>, names: Names): string {
  const words = plain(capital(deed(rule.action, names)));
  const when = rule.when ? plain(happens(rule.when, names)) : rule.conditions[0] ? plain(holds(rule.conditions[0], names)) : "";
  const joint = language.value === "de" ? (rule.when ? ", wenn " : ", solange ") : rule.when ? " when " : actions[rule.action.do]?.lasting ? " while " : " as ";
  const long = when ? `${words}${joint}${when}` : words;
  return long.length <= 60 ? long : words.slice(0, 60);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1); // a mark has no capital: values stay as they are
