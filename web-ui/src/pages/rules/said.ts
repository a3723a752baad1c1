// What is said of an event: a state that holds, that does not, that begins or that ends.

import type { Match } from "./model";
import { value } from "./model";

export type Mode = "is" | "not" | "begins" | "ends";

const REVERSED: Record<Mode, Mode> = { is: "not", not: "is", begins: "ends", ends: "begins" };

/** Names that people have given to what has a number. */
export interface Names {
  port(number: string): string;
  input(number: string): string;
  trigger(number: string): string;
}

export const NO_NAMES: Names = { port: () => "", input: () => "", trigger: () => "" };

/** The items that a condition wants; those that nothing was said of are told at the end. */
export class Items {
  private readonly left: Set<string>;

  constructor(
    private readonly match: Match,
    readonly names: Names,
  ) {
    this.left = new Set(Object.keys(match));
  }

  /** What is wanted of an item; it need not be told any more. */
  take(name: string): string | undefined {
    this.left.delete(name);
    return this.match[name];
  }

  /** One of several values that an item may have; undefined: it is none of them. */
  choose<T>(name: string, choices: Record<string, T>): T | undefined {
    const wanted = this.match[name];
    if (wanted === undefined || !(wanted in choices)) return undefined;
    this.left.delete(name);
    return choices[wanted];
  }

  /** The mode, turned round where "false" is wanted of an item. */
  turned(name: string, mode: Mode): Mode {
    return this.take(name) === "false" ? REVERSED[mode] : mode;
  }

  /** What has not been told, as [name, value]. */
  get rest(): [string, string][] {
    return [...this.left].map((name) => [name, this.match[name] ?? ""]);
  }
}

export type Clause = (items: Items, mode: Mode) => string;
export type Clauses = Record<string, Clause>;

/** "input 1 “Door”": what has a number, and perhaps a name. */
export const numbered = (words: string, number: string, name: string, quote: (text: string) => string): string =>
  `${words} ${value(number)}${name ? ` ${quote(name)}` : ""}`;
