// The entries that were read so far: the newest are asked for again and again, older ones on demand.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, Problem } from "../../../api";
import { repeat } from "../../../live";
import type { Entry } from "./entry";

const NEWEST = 100; // that are asked for at a time
const FURTHER = 500; // older ones
const EVERY = 4; // seconds

interface Page {
  entries: Entry[];
  next: number | null;
}

export interface Trail {
  entries: readonly Entry[] | null; // the newest first
  more: boolean; // there are older ones
  busy: boolean;
  problem: string;
  further: () => Promise<void>;
}

/** What was read, with the newest on top. They join, but where more has come than is asked for. */
function joined(before: Page | null, fresh: Page): Page {
  const last = before?.entries[0];
  if (!before || !last) return fresh;
  const at = fresh.entries.findIndex(({ n }) => n <= last.n);
  if (at < 0) return fresh;
  return at === 0 ? before : { entries: [...fresh.entries.slice(0, at), ...before.entries], next: before.next };
}

export function useTrail(): Trail {
  const [told, tell] = useState<Page | null>(null);
  const [problem, complain] = useState("");
  const [busy, work] = useState(false);
  const here = useRef(true);
  const ask = useCallback(async (query: string, take: (page: Page) => void): Promise<void> => {
    try {
      const page = await get<Page>(`/audit?${query}`);
      if (!here.current) return;
      take(page);
      complain("");
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      if (here.current) complain(refused.message);
    }
  }, []);
  useEffect(() => {
    here.current = true;
    const look = (): Promise<void> => ask(`limit=${NEWEST}`, (fresh) => tell((before) => joined(before, fresh)));
    void look();
    const end = repeat(look, EVERY);
    return () => {
      here.current = false;
      end();
    };
  }, [ask]);
  const further = async (): Promise<void> => {
    if (!told?.next) return;
    const from = told.next;
    work(true);
    await ask(`limit=${FURTHER}&before=${from}`, (older) =>
      tell((before) => (before?.next === from ? { entries: [...before.entries, ...older.entries], next: older.next } : before)),
    );
    work(false);
  };
  return { entries: told?.entries ?? null, more: told !== null && told.next !== null, busy, problem, further };
}
