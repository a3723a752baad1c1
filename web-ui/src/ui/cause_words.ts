// Causes and events as sentences.

import { party, seconds, told, words } from "../words";
import type { Link } from "../types";

const t = words({
  en: {
    "call.calling": "is being placed",
    "call.ringing": "rings",
    "call.pin": "waits for the PIN",
    "call.active": "is connected",
    "call.terminated": "has ended",
    "call.idle": "is idle",
    callTo: "Call to {party} {state}",
    callFrom: "Call from {party} to {extension} {state}",
    account: "Account {account}: {words}",
    heard: "is heard",
    audio: "Call {call}: {words}",
    message: "Message from {party}: {text}",
    flood: "{address} asks too much ({kind}) and is slowed down",
    digit: "Digit {digit} in call {call}",
    pin: "Wrong PIN from {party}",
    operation: "{function}: {pattern} {phase}",
    shown: "is shown",
    hidden: "waits behind another",
    ended: "ended",
    maintenanceOn: "Maintenance mode on",
    maintenanceOff: "Maintenance mode off",
    healthGood: "Health check passed",
    healthBad: "Health check: {errors}",
    dtmf: "Digits {sequence}: {name}",
    clipPlays: "Clip “{clip}” plays",
    clipEnded: "Clip “{clip}” has ended",
    pageHeard: "Page “{page}” is heard",
    pageHidden: "Page “{page}” is silent behind another",
    pageEnded: "Page “{page}” has ended",
    streamOn: "Audio stream is heard",
    streamHidden: "Audio stream is silent behind another",
    streamOff: "Audio stream has ended",
    speakerOn: "The speaker plays",
    speakerOff: "The speaker is silent",
    micOn: "Microphone on",
    micOff: "Microphone off",
    listenOn: "Somebody listens live",
    listenOff: "Nobody listens live any more",
    recordingOn: "Recording {recording} has begun",
    recordingOff: "Recording {recording} has ended",
    played: "{kind} was heard for {time} ({owner})",
    triggerOn: "Manual trigger {trigger} pressed",
    triggerOff: "Manual trigger {trigger} released",
    settings: "Settings changed: {paths}",
    works: "{service} works",
    broken: "{service}: {problem}",
    ruleOn: "Rule “{rule}” became active",
    ruleOff: "Rule “{rule}” ended",
    ruleFailed: "Rule “{rule}” could not act: {reason}",
    signIn: "Wrong name or password from {address} ({name})",
    blocked: "{address} is not heard for {seconds} s: it guesses passwords",
    "start-profile": "Start profile “{profile}”",
    "stop-profile": "Stop profile “{profile}”",
    "start-operation": "Start {pattern} on {function}",
    setMaintenanceOn: "Switch maintenance mode on",
    setMaintenanceOff: "Switch maintenance mode off",
    pressTrigger: "Press manual trigger {trigger}",
    releaseTrigger: "Release manual trigger {trigger}",
    "stop-all": "Stop everything",
    "stop-operations": "Stop what was asked for",
    "hang-up": "Hang up {call}",
    hangUpAll: "Hang up all calls",
    "answer-call": "Answer the call",
    "send-digits": "Send the digits {digits}",
    "play-clip": "Play clip “{clip}”",
    "stop-clip": "Stop clip “{clip}”",
    stopClips: "Stop a clip",
    "start-recording": "Record the {source}",
    "stop-recording": "End the recording",
    volume: "Volume {volume_db} dB",
    mute: "Mute",
    unmute: "Unmute",
    dial: "Call {uri}",
    locate: "Show where the device is",
    healthCheck: "Check the device's health",
    SignalingLED: "Signalling light",
    AudioLED: "Audio light",
    AudioSpeaker: "Speaker",
    "sound.call": "Call",
    "sound.page": "Page",
    "sound.siren": "Siren",
    "sound.clip": "Clip",
    "sound.tone": "Test tone",
    unknown: "unknown",
  },
  de: {
    "call.calling": "wird aufgebaut",
    "call.ringing": "klingelt",
    "call.pin": "wartet auf die PIN",
    "call.active": "ist verbunden",
    "call.terminated": "ist beendet",
    "call.idle": "ruht",
    callTo: "Anruf an {party} {state}",
    callFrom: "Anruf von {party} an {extension} {state}",
    account: "Konto {account}: {words}",
    heard: "ist zu hören",
    audio: "Anruf {call}: {words}",
    message: "Nachricht von {party}: {text}",
    flood: "{address} fragt zu oft ({kind}) und wird gebremst",
    digit: "Ziffer {digit} im Anruf {call}",
    pin: "Falsche PIN von {party}",
    operation: "{function}: {pattern} {phase}",
    shown: "ist zu sehen",
    hidden: "wartet hinter anderem",
    ended: "ist beendet",
    maintenanceOn: "Wartungsmodus ein",
    maintenanceOff: "Wartungsmodus aus",
    healthGood: "Funktionsprüfung bestanden",
    healthBad: "Funktionsprüfung: {errors}",
    dtmf: "Ziffern {sequence}: {name}",
    clipPlays: "Clip „{clip}“ läuft",
    clipEnded: "Clip „{clip}“ ist zu Ende",
    pageHeard: "Durchsage „{page}“ ist zu hören",
    pageHidden: "Durchsage „{page}“ ist hinter anderem stumm",
    pageEnded: "Durchsage „{page}“ ist zu Ende",
    streamOn: "Audiostrom ist zu hören",
    streamHidden: "Audiostrom ist hinter anderem stumm",
    streamOff: "Audiostrom ist zu Ende",
    speakerOn: "Der Lautsprecher spielt",
    speakerOff: "Der Lautsprecher ist still",
    micOn: "Mikrofon ein",
    micOff: "Mikrofon aus",
    listenOn: "Jemand hört live mit",
    listenOff: "Niemand hört mehr live mit",
    recordingOn: "Aufnahme {recording} hat begonnen",
    recordingOff: "Aufnahme {recording} ist beendet",
    played: "{kind} war {time} zu hören ({owner})",
    triggerOn: "Handauslöser {trigger} gedrückt",
    triggerOff: "Handauslöser {trigger} losgelassen",
    settings: "Einstellungen geändert: {paths}",
    works: "{service} arbeitet",
    broken: "{service}: {problem}",
    ruleOn: "Regel „{rule}“ wurde aktiv",
    ruleOff: "Regel „{rule}“ ist beendet",
    ruleFailed: "Regel „{rule}“ konnte nicht handeln: {reason}",
    signIn: "Falscher Name oder falsches Passwort von {address} ({name})",
    blocked: "{address} wird {seconds} s nicht gehört: dort werden Passwörter geraten",
    "start-profile": "Profil „{profile}“ starten",
    "stop-profile": "Profil „{profile}“ stoppen",
    "start-operation": "{pattern} auf {function} starten",
    setMaintenanceOn: "Wartungsmodus einschalten",
    setMaintenanceOff: "Wartungsmodus ausschalten",
    pressTrigger: "Handauslöser {trigger} drücken",
    releaseTrigger: "Handauslöser {trigger} loslassen",
    "stop-all": "Alles stoppen",
    "stop-operations": "Stoppen, was verlangt wurde",
    "hang-up": "{call} auflegen",
    hangUpAll: "Alle Anrufe auflegen",
    "answer-call": "Anruf annehmen",
    "send-digits": "Ziffern {digits} senden",
    "play-clip": "Clip „{clip}“ abspielen",
    "stop-clip": "Clip „{clip}“ stoppen",
    stopClips: "Einen Clip stoppen",
    "start-recording": "{source} aufnehmen",
    "stop-recording": "Aufnahme beenden",
    volume: "Lautstärke {volume_db} dB",
    mute: "Stummschalten",
    unmute: "Stummschaltung aufheben",
    dial: "{uri} anrufen",
    locate: "Zeigen, wo das Gerät ist",
    healthCheck: "Funktion des Geräts prüfen",
    SignalingLED: "Signallicht",
    AudioLED: "Audiolicht",
    AudioSpeaker: "Lautsprecher",
    "sound.call": "Anruf",
    "sound.page": "Durchsage",
    "sound.siren": "Sirene",
    "sound.clip": "Clip",
    "sound.tone": "Prüfton",
    unknown: "unbekannt",
  },
});

type Key = Parameters<typeof t>[0];
type Items = Record<string, unknown>;

const text = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const say = (key: Key, items: Items): string => t(key, Object.fromEntries(Object.entries(items).map(([name, value]) => [name, text(value)])));

/** The words of a key that a value makes; the value itself where there are none. */
function named(prefix: string, value: unknown): string {
  const key = `${prefix}${text(value)}` as Key;
  const found = t(key);
  return found === key ? text(value) : found;
}

/** What the device calls SignalingLED, AudioLED and AudioSpeaker, for people. */
export const functionWords = (name: string): string => named("", name);
export const soundWords = (kind: string): string => named("sound.", kind);
export const callStateWords = (state: string): string => named("call.", state);
export const partyWords = (uri: unknown): string => party(text(uri)) || t("unknown");

const callWords = (i: Items): string =>
  i.direction === "outgoing"
    ? t("callTo", { party: partyWords(i.remote_uri), state: callStateWords(text(i.state)) })
    : t("callFrom", { party: partyWords(i.remote_uri), extension: text(i.extension) || partyWords(i.local_uri), state: callStateWords(text(i.state)) });

const either = (on: Key, off: Key, member = "active") => (i: Items): string => say(i[member] ? on : off, i);
const withParty = (key: Key) => (i: Items): string => say(key, { ...i, party: partyWords(i.remote_uri) });
const plain = (key: Key) => (i: Items): string => say(key, i);
const heard = (on: Key, hidden: Key, off: Key) => (i: Items): string => say(i.state === "active" ? on : i.state === "hidden" ? hidden : off, i);

const KNOWN: Record<string, (items: Items) => string> = {
  "call/state_change": callWords,
  "call/state": callWords,
  "call/registration": (i) => say("account", { ...i, words: told(text(i.words || i.state)) }),
  "call/audio": (i) => say("audio", { ...i, words: i.words || (i.verdict === "ok" ? t("heard") : i.verdict) }),
  "call/message": withParty("message"),
  "call/flood": plain("flood"),
  "call/digit": plain("digit"),
  "call/pin_refused": withParty("pin"),
  "call/dtmf": plain("dtmf"),
  "signal/operation": (i) => say("operation", { function: functionWords(text(i.function)), pattern: i.pattern, phase: named("", i.phase) }) + (i.profile ? ` · ${text(i.profile)}` : ""),
  "signal/maintenance": either("maintenanceOn", "maintenanceOff"),
  "signal/health_check": either("healthGood", "healthBad", "passed"),
  "sound/clip": either("clipPlays", "clipEnded", "playing"),
  "sound/page": heard("pageHeard", "pageHidden", "pageEnded"),
  "sound/stream": heard("streamOn", "streamHidden", "streamOff"),
  "sound/output": either("speakerOn", "speakerOff"),
  "sound/microphone": either("micOn", "micOff", "on"),
  "sound/live_stream": either("listenOn", "listenOff"),
  "sound/recording": either("recordingOn", "recordingOff"),
  "sound/played": (i) => say("played", { ...i, kind: soundWords(text(i.kind)), time: seconds(Number(i.heard_seconds)) }),
  "network/hearing": (i) => text(i.words || i.state),
  "input/manual_trigger": either("triggerOn", "triggerOff"),
  "device/settings": plain("settings"),
  "device/service": either("works", "broken", "working"),
  "rule/state": either("ruleOn", "ruleOff"),
  "rule/failed": plain("ruleFailed"),
  "start-profile": plain("start-profile"),
  "stop-profile": plain("stop-profile"),
  "start-operation": (i) => say("start-operation", { ...i, function: functionWords(text(i.function)) }),
  "stop-operations": plain("stop-operations"),
  "set-maintenance": either("setMaintenanceOn", "setMaintenanceOff"),
  "set-manual-trigger": either("pressTrigger", "releaseTrigger"),
  "stop-all": plain("stop-all"),
  "hang-up": either("hang-up", "hangUpAll", "call"),
  "answer-call": plain("answer-call"),
  "send-digits": plain("send-digits"),
  "play-clip": plain("play-clip"),
  "stop-clip": either("stop-clip", "stopClips", "clip"),
  "start-recording": plain("start-recording"),
  "stop-recording": plain("stop-recording"),
  "set-volume": (i) => [i.volume_db !== undefined && say("volume", i), i.muted !== undefined && t(i.muted ? "mute" : "unmute")].filter(Boolean).join(", "),
  dial: plain("dial"),
  "locate-device": plain("locate"),
  "run-health-check": plain("healthCheck"),
};
const SPEAKING = new Set(["http", "datagram", "sip"]); // inputs whose words need no more

/** One link of a chain of causes. */
export function linkWords(link: Link): string {
  const known = KNOWN[link.name];
  if (known) return known(link.items);
  if (link.kind === "input") return SPEAKING.has(link.name) ? text(link.items.words) : `${link.name}: ${text(link.items.words)}`;
  const items = Object.entries(link.items).map(([name, value]) => `${name} ${text(value)}`).join(", ");
  return `${told(link.words ?? link.name)}${items ? ` (${items})` : ""}`;
}

/** The one cause that says most: what happened outside, or the fact that an order follows from. */
export function shortCause(chain: readonly Link[]): string {
  const facts = chain.filter((link) => link.kind === "event" && !link.name.startsWith("rule/"));
  const best = facts.find((link) => /^(call|input)\//.test(link.name)) ?? facts[0] ?? chain.at(-1);
  return best ? linkWords(best) : "";
}

/** What people do not read as news: it is shown by its consequences. */
export const isQuiet = ({ name, items }: Link): boolean => name === "call/state" || (name === "call/audio" && ["ok", "not_yet", "none"].includes(text(items.verdict)));
