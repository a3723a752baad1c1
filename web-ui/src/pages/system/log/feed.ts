// The log as it goes on: what the device still has of it, then each line as it comes.

import { batch, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { get, Problem, raw, refusal } from "../../../api";

export const LEVELS = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] as const; // RFC 5424
export type Level = (typeof LEVELS)[number];

/** One record, as GET /log tells it. */
export interface Entry {
  seq: number; // grows until the device is started again
  at: string; // RFC 3339
  level: Level;
  source: string; // the module that says it
  text: string;
}

export interface Line extends Entry {
  key: number; // grows over restarts too
  anew: boolean; // the device was started again before this one
  searched: string; // source and text, in small letters
}

interface Page {
  entries: Entry[]; // the newest first
  next: number | null;
}

export const KEPT = 5000; // lines, as many as the device keeps
const PAGE = 1000; // that are asked for at once
const PACE = 100; // milliseconds between two renderings of a storm
const RETRY = 2000; // milliseconds until it is followed again
const SILENCE = 40_000; // milliseconds without a sign of life, which is due every 15 s
const RUN = 2 ** 40; // more than a device says in one run

export type State = { kind: "reading" | "live" } | { kind: "lost"; words: string };

/** Follows the log between `start` and what that gives. */
export class Feed {
  readonly lines = signal<readonly Line[]>([]); // the oldest first
  readonly older = signal<number | null>(null); // the seq before which there are more
  readonly state = signal<State>({ kind: "reading" });
  readonly came = signal(0); // lines since the beginning
  private run = 0;
  private last: Line | null = null; // the newest that is known
  private waiting: Line[] = [];
  private count = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = new AbortController();

  start = (): (() => void) => {
    this.ended = new AbortController();
    void this.follow(this.ended.signal);
    return () => {
      this.ended.abort();
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  };

  /** Whether older lines came. */
  readOlder = async (): Promise<boolean> => {
    const before = this.older.peek();
    if (before === null) return false;
    const { entries, next } = await get<Page>(`/log?limit=${PAGE}&before=${before}`);
    const lines = entries.map((entry) => this.line(entry)).reverse();
    this.lines.value = [...lines, ...this.lines.peek()].slice(-KEPT);
    this.older.value = next;
    return lines.length > 0;
  };

  private async follow(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      try {
        await this.catchUp();
        await this.tail(ended);
      } catch (problem) {
        if (ended.aborted) return;
        if (!(problem instanceof Problem)) throw problem;
        this.state.value = { kind: "lost", words: problem.message };
      }
      if (!ended.aborted) await new Promise((go) => setTimeout(go, RETRY));
    }
  }

  /** What there is, or what has come while nobody listened. */
  private async catchUp(): Promise<void> {
    const { entries, next } = await get<Page>(`/log?limit=${PAGE}`);
    const last = this.last;
    const known = entries.find(({ seq }) => seq === last?.seq);
    const anew = last !== null && (known ? known.at !== last.at : (entries[0]?.seq ?? 0) < last.seq);
    if (anew) this.run++;
    const fresh = entries.filter((entry) => last === null || (anew ? entry.at > last.at : entry.seq > last.seq)).reverse();
    if (last === null || anew) this.older.value = last === null ? next : null;
    this.take(fresh.map((entry, n) => this.line(entry, anew && n === 0)));
    if (anew && entries[0]) this.last = this.line(entries[0]);
    this.show();
  }

  private async tail(ended: AbortSignal): Promise<void> {
    const quiet = new AbortController();
    const signal = AbortSignal.any([ended, quiet.signal]);
    const response = await raw("GET", `/log/tail?after=${this.last?.seq ?? 0}`, undefined, { signal, endless: true });
    if (!response.ok) throw refusal(response.status, (await response.json().catch(() => ({}))) as Record<string, unknown>);
    this.state.value = { kind: "live" };
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const silent = setTimeout(() => quiet.abort(), SILENCE);
      const { value, done } = await reader.read().catch(() => ({ value: undefined, done: true }));
      clearTimeout(silent);
      if (done) break;
      const pieces = (rest + value).split("\n");
      rest = pieces.pop()!;
      this.take(pieces.filter(Boolean).map((piece) => this.line(JSON.parse(piece) as Entry)));
      this.timer ??= setTimeout(this.show, PACE);
    }
    this.show();
    if (!ended.aborted) this.state.value = { kind: "reading" };
  }

  private line = (entry: Entry, anew = false): Line => ({
    ...entry,
    anew,
    key: this.run * RUN + entry.seq,
    searched: `${entry.source} ${entry.text}`.toLowerCase(),
  });

  private take(lines: Line[]): void {
    this.waiting.push(...lines);
    if (this.waiting.length > KEPT) this.waiting = this.waiting.slice(-KEPT);
    this.last = lines.at(-1) ?? this.last;
    this.count += lines.length;
  }

  private show = (): void => {
    this.timer = undefined;
    if (!this.waiting.length) return;
    const all = [...this.lines.peek(), ...this.waiting];
    this.waiting = [];
    if (all.length > KEPT) this.older.value = null; // the device has forgotten them as well
    batch(() => {
      this.lines.value = all.slice(-KEPT);
      this.came.value = this.count;
    });
  };
}

export function useFeed(): Feed {
  const [feed] = useState(() => new Feed());
  useEffect(feed.start, [feed]);
  return feed;
}

/** What is to be seen of it. source: a module, or what is below it. */
export interface Filter {
  level: Level;
  source: string;
  text: string;
}

export function filtered(lines: readonly Line[], { level, source, text }: Filter): readonly Line[] {
  const least = LEVELS.indexOf(level);
  const words = text.trim().toLowerCase();
  if (least === LEVELS.length - 1 && !source && !words) return lines;
  return lines.filter((line) => LEVELS.indexOf(line.level) <= least && (!source || `${line.source}.`.startsWith(`${source}.`)) && (!words || line.searched.includes(words)));
}

/** "sipstrobe.services.phone" → "services.phone". */
export const partOf = (source: string): string => source.replace(/^sipstrobe\./, "");

/** The parts that have said something, each with what it is a part of. */
export function partsOf(lines: readonly Line[]): string[] {
  const found = new Set(lines.map(({ source }) => source));
  const groups = new Set([...found].map((source) => source.split(".").slice(0, 2).join(".")));
  return [...new Set([...found, ...groups])].sort();
}

const two = (value: number, digits = 2): string => String(value).padStart(digits, "0");

/** The time of day to the millisecond; of another day, with that. */
export function timeOf(at: string): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const today = date.toDateString() === new Date().toDateString();
  return today ? `${time}.${two(date.getMilliseconds(), 3)}` : `${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** As a file: a record in each line. */
export const asText = (lines: readonly Line[]): string => lines.map(({ at, level, source, text }) => `${at} ${level.padEnd(7)} ${source}: ${text}\n`).join("");
