// Who looks at the page, and what they may do.

import { signal } from "@preact/signals";
import { get, onLoggedOut, post, Problem } from "./api";
import type { Role } from "./types";

export interface Session {
  name: string | null;
  role: Role | null;
  set_up: boolean; // there is an account
  secure: boolean; // came over TLS
  https_port: number | null; // where it would
  anonymous: boolean; // looks without an account, where the device allows that
  advice: Advice[];
}

/** What the device advises, in its words. */
export interface Advice {
  code: string; // "unencrypted", "weak_password"
  words: string;
}

const NOBODY: Session = { name: null, role: null, set_up: true, secure: true, https_port: null, anonymous: false, advice: [] };
const TURNS = 5; // attempts to sign in while many do at once
const BUSY = 1; // seconds from one to the next, and up to so many more
const RANKS: Role[] = ["viewer", "operator", "administrator"];

export const session = signal<Session>(NOBODY);
export const known = signal(false); // the device has said who we are
export const expired = signal(false); // somebody was logged in, and is not any more
export const entering = signal(false); // somebody looks without an account, and wants to log in

/** Whether who looks at the page may do what this role may. Read while rendering, it follows. */
export function can(role: Role): boolean {
  const { role: has } = session.value;
  return has !== null && RANKS.indexOf(has) >= RANKS.indexOf(role);
}

/** Ask the device who we are. Throws Problem when it is not reached. */
export async function readSession(): Promise<Session> {
  const told = await get<Partial<Session>>("/session");
  const read: Session = { ...NOBODY, ...told };
  const still = read.set_up; // else there is no account left to log in as
  if (known.value && session.value.name !== null && read.name === null && still) {
    expired.value = true; // what is typed stays behind the log-in
    return read;
  }
  session.value = read;
  known.value = true;
  expired.value = false;
  if (!still) settle(false);
  if (read.name !== null) entering.value = false;
  return read;
}

export async function logIn(name: string, password: string): Promise<void> {
  for (let turn = 1; ; turn += 1) {
    try {
      await post("/login", { name, password });
      break;
    } catch (problem) {
      if (!(problem instanceof Problem && problem.code === "busy") || turn === TURNS) throw problem;
      await new Promise((done) => setTimeout(done, 1000 * BUSY * (1 + Math.random())));
    }
  }
  await readSession();
  settle(true);
}

/** Create the administrator; what the device advises about the password. */
export async function setUp(name: string, password: string): Promise<void> {
  await post("/setup", { name, password });
  await readSession();
}

export async function logOut(): Promise<void> {
  await post("/logout").catch(() => undefined);
  leave();
  await readSession().catch(() => undefined);
}

/** Show the log-in in place of the page. */
export function leave(): void {
  session.value = { ...session.value, name: null, role: null };
  expired.value = false;
  settle(false);
}

// --- a session that ends while somebody works: log in over the page, and go on -------------------

let waiting: ((again: boolean) => void)[] = [];

function settle(again: boolean): void {
  const told = waiting;
  waiting = [];
  for (const tell of told) tell(again);
}

onLoggedOut(() => {
  if (session.value.name === null) return Promise.resolve(false);
  expired.value = true;
  return new Promise((tell) => waiting.push(tell));
});
