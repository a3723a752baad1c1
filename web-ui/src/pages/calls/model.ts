// What the device says of calls, and which words and figures people read of it.

import { party as bare } from "../../words";
import { t } from "./words";

export type Grade = "good" | "fair" | "bad" | "dim";

/** A call that is over, as GET /history/calls tells it; instants are RFC 3339. */
export interface Past {
  id: number;
  call: string;
  direction: "incoming" | "outgoing";
  account: string;
  local_uri: string;
  remote_uri: string;
  extension: string;
  started: string;
  answered: string | null;
  ended: string | null;
  reason: string;
  words: string;
  transport: string;
  codec: string;
  encryption: string;
  packets: number | null;
  lost: number | null;
  jitter_ms: number | null;
  mos: number | null;
  verdict: string | null;
  cause: string;
}

export interface PastCalls {
  calls: Past[];
  next: number | null;
}

const GRADES: Record<string, Grade> = {
  ok: "good", not_yet: "dim", on_hold: "dim", silent: "fair", poor: "fair",
  no_rtp_in: "bad", none_out: "bad", one_way: "bad", private_address: "bad", codec_mismatch: "bad",
  blocked_port: "bad", encryption_mismatch: "bad",
};

const VERDICTS = {
  ok: "verdict_ok", not_yet: "verdict_not_yet", on_hold: "verdict_on_hold", no_rtp_in: "verdict_no_rtp_in",
  none_out: "verdict_none_out", one_way: "verdict_one_way", private_address: "verdict_private_address",
  codec_mismatch: "verdict_codec_mismatch", blocked_port: "verdict_blocked_port",
  encryption_mismatch: "verdict_encryption_mismatch", silent: "verdict_silent", poor: "verdict_poor",
} as const;

const REASONS = {
  denied: "reason_denied", no_answer: "reason_no_answer", busy: "reason_busy", failed: "reason_failed",
  interrupted: "reason_interrupted",
} as const;

const STATES = {
  calling: "state_calling", ringing: "state_ringing", pin: "state_pin", active: "state_active",
  terminated: "state_terminated",
} as const;

function known<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name);
}

export const gradeOf = (verdict: string): Grade => GRADES[verdict] ?? "dim";
export const verdictWords = (verdict: string): string => (known(VERDICTS, verdict) ? t(VERDICTS[verdict]) : verdict);
export const reasonWords = (reason: string): string => (known(REASONS, reason) ? t(REASONS[reason]) : t("reason_given_up"));
export const stateWords = (state: string): string => (known(STATES, state) ? t(STATES[state]) : state);

/** The other side, as people read it. */
export const party = (uri: string): string => bare(uri) || t("unknown");

/** Whom the device was called as, or calls as. */
export const own = (call: { extension: string; local_uri: string }): string => call.extension || party(call.local_uri);

const CODECS: Record<string, string> = {
  opus: "Opus", G722: "G.722", PCMU: "G.711 µ-law", PCMA: "G.711 A-law", "G726-32": "G.726 32 kbit/s",
  "L16/8000": "L16 8 kHz", "L16/16000": "L16 16 kHz", "L16/48000": "L16 48 kHz",
};
export const codecName = (codec: string): string => CODECS[codec] ?? codec;

/** What the text of a search is looked for in. */
export const searched = (call: Past): string =>
  [call.remote_uri, call.local_uri, call.extension, call.account, call.words, call.codec].join(" ").toLowerCase();

export type Which = "all" | "answered" | "missed" | "refused" | "trouble";

/** Does a call that is over belong to this choice? */
export function isOne(which: Which, call: Past): boolean {
  switch (which) {
    case "answered": return call.answered !== null;
    case "missed": return call.answered === null && call.direction === "incoming" && call.reason !== "denied";
    case "refused": return call.reason === "denied";
    case "trouble": return call.reason === "failed" || (call.verdict !== null && ["bad", "fair"].includes(gradeOf(call.verdict)));
    default: return true;
  }
}
