// Numbers, times and causes in words.

export const COLORS = {
  red: "#ff2a1f", green: "#12e64a", blue: "#2b62ff", white: "#ffffff", amber: "#ff9a0a",
  yellow: "#ffe22e", pink: "#ff5fb0", purple: "#a02bff", turquoise: "#12e6d2",
};

export function span(seconds) {
  const s = Math.max(0, Math.ceil(seconds));
  const two = (n) => String(n).padStart(2, "0");
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  if (s >= 3600) return `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** "−6 dB"; zero has no sign. */
export function decibels(value) {
  const rounded = Math.round(10 * Number(value)) / 10;
  return `${rounded < 0 ? "−" : rounded > 0 ? "+" : ""}${Math.abs(rounded)} dB`;
}

/** A figure with one decimal and a sign that is a minus. */
export const tenths = (value) => value.toFixed(1).replace("-", "−");

/** How loud something is: "−18 dBFS". */
export const level = (value) => `${Math.round(value)} dBFS`.replace("-", "−");

export const times = (count) => (count === 1 ? "once" : `${count.toLocaleString("en")} times`);

/** A length of time that is not counted down: "0.4 s", "12 s", "3:05". */
export const seconds = (value) => (value < 60 ? `${value.toFixed(value < 9.95 ? 1 : 0)} s` : span(value));

/** How many bytes. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const step = Math.min(3, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** step;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${["B", "kB", "MB", "GB"][step]}`;
}

/** The time of day, with the date where that is not today's. */
export function when(instant) {
  const date = new Date(instant);
  const time = date.toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit" });
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}

const SOUNDS = { call: "Call", page: "Page", siren: "Siren", clip: "Clip", tone: "Test tone" };
export const kindOf = (kind) => SOUNDS[kind] ?? kind;

/** The user part of a SIP URI where it says enough, else the URI without its scheme. */
export function party(uri) {
  const bare = uri.replace(/^sips?:/, "").replace(/[;?].*$/, "");
  return bare || "unknown";
}

const CALL_WORDS = {
  calling: "is being placed", ringing: "rings", pin: "waits for the PIN", active: "is connected",
  terminated: "has ended", idle: "is idle",
};

const callWords = (i) =>
  i.direction === "outgoing"
    ? `Call to ${party(i.remote_uri)} ${CALL_WORDS[i.state] ?? i.state}`
    : `Call from ${party(i.remote_uri)} to ${i.extension || party(i.local_uri)} ${CALL_WORDS[i.state] ?? i.state}`;

const PAGES = { active: "is heard", hidden: "is silent behind another", idle: "has ended" };

const KNOWN = {
  "call/state_change": callWords,
  "call/state": callWords,
  "call/registration": (i) => `Account ${i.account}: ${i.words || i.state}`,
  "call/audio": (i) => `Call ${i.call}: ${i.words || (i.verdict === "ok" ? "is heard" : i.verdict)}`,
  "call/message": (i) => `Message from ${party(i.remote_uri)}: ${i.text}`,
  "call/flood": (i) => `${i.address} asks too much (${i.kind}) and is slowed down`,
  "call/digit": (i) => `Digit ${i.digit} in call ${i.call}`,
  "call/pin_refused": (i) => `Wrong PIN from ${party(i.remote_uri)}`,
  "signal/operation": (i) =>
    `${FUNCTIONS[i.function] ?? i.function}: ${i.pattern} ${PHASES[i.phase] ?? i.phase}${i.profile ? ` · ${i.profile}` : ""}`,
  "signal/maintenance": (i) => `Maintenance mode ${i.active ? "on" : "off"}`,
  "signal/health_check": (i) => (i.passed ? "Health check passed" : `Health check: ${i.errors}`),
  "call/dtmf": (i) => `Digits ${i.sequence}: ${i.name}`,
  "sound/clip": (i) => `Clip “${i.clip}” ${i.playing ? "plays" : "has ended"}`,
  "sound/page": (i) => `Page “${i.page}” ${PAGES[i.state] ?? i.state}`,
  "sound/stream": (i) => `Audio stream ${PAGES[i.state] ?? i.state}`,
  "network/hearing": (i) => i.words || `Hearing of groups: ${i.state}`,
  "sound/output": (i) => (i.active ? "The speaker plays" : "The speaker is silent"),
  "sound/microphone": (i) => `Microphone ${i.on ? "on" : "off"}`,
  "sound/live_stream": (i) => (i.active ? "Somebody listens live" : "Nobody listens live any more"),
  "sound/recording": (i) => `Recording ${i.recording} ${i.active ? "has begun" : "has ended"}`,
  "sound/played": (i) => `${kindOf(i.kind)} was heard for ${seconds(i.heard_seconds)} (${i.owner})`,
  "input/manual_trigger": (i) => `Manual trigger ${i.trigger} ${i.active ? "pressed" : "released"}`,
  "device/settings": (i) => `Settings changed: ${i.paths}`,
  "device/service": (i) => (i.working ? `${i.service} works` : `${i.service}: ${i.problem}`),
  "rule/state": (i) => `Rule “${i.rule}” ${i.active ? "became active" : "ended"}`,
  "rule/failed": (i) => `Rule “${i.rule}” could not act: ${i.reason}`,
  "start-profile": (i) => `Start profile “${i.profile}”`,
  "stop-profile": (i) => `Stop profile “${i.profile}”`,
  "start-operation": (i) => `Start ${i.pattern} on ${FUNCTIONS[i.function] ?? i.function}`,
  "set-maintenance": (i) => `Switch maintenance mode ${i.active ? "on" : "off"}`,
  "set-manual-trigger": (i) => `${i.active ? "Press" : "Release"} manual trigger ${i.trigger}`,
  "stop-all": () => "Stop everything",
  "hang-up": (i) => (i.call ? `Hang up ${i.call}` : "Hang up all calls"),
  "answer-call": () => "Answer the call",
  "send-digits": (i) => `Send the digits ${i.digits}`,
  "play-clip": (i) => `Play clip “${i.clip}”`,
  "stop-clip": (i) => (i.clip ? `Stop clip “${i.clip}”` : "Stop a clip"),
  "start-recording": (i) => `Record the ${i.source}`,
  "stop-recording": () => "End the recording",
  "set-volume": (i) => [i.volume_db !== undefined && `Volume ${i.volume_db} dB`, i.muted !== undefined && (i.muted ? "Mute" : "Unmute")].filter(Boolean).join(", "),
};
const INPUTS = new Set(["http", "datagram", "sip"]); // their words need no more
const FUNCTIONS = { SignalingLED: "Signalling light", AudioLED: "Audio light", AudioSpeaker: "Speaker" };
const PHASES = { shown: "is shown", hidden: "waits behind", ended: "has ended" };
const KINDS = { input: "from outside", command: "order", event: "event" };

/** One link of a chain of causes. */
export function linkWords(link) {
  const known = KNOWN[link.name];
  if (known) return known(link.items);
  if (link.kind === "input") return INPUTS.has(link.name) ? link.items.words : `${link.name}: ${link.items.words}`;
  const items = Object.entries(link.items).map(([name, value]) => `${name} ${value}`).join(", ");
  return `${link.words ?? link.name}${items ? ` (${items})` : ""}`;
}

export const kindWords = (link) => KINDS[link.kind] ?? link.kind;

/** The one cause that says most: what happened outside, or the fact that an order follows from. */
export function shortCause(chain) {
  const events = chain.filter((link) => link.kind === "event" && !link.name.startsWith("rule/"));
  const facts = events.filter((link) => /^(call|input)\//.test(link.name));
  const best = facts[0] ?? events[0] ?? chain.at(-1);
  return best ? linkWords(best) : "";
}

/** Which of the events people read as news; the rest are shown as their consequences. */
export const isQuiet = ({ name, items }) =>
  name === "call/state" || (name === "call/audio" && ["ok", "not_yet", "none"].includes(items.verdict));
