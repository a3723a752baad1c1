// An entry of the trail in words: who, what, and what came of it.

import type { Tone } from "../../../ui";
import { seconds } from "../../../words";
import { t } from "./words";

export interface Entry {
  n: number;
  at: string;
  way: string;
  who: string;
  address: string;
  what: string;
  paths: string[];
  result: string;
  times: number;
}

export const KINDS = ["all", "signing", "settings", "orders", "refused"] as const;
export type Kind = (typeof KINDS)[number];

type Key = Parameters<typeof t>[0];

/** What is done at the doors of the API; "$1" is the name that the sentence gets. */
const DOORS: readonly [RegExp, Key][] = [
  [/^POST \/api\/v1\/commands\/(.+)$/, "order"],
  [/^PATCH \/api\/v1\/settings\/?(.*)$/, "saveSettings"],
  [/^POST \/api\/v1\/setup$/, "setUp"],
  [/^POST \/api\/v1\/password$/, "password"],
  [/^POST \/api\/v1\/users$/, "makeUser"],
  [/^PATCH \/api\/v1\/users\/(.+)$/, "changeUser"],
  [/^DELETE \/api\/v1\/users\/(.+)$/, "removeUser"],
  [/^POST \/api\/v1\/tokens$/, "makeToken"],
  [/^DELETE \/api\/v1\/tokens\/(.+)$/, "revokeToken"],
  [/^POST \/api\/v1\/certificates$/, "addCertificate"],
  [/^POST \/api\/v1\/certificates\/csr$/, "requestCertificate"],
  [/^PUT \/api\/v1\/certificates\/([^/]+)(?:\/signed)?$/, "changeCertificate"],
  [/^DELETE \/api\/v1\/certificates\/(.+)$/, "removeCertificate"],
  [/^POST \/api\/v1\/backup$/, "backup"],
  [/^POST \/api\/v1\/restore$/, "restore"],
  [/^POST \/api\/v1\/reset$/, "reset"],
  [/^POST \/api\/v1\/capture$/, "capture"],
];

const REASONS = ["first", "stopped", "killed", "power"] as const;
type Reason = (typeof REASONS)[number];
const isReason = (words: string): words is Reason => REASONS.some((one) => one === words);

/** What was done; what we have no sentence for stands as it was asked. */
export function deed({ what, way: came, result, paths }: Entry): string {
  if (what === "settings" && paths.length) return t("settings");
  if (what === "sign in") return t(result === "refused" ? "signInRefused" : "signIn");
  if (what === "sign out") return t("signOut");
  if (what === "sign out everywhere") return t("signOutAll");
  const told = /^(blocked for|started:|audit trail:) (.*)$/.exec(what);
  if (told?.[1] === "blocked for") return t("blocked", { time: seconds(Number.parseFloat(told[2]!)) });
  if (told?.[1] === "started:") return isReason(told[2]!) ? t(`started_${told[2]}`) : t("started", { words: told[2]! });
  if (told) return t("trail", { words: told[2]! });
  if (result === "ordered" || came === "command line") return t("order", { name: what });
  for (const [door, key] of DOORS) {
    const found = door.exec(what);
    if (found) return t(key, { name: decoded(found[1] ?? "") });
  }
  return what;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // somebody has asked for what is no name
  }
}

const WAYS: Record<string, Key> = { account: "way_account", anonymous: "way_anonymous", "command line": "way_command_line", mqtt: "way_mqtt", device: "way_device", nobody: "way_nobody" };

/** By what way somebody came. */
export function way({ way: said }: Entry): string {
  if (said.startsWith("token ")) return t("way_token", { name: said.slice(6) });
  const key = WAYS[said];
  return key ? t(key) : said;
}

export const isRefused = ({ result }: Entry): boolean => result === "refused" || /^[45]\d\d$/.test(result);

/** What came of it; null where that goes without saying. */
export function outcome(entry: Entry): { words: string; tone: Tone } | null {
  const { result } = entry;
  if (result === "") return null;
  if (/^[123]\d\d$/.test(result) || ["let in", "changed", "ordered"].includes(result)) return { words: t("done"), tone: "good" };
  if (result === "refused") return { words: t("refused"), tone: "bad" };
  if (/^4\d\d$/.test(result)) return { words: t("refusedCode", { code: result }), tone: "bad" };
  if (/^5\d\d$/.test(result)) return { words: t("failedCode", { code: result }), tone: "bad" };
  return { words: result, tone: "neutral" };
}

const IS: Record<Kind, (entry: Entry) => boolean> = {
  all: () => true,
  signing: ({ what }) => /^sign (in|out)|^blocked for /.test(what),
  settings: ({ what, paths }) => paths.length > 0 || /^(PATCH|PUT) \/api\/v1\/settings/.test(what),
  orders: ({ what, result }) => result === "ordered" || /\/commands\//.test(what),
  refused: isRefused,
};

/** Whether it is of this kind, and has all of these words somewhere. */
export function fits(entry: Entry, kind: Kind, search: string): boolean {
  if (!IS[kind](entry)) return false;
  const text = [entry.who, entry.address, entry.way, way(entry), entry.what, deed(entry), entry.result, ...entry.paths].join(" ").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
