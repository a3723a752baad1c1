// The list that says which of several sounds is heard: what is in it, by which rank, and how it is stored.

export interface Own {
  kind: "internal";
  sound: "sip" | "stream" | "clip";
}

export interface Paged {
  kind: "multicast" | "desk_phones";
  label: string;
  address: string;
  port: number;
  channel?: number;
  interface?: string;
  latency?: string;
  playout_delay?: number | null;
  srtp_key?: unknown;
  profile?: string;
  enabled?: boolean;
}

export type Source = Own | Paged;
export type Ranked = Source & { rank: number };

export interface Relay {
  enabled: boolean;
  [field: string]: unknown;
}

export interface Multicast {
  enabled: boolean;
  codec: string;
  sources: Source[];
  relay: Relay;
}

/** What the device tells of a source that somebody speaks to, or that has a problem. */
export interface Told {
  kind?: string;
  label: string;
  state: string;
  sender: string;
  level_db: number | null;
  offset_ms?: number | null;
  caller_id?: string;
  problem: string;
  strangers?: number;
  unknown_codec?: number;
  undecipherable?: number;
  invalid?: number;
}

export interface PageOut {
  page: number;
  clip: string;
  address: string;
  port: number;
  codec: string;
  state: string;
  packets: number;
  problem: string;
}

export interface Heard {
  sources: number;
  joined: number;
  told: Told[];
  hearing: { state: string; words: string };
  relay: { state: string; source: string; packets: number; problem: string };
  pages_out?: PageOut[];
}

export const OWN = ["sip", "stream", "clip"] as const; // in the order in which they come unnamed
export const STREAM: Own = { kind: "internal", sound: "stream" };

export const isOwn = (source: Source): source is Own => source.kind === "internal";
export const keyOf = (source: Source): string => (isOwn(source) ? `own ${source.sound}` : `page ${source.label}`);
export const toldKey = (told: Told): string => `page ${told.label}`;

/** What the device sounds itself and the list does not name comes before all that it names. */
export function everything(sources: readonly Source[]): Ranked[] {
  return [...unnamed(sources), ...sources].map((source, n) => ({ ...source, rank: n + 1 }));
}

function unnamed(sources: readonly Source[]): Own[] {
  const named = new Set(sources.filter(isOwn).map(({ sound }) => sound));
  return OWN.filter((sound) => !named.has(sound)).map((sound) => ({ kind: "internal", sound }));
}

/** What is to be stored for a list of all that has a rank: what has been unnamed and still comes first
 *  stays so. `before`: the stored list that it is made of. offset: how many of the list are left out. */
export function stored(list: readonly (Source | Ranked)[], before: readonly Source[]): { sources: Source[]; offset: number } {
  const open = unnamed(before).map(keyOf);
  const sources = list.map(withoutRank);
  let offset = 0;
  while (sources.length && open.includes(keyOf(sources[0]!))) {
    open.splice(0, open.indexOf(keyOf(sources.shift()!)) + 1); // in the order in which they come unnamed
    offset += 1;
  }
  return { sources, offset };
}

function withoutRank(source: Source | Ranked): Source {
  const { rank: _, ...rest } = source as Ranked;
  return rest as Source;
}

/** The list with one of it at another rank, which is 1 for the first; null: nothing moves. */
export function moved(list: readonly Ranked[], key: string, rank: number): Source[] | null {
  const from = list.findIndex((source) => keyOf(source) === key);
  const to = Math.min(Math.max(rank, 1), list.length) - 1;
  if (from < 0 || from === to) return null;
  const next = [...list];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

/** A group and its port, as people write them. */
export const groupOf = ({ address, port }: { address: string; port: number }): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`;

export const FAINT = -90; // dBFS; less is silence
/** What is silent is not decoded, so that nobody knows how loud it is. */
export const isLoud = (level: number | null | undefined): level is number => typeof level === "number" && level > FAINT;
