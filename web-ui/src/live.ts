// The live feed of the device: its state merged, light frames, levels and events as they happen.

import { batch, computed, signal } from "@preact/signals";
import { expired, readSession, session } from "./session";
import type { Json, LightName, Link, Sound, Status } from "./types";

const RETRY = [0.5, 1, 2, 4, 8]; // seconds between attempts to connect
const QUIET = 4; // seconds without a word, after which what is shown may be old
const GIVEN_UP = 10; // seconds without a word, after which the connection is made anew
const EVENTS_MAX = 200; // kept, the newest
const SMALL = 1e-3; // seconds that the clocks may run apart between two messages
const STEADY = 0.1; // seconds by which the calendar may be told otherwise before it counts
const FORGET = 0.02; // of how late messages were, with each that comes in time

export type Sides = [color: string, level: number][]; // A, B, C, D
export interface Frame {
  at: number;
  light: LightName;
  sides: Sides;
}
export interface Told {
  key: string;
  at: number;
  chain: Link[];
}
type Message = { type: string; at: number; seq?: number; [more: string]: unknown };

export const connection = signal<"connecting" | "live" | "lost">("connecting");
export const heardAt = signal(0); // performance.now() of the last word, in seconds
export const status = signal<Status | null>(null);
export const frames = signal<Partial<Record<LightName, Frame>>>({});
export const levels = signal<{ calls: Record<string, number>; sound: number }>({ calls: {}, sound: -120 });
export const events = signal<Told[]>([]); // the newest first
export const skipped = signal(0); // events that a storm has left out
/** What plays and how loud it is, told 15 times a second while somebody looks at "sound". */
export const sounding = signal<{ sound: Sound; microphone: Record<string, unknown> } | null>(null);
/** The start of what nobody has asked about before. */
export const newestEvents = signal<Told[]>([]); // those of the last message, the oldest first

const offset = signal<number | null>(null); // performance clock minus device clock
let steady = 0;
/** Seconds from the device's clock to its calendar; each state tells it a little differently, and
 *  all that shows a time would be rendered again. */
export const wallOffset = computed(() => {
  const now = status.value;
  const told = now === null ? 0 : Date.parse(now.device.wall) / 1000 - now.now;
  if (Math.abs(told - steady) > STEADY) steady = told;
  return steady;
});

let late = 0;

/** How late messages have come lately, in seconds beyond the soonest. */
export const lateness = (): number => late;

/** The device's monotonic clock, in seconds, as the page knows it. */
export const deviceNow = (): number => (offset.peek() === null ? 0 : performance.now() / 1000 - (offset.peek() ?? 0));

/** The calendar time of an instant of the device's clock. */
export const wallAt = (at: number): Date => new Date((at + wallOffset.value) * 1000);

// --- who hears what --------------------------------------------------------------------------------

const onMessages = new Map<string, Set<(message: Message) => void>>();
const onFrames = new Set<(frame: Frame) => void>();

/** Hear every frame of the light as it comes; gives what ends it. */
export function hearFrames(hear: (frame: Frame) => void): () => void {
  onFrames.add(hear);
  return () => void onFrames.delete(hear);
}

/** Hear the messages of a type that this module does not know, such as "log"; gives what ends it. */
export function hearMessages(type: string, hear: (message: Message) => void): () => void {
  const heard = onMessages.get(type) ?? new Set();
  onMessages.set(type, heard.add(hear));
  return () => void heard.delete(hear);
}

const looked: string[] = [];

/** Tell the device what is looked at, such as "sound"; gives what ends it. */
export function look(view: string): () => void {
  looked.push(view);
  tellView();
  return () => {
    looked.splice(looked.lastIndexOf(view), 1);
    if (view === "sound" && !looked.includes(view)) sounding.value = null;
    tellView();
  };
}

function tellView(): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(looked.at(-1) ?? "overview");
}

// --- the connection ---------------------------------------------------------------------------------

let socket: WebSocket | null = null;
let attempts = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let last: number | undefined; // seq of the last message
let watching: ReturnType<typeof setInterval> | undefined;

/** Connect, and connect again whenever that ends, until `disconnect`. */
export function connect(): void {
  drop();
  watching ??= setInterval(watch, 500);
  heardAt.value = performance.now() / 1000;
  if (connection.value !== "lost") connection.value = "connecting";
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const after = last === undefined ? "" : `?after=${last}`;
  socket = new WebSocket(`${scheme}//${location.host}/api/v1/live${after}`);
  socket.onmessage = ({ data }) => hear(JSON.parse(data as string) as Message);
  socket.onclose = comeAgain;
  socket.onopen = tellView;
}

export function disconnect(): void {
  drop();
  clearInterval(watching);
  watching = undefined;
  last = undefined;
  attempts = 0;
  batch(() => {
    connection.value = "connecting";
    status.value = null;
    frames.value = {};
    events.value = [];
    sounding.value = null;
  });
}

function drop(): void {
  clearTimeout(retry);
  if (socket === null) return;
  socket.onclose = socket.onmessage = socket.onopen = null;
  socket.close();
  socket = null;
}

function comeAgain(): void {
  drop();
  connection.value = "lost";
  const wait = RETRY[Math.min(attempts++, RETRY.length - 1)] ?? 8;
  retry = setTimeout(() => void enter(), wait * 1000);
}

/** Who asks is known before the socket is asked for again: a log-in that ended is no lost device. */
async function enter(): Promise<void> {
  try {
    if ((await readSession()).role === null) return;
  } catch {
    comeAgain();
    return;
  }
  if (session.peek().role !== null) connect();
}

/** Who has logged in anew over the page, as after a restart, goes on where he was. */
expired.subscribe((waits) => {
  if (!waits && watching !== undefined && socket === null && session.peek().role !== null) connect();
});

function watch(): void {
  if (socket === null) return;
  const quiet = performance.now() / 1000 - heardAt.peek();
  if (quiet > GIVEN_UP) comeAgain();
  else if (quiet > QUIET) connection.value = "lost";
}

// --- what is heard ------------------------------------------------------------------------------------

function hear(message: Message): void {
  batch(() => {
    heardAt.value = performance.now() / 1000;
    if (message.seq !== undefined) last = message.seq;
    if (message.type === "hello") begin(message);
    else keepTime(message.at);
    connection.value = "live";
    take(message);
  });
}

function begin(message: Message): void {
  attempts = 0;
  offset.value = null;
  late = 0;
  keepTime(message.at);
  if (message.resumed === true) return;
  events.value = [];
  frames.value = {};
}

function keepTime(at: number): void {
  const seen = performance.now() / 1000 - at;
  const before = offset.peek();
  // The least seen is the truest; drift slowly towards later, to follow a clock that runs apart.
  offset.value = before === null || seen < before ? seen : before + Math.min(seen - before, SMALL / 2);
  late = Math.max(seen - offset.value, late * (1 - FORGET));
}

function take(message: Message): void {
  switch (message.type) {
    case "state": {
      const told = message.state as Partial<Status>;
      status.value = message.whole === false && status.peek() ? { ...(status.peek() as Status), ...told } : (told as Status);
      break;
    }
    case "frame": {
      const frame = message as unknown as Frame;
      frames.value = { ...frames.peek(), [frame.light]: frame };
      for (const show of onFrames) show(frame);
      break;
    }
    case "levels":
      levels.value = { calls: message.calls as Record<string, number>, sound: message.sound as number };
      break;
    case "sound":
      sounding.value = { sound: message.sound as Sound, microphone: message.microphone as Record<string, unknown> };
      break;
    case "events":
      takeEvents(message);
      break;
  }
  for (const told of onMessages.get(message.type) ?? []) told(message);
}

function takeEvents(message: Message): void {
  const fresh = (message.events as { chain: Link[] }[])
    .filter(({ chain }) => chain.length > 0)
    .map(({ chain }) => ({ key: `${chain[0]!.serial}`, at: chain[0]!.at, chain }));
  skipped.value = message.skipped as number;
  newestEvents.value = fresh;
  events.value = [...fresh.toReversed(), ...events.peek()].slice(0, EVENTS_MAX);
}

/** Ask when the device is reached again: what has changed meanwhile, nobody has told. Gives what ends it. */
export function whenBack(ask: () => void): () => void {
  let lost = connection.peek() !== "live";
  return connection.subscribe((state) => {
    if (lost && state === "live") ask();
    lost = state !== "live";
  });
}

/** Ask every so many seconds, while somebody looks, and one at a time: what waits for somebody to log
 *  in is not asked again. Gives what ends it. */
export function repeat(ask: () => Promise<void>, every: number): () => void {
  let waits = false;
  const beat = setInterval(() => {
    if (waits || document.hidden) return;
    waits = true;
    void ask().finally(() => (waits = false));
  }, 1000 * every);
  return () => clearInterval(beat);
}

/** Whether a change that the device has told of concerns what is below this JSON pointer. */
export function concerns(link: Link, path: string): boolean {
  if (link.name !== "device/settings") return false;
  return String(link.items.paths ?? "").split(/[\s,]+/).some((changed) => `${changed}/`.startsWith(`${path}/`) || `${path}/`.startsWith(`${changed}/`));
}

export type { Json };
