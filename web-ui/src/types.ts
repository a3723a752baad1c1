// What the device says: GET /api/v1/status and the live feed. Instants (`at`, `now`) are seconds of
// the device's monotonic clock, levels are dB of full scale.

export type LightName = "SignalingLED" | "AudioLED";
export type FunctionName = LightName | "AudioSpeaker";
export type Role = "viewer" | "operator" | "administrator";
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** One link of a chain of causes, the effect first. */
export interface Link {
  serial: number;
  at: number;
  kind: string; // "input", "event", "rule", "command", …
  name: string;
  words?: string;
  items: Record<string, unknown>;
}

export interface Operation {
  id: number;
  pattern: string;
  priority: number;
  intensity: number;
  speed: number | null;
  colors: string[];
  profile: string;
  shown: boolean;
  seconds_left: number | null;
  why: Link[];
}

export interface FunctionState {
  name: FunctionName;
  operations: Operation[];
}

export interface ProfileState {
  name: string;
  description: string;
  light?: { pattern: string; colors?: string[]; priority: number; intensity: number; speed?: number } | null;
  siren?: { pattern: string; priority: number; intensity: number } | null;
  running: boolean;
  flash_rate_hz?: number; // of the side that flashes most
  flashes_per_second?: number;
  sides_at_once?: number;
  saturated_red?: boolean;
  warnings?: Risk[];
}

/** What a light does to people who are sensitive to it. */
export interface Risk {
  code: string; // "flash_rate", "saturated_red"
  words: string;
}

/** How a call is heard; null until it was answered. */
export interface CallAudio {
  verdict: string;
  words: string;
  advice: string;
  mos: number | null;
  mos_lq?: number | null;
  r_factor?: number | null;
  loss?: number;
  discard?: number;
  burst_density?: number;
  burst_ms?: number;
  jitter_ms?: number;
  round_trip_ms?: number | null;
  received?: number;
  sent?: number;
  remote_loss?: number | null;
  remote_mos?: number | null;
  source?: string;
  way?: string;
  encryption?: string;
}

export interface Call {
  id: string;
  direction: "incoming" | "outgoing";
  account: string;
  local_uri: string;
  remote_uri: string;
  extension: string;
  state: string; // "calling", "ringing", "pin", "active", …
  seconds: number;
  codec: string;
  level_db: number;
  packets_received: number;
  packets_lost: number;
  jitter_ms: number;
  transport: string;
  audio: CallAudio | null;
}

/** How an account stands with its registrar. */
export interface Registration {
  account: string;
  state: string;
  uri?: string;
  server?: string;
  until?: string | null;
  words?: string;
  problem?: string;
}

export interface SoundSource {
  owner: string;
  kind: string;
  gain: number;
  rms_db: number;
  [more: string]: unknown;
}

export interface Sound {
  output?: string;
  volume_db?: number;
  muted?: boolean;
  rms_db?: number;
  sources?: SoundSource[];
  [more: string]: unknown;
}

export interface RuleState {
  name: string;
  enabled: boolean;
  source: string;
  active: boolean;
  history: { at: string; words: string }[];
}

export interface Status {
  now: number;
  device: { name: string; serial: string; version: string; wall: string; uptime_seconds: number };
  maintenance: { active: boolean; until: string | null };
  health: { at: string; errors: string[] } | null;
  functions: FunctionState[];
  profiles: ProfileState[];
  calls: Call[];
  registrations: Registration[];
  registrations_total: number;
  listening: string[];
  nat: { public: string; servers: { kind: string; server: string; milliseconds: number | null; problem: string }[] };
  sound: Sound;
  clips: { playback: number; clip: string; [more: string]: unknown }[];
  microphone: Record<string, unknown>;
  recordings: Record<string, unknown>[];
  pages: Record<string, unknown>;
  multicast: Multicast;
  stream: Record<string, unknown>;
  talk: { id: string; who: string; address: string; state: string; talking: boolean; listening: boolean; level_db: number; seconds: number }[];
  lights: Record<string, unknown>;
  services: Record<string, string>; // by name; empty: it works
  triggers: { trigger: number; name: string; active: boolean }[];
  ports: Record<string, unknown>[];
  virtual_inputs: Record<string, unknown>[];
  outbox: Record<string, unknown>;
  mqtt: Record<string, unknown>;
  home: Record<string, unknown>;
  schedules: Record<string, unknown>[];
  storage: { alert: boolean; words: string; free_mb: number };
  speaker_test: Record<string, unknown>;
  rules: RuleState[];
}

export interface Multicast {
  sources: number;
  joined: number;
  told: PageState[];
  hearing: { state: string; words: string };
  [more: string]: unknown;
}

/** A source of pages by multicast; level_db: null while it is hidden. */
export interface PageState {
  label: string;
  rank: number;
  kind: string;
  address: string;
  port: number;
  state: "active" | "hidden" | "idle";
  sender: string;
  level_db: number | null;
  caller_id?: string;
  problem: string;
  [more: string]: unknown;
}

/** GET /api/v1/settings/<section>. system: JSON pointers of what only administrators may change. */
export interface Settings<T> {
  revision: number;
  settings: T;
  schema: Schema;
  system: string[];
}

/** JSON Schema as the device writes it. */
export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  enum?: (string | number | null)[];
  const?: Json;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
  writeOnly?: boolean;
}

/** A problem of what was entered: `path` is a JSON pointer from the root of all settings. */
export interface FieldProblem {
  path: string;
  message: string;
}
