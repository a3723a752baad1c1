// What has come, in words: "an incoming call to extension 1001 begins to ring".

import { itemsOf, itemTitle, valueTitle } from "./catalog";
import type { Known } from "./known";
import type { Condition, Match, Stand } from "./model";
import { value } from "./model";
import type { Names } from "./said";
import { happens, holds } from "./sentence";
import { t } from "./words";

const TOLD = 4; // items of a fact; who wants all of them opens the log
const SPOKEN = new Set(["words", "errors", "supervised", "again", "prefix", "sender", "priority"]);

/** A fact by its event and items: those that say most, each once. */
export function fact(event: string, items: Match, known: Known, names: Names): string {
  if (event === "timer") return t("timer");
  if (event === "settings") return t("settings");
  const declared = known.declared.events[event];
  if (!declared) return event;
  const { main, more } = itemsOf(declared, {});
  const wanted = [...main, ...more].filter((name) => items[name] && !SPOKEN.has(name)).slice(0, TOLD);
  const rests = Object.entries(declared.rest);
  const over = rests.length > 0 && rests.every(([name, value]) => items[name] === value); // there is no more of it
  const match = Object.fromEntries(wanted.filter((name) => !over || !(name in declared.rest)).map((name) => [name, items[name] ?? ""]));
  if (match.extension) delete match.line; // the same, most of the time
  return happens({ event, match, invert: over }, names);
}

/** A condition that stands as it does, with what made it so. */
export const stands = (stand: Stand, names: Names): string => holds(stand as Condition, names);

/** The items of a fact one by one, for who looks closely. */
export const itemsTold = (items: Match): [string, string][] =>
  Object.entries(items)
    .filter(([, told]) => told !== "")
    .map(([name, told]) => [itemTitle(name), valueTitle(told)]);

export { value };
