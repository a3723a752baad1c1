// What came on each subscription last: read once, then followed as it comes.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import { newestEvents, skipped, wallAt, whenBack } from "../../live";
import { keyOf } from "./model";

const NAMES = ["mqtt/state", "mqtt/message"];
const ALL = "limit=2000&seconds=2678400"; // of the history: as much as the device keeps
const PAUSE = 1000; // milliseconds between two readings in a storm

export interface Heard {
  topic: string; // of a message
  payload: string;
  active: boolean; // of a state
  time: string | Date | null; // null: longer ago than the device remembers
}

interface Told {
  event: string;
  items: Record<string, string>;
  time?: string;
}

type All = Readonly<Record<string, Heard>>;

/** By the key of the subscription and its event. */
export const heardKey = (event: string, subscription: { filter: string; use_prefix: boolean }): string => `${event} ${keyOf(subscription)}`;

const keyOfItems = (event: string, items: Record<string, unknown>): string => heardKey(event, { filter: String(items.filter), use_prefix: String(items.prefix) === "true" });

const heardOf = (items: Record<string, unknown>, time: Heard["time"]): Heard => ({
  topic: String(items.topic ?? ""),
  payload: String(items.payload),
  active: String(items.active) === "true",
  time,
});

async function readAll(signal: AbortSignal): Promise<All> {
  const held = get<{ properties: Told[] }>("/properties?event=mqtt/state", { signal });
  const told = await Promise.all(NAMES.map((event) => get<{ events: Told[] }>(`/history/events?event=${event}&${ALL}`, { signal })));
  const oldestFirst = [...(await held).properties, ...told.flatMap(({ events }) => events.toReversed())];
  return Object.fromEntries(oldestFirst.map(({ event, items, time }) => [keyOfItems(event, items), heardOf(items, time ?? null)]));
}

export function useHeard(): All {
  const [all, tell] = useState<All>({});
  useEffect(() => {
    const gone = new AbortController();
    let waiting: ReturnType<typeof setTimeout> | undefined;
    let meanwhile: All = {}; // what came while it was read
    const read = (): void => {
      waiting = undefined;
      meanwhile = {};
      void readAll(gone.signal)
        .then((read) => tell((now) => ({ ...now, ...read, ...meanwhile })))
        .catch(() => undefined); // what comes next is seen in any case
    };
    read();
    const end = newestEvents.subscribe((fresh) => {
      const told = fresh.map(({ chain, at }) => ({ link: chain[0]!, at })).filter(({ link }) => NAMES.includes(link.name));
      if (!told.length) return;
      const news = Object.fromEntries(told.map(({ link, at }) => [keyOfItems(link.name, link.items), heardOf(link.items, wallAt(at))]));
      meanwhile = { ...meanwhile, ...news };
      tell((now) => ({ ...now, ...news }));
      if (skipped.peek() > 0) waiting ??= setTimeout(read, PAUSE); // a storm: not all were told
    });
    const back = whenBack(read);
    return () => {
      end();
      back();
      clearTimeout(waiting);
      gone.abort();
    };
  }, []);
  return all;
}
