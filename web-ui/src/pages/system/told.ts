// What a page asks the device about: read at once, and again when that may have changed.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, Problem } from "../../api";
import { concerns, newestEvents, repeat, whenBack } from "../../live";

export interface Told<T> {
  value: T | null; // null until it was read
  problem: string; // why it could not be read; what was read before stays
  at: number; // performance.now() of the answer
  reload: () => Promise<void>;
}

export interface Follow {
  settings?: readonly string[]; // JSON pointers: it is read again when something below them changes; "": anything
  events?: readonly string[]; // topics: soon after one of them
  every?: number; // seconds, where nothing tells of a change
}

const SOON = 200; // milliseconds, for several at once

const NOTHING: readonly string[] = [];

/** What is at a path of the API, followed while the component is in the page. */
export function useTold<T>(path: string, { settings = NOTHING, events = NOTHING, every }: Follow = {}): Told<T> {
  const [told, tell] = useState<{ value: T | null; problem: string; at: number }>({ value: null, problem: "", at: 0 });
  const turn = useRef(0);
  const reload = useCallback(async (): Promise<void> => {
    const mine = ++turn.current;
    try {
      const value = await get<T>(path);
      if (mine === turn.current) tell({ value, problem: "", at: performance.now() });
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      if (mine === turn.current) tell((before) => ({ ...before, problem: refused.message }));
    }
  }, [path]);
  const watched = [...settings, "", ...events].join(" ");
  useEffect(() => {
    let soon: ReturnType<typeof setTimeout>;
    void reload();
    const before = newestEvents.peek();
    const stop = newestEvents.subscribe((fresh) => {
      if (fresh === before) return;
      if (fresh.some(({ chain }) => settings.some((one) => concerns(chain[0]!, one)))) void reload();
      if (!fresh.some(({ chain }) => events.includes(chain[0]!.name))) return;
      clearTimeout(soon);
      soon = setTimeout(() => void reload(), SOON);
    });
    const again = whenBack(() => void reload());
    const end = every === undefined ? undefined : repeat(reload, every);
    return () => {
      clearTimeout(soon);
      stop();
      again();
      end?.();
      turn.current += 1; // what still comes is for nobody
    };
  }, [reload, watched, every]);
  return { ...told, reload };
}

/** What the device says is wrong, by the fields of a form; under "form" what belongs to none. */
export function byField(problem: Problem, fields: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { path, message } of problem.fields) {
    const field = path.split("/").findLast((one) => fields.includes(one)) ?? "form";
    found[field] = found[field] ? `${found[field]}; ${message}` : message;
  }
  return found;
}

/** Carry it out; what is wrong with which field, null when it was done. */
export async function wrongWith(action: () => Promise<unknown>, fields: readonly string[]): Promise<Record<string, string> | null> {
  try {
    await action();
    return null;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return byField(problem, fields);
  }
}
