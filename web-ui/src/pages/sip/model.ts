// What there is to set about SIP, how accounts stand, and what the assistant makes of its answers.

import type { Registration } from "../../types";

export type Transport = "udp" | "tcp" | "tls" | "ws" | "wss";

export interface Account {
  name: string;
  enabled: boolean;
  kind: "peer_to_peer" | "registered";
  user_id: string;
  authentication_id: string;
  password: unknown; // a text goes in; what stands for it comes out
  caller_id: string;
  domain: string;
  registrar: string;
  transport: Transport;
  sips: boolean;
  media_encryption: "none" | "best_effort" | "mandatory";
  codecs: string[];
  dtmf_rtp: boolean;
  dtmf_info: boolean;
  dtmf_inband: boolean;
  answer_automatically: boolean;
  default: boolean;
  [more: string]: unknown;
}

export interface Access {
  enabled: boolean;
  policy: "allow" | "block";
  entries: string[];
}

export interface Sip {
  enabled: boolean;
  allow_incoming: boolean;
  port: number;
  tls_port: number;
  accounts: Account[];
  access: Access;
  tls: Record<string, unknown>;
  nat: Record<string, unknown>;
  [more: string]: unknown;
}

export interface Extension {
  number: string;
  name: string;
  role: "page" | "ring" | "alert";
  profile: string;
  priority: number | null;
  pin: unknown;
  beep: boolean;
  record_then_play: boolean;
}

export interface Sequence {
  sequence: string;
  name: string;
  accounts: string[];
  held: boolean;
}

export interface Dtmf {
  sequences: Sequence[];
  digit_timeout: number;
  long_press: number;
}

export type Grade = "good" | "fair" | "bad" | "dim";

/** How an account stands, with the status code of the server. */
export interface Standing extends Registration {
  code?: number;
}

// --- accounts -------------------------------------------------------------------------------------

const GRADES: Record<string, Grade> = { registered: "good", trying: "fair", failed: "bad", given_up: "bad", off: "dim" };

export function gradeOf(standing: Standing | undefined): Grade {
  if (standing === undefined) return "dim";
  const grade = GRADES[standing.state] ?? "dim";
  return grade === "good" && standing.problem ? "fair" : grade; // registered, but not everywhere
}

export const place = (account: Account): string => (account.kind === "registered" ? account.domain || account.registrar : "").toLowerCase().replace(/\.$/, "");

/** What no two accounts share; their names may be the same. */
export const keyOf = (account: Account): string => `${account.user_id}@${place(account)}`;

const userOf = (uri: string | undefined): string => /^sips?:([^@;]*)@/.exec(uri ?? "")?.[1] ?? "";

/** How this account stands: the device tells of each by its name, and of those that register by their address. */
export function standingOf(account: Account, all: readonly Account[], told: readonly Standing[]): Standing | undefined {
  const named = told.filter(({ account: name }) => name === account.name);
  if (named.length < 2) return named[0];
  const own = named.filter(({ uri }) => userOf(uri) === account.user_id);
  if (own.length === 1) return own[0];
  const namesakes = all.filter(({ name }) => name === account.name);
  return (own.length ? own : named)[namesakes.filter((one) => !own.length || one.user_id === account.user_id).indexOf(account)];
}

export type Advice =
  | "advice_password" | "advice_user" | "advice_certificate" | "advice_reach" | "advice_busy" | "advice_domain"
  | "advice_refused" | "advice_nonsense";

/** What may help an account in trouble; null: nothing is known, or nothing is wrong. */
export function adviceOf(standing: Standing | undefined): Advice | null {
  if (standing === undefined) return null;
  const words = standing.problem || standing.words || "";
  if (/neither registrar nor domain/.test(words)) return "advice_domain";
  if (!standing.problem) return null;
  if (/password/.test(words)) return "advice_password";
  if (/does not know this user/.test(words)) return "advice_user";
  if (/certificate|authority/.test(words)) return "advice_certificate";
  if (/cannot be reached/.test(words)) return "advice_reach";
  if (/not able to at the moment/.test(words)) return "advice_busy";
  if (/makes no sense/.test(words)) return "advice_nonsense";
  return "advice_refused";
}

/** A new account as the form shows it first; what it leaves out is as the device has it. */
export const blank = (kind: Account["kind"]): Partial<Account> => ({ kind, name: "", user_id: "", default: false });

/** The accounts with one of them as the default, which is one and no more (SAC-02). */
export const withDefault = (accounts: readonly Account[], at: number): Account[] =>
  accounts.map((account, n) => ({ ...account, default: n === at }));

/** The accounts without one; null where there is no other that could be the default (SAC-01). */
export function without(accounts: readonly Account[], at: number): Account[] | null {
  const left = accounts.toSpliced(at, 1);
  if (!left.length) return null;
  return left.some((account) => account.default) ? left : withDefault(left, 0);
}

/** Peer-to-peer accounts share one set of ways in which digits come (DTM-06). */
export type DigitWay = "dtmf_rtp" | "dtmf_info" | "dtmf_inband";
export function withDigitWay(accounts: readonly Account[], at: number, way: DigitWay, on: boolean): Account[] {
  const peer = accounts[at]?.kind === "peer_to_peer";
  return accounts.map((account, n) => (n === at || (peer && account.kind === "peer_to_peer") ? { ...account, [way]: on } : account));
}

export const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

// --- the assistant (SIP-03) ---------------------------------------------------------------------------

export type Effect = "heard" | "page" | "ring" | "alert" | "rules";

export interface Answers {
  way: "peer_to_peer" | "registered";
  port: number;
  user_id: string;
  password: string;
  domain: string;
  name: string;
  authentication_id: string;
  registrar: string;
  caller_id: string;
  transport: Transport;
  as_default: boolean;
  effect: Effect;
  number: string;
  profile: string;
}

export const needsProfile = (effect: Effect): boolean => effect === "ring" || effect === "alert";
export const hasRole = (effect: Effect): boolean => effect === "page" || needsProfile(effect);

export const firstAnswers = (sip: Sip): Answers => ({
  way: "peer_to_peer", port: sip.port, user_id: "", password: "", domain: "", name: "", authentication_id: "", registrar: "",
  caller_id: "", transport: "udp", as_default: true, effect: "heard", number: "*", profile: "",
});

export interface Plan {
  sip: Partial<Sip>;
  extensions: Extension[] | null; // null: they stay
  account: number; // the place of the account that is called
  extension: number; // the place of the extension that gets a role, −1: none
}

/** What the answers come to: patches of two sections, and the places of what is new in them. */
export function plan(answers: Answers, sip: Sip, extensions: readonly Extension[]): Plan {
  const automatic = answers.effect !== "rules";
  const accounts = [...sip.accounts];
  let at: number;
  if (answers.way === "peer_to_peer") {
    at = accounts.findIndex(({ kind }) => kind === "peer_to_peer");
    if (at < 0) at = accounts.push({ kind: "peer_to_peer", name: "peer-to-peer", default: false } as Account) - 1;
    accounts[at] = { ...accounts[at]!, enabled: true, answer_automatically: automatic };
  } else {
    const { user_id, password, domain, registrar, authentication_id, caller_id, transport } = answers;
    const told = { kind: "registered", enabled: true, user_id, domain, registrar, authentication_id, caller_id, transport, answer_automatically: automatic } as const;
    const place = (domain || registrar).toLowerCase();
    at = accounts.findIndex((one) => one.kind === "registered" && one.user_id === user_id && (one.domain || one.registrar).toLowerCase() === place);
    const before = at < 0 ? { default: false } : accounts[at]!;
    const account = { ...before, ...told, name: answers.name || domain || registrar, ...(password ? { password } : {}) } as Account;
    if (at < 0) at = accounts.push(account) - 1;
    else accounts[at] = account;
  }
  const byDefault = answers.as_default ? withDefault(accounts, at) : accounts;
  const patch: Partial<Sip> = { enabled: true, allow_incoming: true, accounts: byDefault };
  if (answers.way === "peer_to_peer") patch.port = answers.port;
  if (!hasRole(answers.effect)) return { sip: patch, extensions: null, account: at, extension: -1 };
  const role = { number: answers.number, role: answers.effect as Extension["role"], profile: answers.profile };
  const known = extensions.findIndex(({ number }) => number === answers.number);
  const others = extensions.map((one, n) => (n === known ? ({ ...one, ...role }) : one));
  if (known < 0) others.push(role as Extension);
  return { sip: patch, extensions: others, account: at, extension: known < 0 ? others.length - 1 : known };
}

/** The patch that puts back what a plan has changed. */
export const undoing = (planned: Plan, sip: Sip): Partial<Sip> =>
  Object.fromEntries(Object.keys(planned.sip).map((name) => [name, sip[name]])) as Partial<Sip>;

export type Step = "way" | "data" | "effect" | "check";

/** The step whose field a problem names. */
export function stepOf(path: string): Step {
  if (path.startsWith("/extensions")) return "effect";
  return "data";
}

// --- where the device can be called --------------------------------------------------------------------

/** The port of one transport among what the device says it listens to: "UDP 5060 (IPv4, IPv6)". */
export function portOf(listening: readonly string[], transport = "UDP"): number | null {
  for (const words of listening) {
    const found = /^(\w+) (\d+)/.exec(words);
    if (found?.[1] === transport) return Number(found[2]);
  }
  return null;
}

/** What a phone in the same network dials; the port only where it is not the usual one. */
export function addressOf(host: string, port: number, user = ""): string {
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `sip:${user ? `${user}@` : ""}${bracketed}${port === 5060 ? "" : `:${port}`}`;
}

// --- the access list --------------------------------------------------------------------------------

export type EntryKind = "caller" | "network" | "host";

/** What an entry is compared with (sip/access): the caller's address, or where a call comes from. */
export function entryKind(entry: string): EntryKind {
  if (entry.includes("@") || /^sips?:/i.test(entry)) return "caller";
  return /^[0-9.]+(\/\d+)?$/.test(entry) || /^\[?[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\]?(\/\d+)?$/.test(entry) ? "network" : "host";
}
