// Changes of the list: each is seen at once, and stored after those before it.

import { useRef, useState } from "preact/hooks";
import type { Section } from "../../settings";
import { persist, toast } from "../../ui";
import { everything, stored, type Multicast, type Ranked, type Source } from "./model";

export type Change = (list: readonly Ranked[]) => Source[] | null; // null: leave it

export interface Order {
  ranked: Ranked[];
  change: (change: Change) => void;
}

export function useOrder(section: Section<Multicast>): Order {
  const [seen, show] = useState<Source[] | null>(null); // with all that is not stored yet
  const wanted = useRef<Source[] | null>(null);
  const waiting = useRef(0); // changes that are not stored yet
  const busy = useRef<Promise<unknown>>(Promise.resolve());
  const want = (list: Source[] | null): void => {
    wanted.current = list;
    show(list);
  };
  const store = async (how: Change): Promise<void> => {
    const done = await persist(section, ({ sources }) => {
      const next = how(everything(sources));
      return next && { sources: stored(next, sources).sources };
    });
    const { problems } = section.peek();
    if (done || !problems.length) return;
    toast(problems.map(({ message }) => message).join("; "), "bad");
    section.forgive();
  };
  const change = (how: Change): void => {
    const before = wanted.current ?? section.peek().value?.sources ?? [];
    const list = how(everything(before));
    if (list === null) return;
    want(stored(list, before).sources);
    waiting.current += 1;
    busy.current = busy.current.then(() => store(how)).finally(() => {
      waiting.current -= 1;
      if (waiting.current === 0) want(null); // at once: what is pressed next begins with what is stored
    });
  };
  return { ranked: everything(seen ?? section.value?.sources ?? []), change };
}
