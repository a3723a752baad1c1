// What the device says about its sound.

export const KINDS = ["page", "call", "siren", "clip", "tone"] as const;
export type Kind = (typeof KINDS)[number];
export type Does = "alone" | "duck" | "mix" | "full";

export interface MixRule {
  over: Kind;
  under: Kind;
  does: Does;
  duck_db: number;
}
export type Pair = Pick<MixRule, "over" | "under">;

export interface AudioSettings {
  output: string;
  volume_db: number;
  muted: boolean;
  greeting: string;
  volumes: Record<"call" | "page" | "siren" | "clip", number>;
  policy: MixRule[];
  emergency: { priority: number | null; volume_db: number };
  level_callers: boolean;
  latency: string;
  microphone: { input: string; muted: boolean; gain_db: number; automatic_gain: boolean; detect_db: number | null; echo_cancellation: boolean };
  [more: string]: unknown;
}

export interface Source {
  owner: string;
  kind: Kind;
  rank: number;
  gain: number;
  ducked: boolean;
  rms_db: number;
  underruns: number;
}

export interface Played {
  owner: string;
  kind: Kind;
  rank: number;
  first: string | null;
  heard_seconds: number;
  hidden_seconds: number;
  ducked_seconds: number;
  level_db: number;
  underruns: number;
  late_periods: number;
  delay_ms: number;
}

export interface Measure {
  count: number;
  p50: number;
  p99: number;
}

export const same = (pair: Pair) => (rule: Pair): boolean => rule.over === pair.over && rule.under === pair.under;

/** The rule of a pair: the owner's, or the device's own. */
export const ruleOf = (pair: Pair, own: readonly MixRule[], standard: readonly MixRule[]): MixRule =>
  own.find(same(pair)) ?? standard.find(same(pair)) ?? { ...pair, does: "mix", duck_db: -12 };

/** The owner's rules with this one; what is as the device has it anyway is no rule of the owner. */
export function withRule(wanted: MixRule, own: readonly MixRule[], standard: readonly MixRule[]): MixRule[] {
  const usual = standard.find(same(wanted));
  const usually = usual !== undefined && usual.does === wanted.does && (wanted.does !== "duck" || usual.duck_db === wanted.duck_db);
  const others = own.filter((rule) => !same(wanted)(rule));
  return usually ? others : [...others, wanted];
}
