// What rules can be made of, in the order and the words that people look for it. What the device
// declares and is not named here is offered all the same, under its own words.

import { language } from "../../words";
import type { Condition, Declared, DeclaredEvent, Match } from "./model";

type Both = readonly [en: string, de: string];
type Group = readonly [title: Both, names: readonly string[]];

const pick = (both: Both): string => both[language.value === "de" ? 1 : 0];

const EVENT_GROUPS: readonly Group[] = [
  [["Calls", "Anrufe"], ["call/state", "call/state_change", "call/dtmf", "call/digit", "call/registration", "call/message", "call/pin_refused", "call/audio", "call/flood"]],
  [["Inputs and outputs", "Ein- und Ausgänge"], ["input/port", "input/virtual", "input/manual_trigger", "output/port"]],
  [["Time", "Zeit"], ["schedule/interval", "schedule/pulse", "device/time"]],
  [["Light and siren", "Licht und Sirene"], ["signal/operation", "signal/maintenance", "signal/health_check"]],
  [["Sound", "Ton"], ["sound/clip", "sound/page", "sound/stream", "sound/page_out", "sound/output", "sound/microphone", "sound/level", "sound/live_stream", "sound/recording", "sound/volume", "sound/played", "device/speaker_test"]],
  [["MQTT and messages", "MQTT und Nachrichten"], ["mqtt/state", "mqtt/message", "mqtt/client", "send/result", "send/outbox"]],
  [["Rules", "Regeln"], ["rule/state", "rule/failed", "log/entry"]],
  [["Device and network", "Gerät und Netz"], ["device/started", "device/service", "storage/alert", "device/settings", "device/sign_in_failed", "device/address_blocked", "network/lost", "network/address", "network/hearing"]],
];

const EVENTS: Record<string, Both> = {
  "call/state": ["A call is in a state", "Ein Anruf ist in einem Zustand"],
  "call/state_change": ["A call changes its state", "Ein Anruf wechselt seinen Zustand"],
  "call/dtmf": ["A sequence of digits is pressed", "Eine Ziffernfolge wird gedrückt"],
  "call/digit": ["A digit is pressed", "Eine Ziffer wird gedrückt"],
  "call/registration": ["How an account is registered", "Wie ein Konto angemeldet ist"],
  "call/message": ["A text message comes", "Eine Textnachricht kommt"],
  "call/pin_refused": ["A wrong PIN is entered", "Eine falsche PIN wird eingegeben"],
  "call/audio": ["Whether a call is heard", "Ob ein Anruf gehört wird"],
  "call/flood": ["A caller is slowed down", "Ein Anrufer wird gebremst"],
  "input/port": ["An input is active", "Ein Eingang ist aktiv"],
  "input/virtual": ["A virtual input is active", "Ein virtueller Eingang ist aktiv"],
  "input/manual_trigger": ["A manual trigger is on", "Ein Handauslöser ist an"],
  "output/port": ["An output is active", "Ein Ausgang ist aktiv"],
  "schedule/interval": ["A schedule is on", "Ein Zeitplan läuft"],
  "schedule/pulse": ["The time of a schedule comes", "Die Zeit eines Zeitplans kommt"],
  "device/time": ["The clock is set", "Die Uhr wird gestellt"],
  "signal/operation": ["A light or siren runs", "Ein Licht oder eine Sirene läuft"],
  "signal/maintenance": ["Maintenance mode is on", "Der Wartungsmodus ist an"],
  "signal/health_check": ["A health check ends", "Eine Funktionsprüfung endet"],
  "sound/clip": ["A clip plays", "Ein Clip spielt"],
  "sound/page": ["A page by multicast comes", "Eine Multicast-Durchsage kommt"],
  "sound/stream": ["A stream over HTTP comes", "Ein Strom über HTTP kommt"],
  "sound/page_out": ["A clip goes out as a page", "Ein Clip geht als Durchsage hinaus"],
  "sound/output": ["The speaker plays", "Der Lautsprecher spielt"],
  "sound/microphone": ["The microphone is on", "Das Mikrofon ist an"],
  "sound/level": ["It is loud at the microphone", "Am Mikrofon ist es laut"],
  "sound/live_stream": ["Somebody listens live", "Jemand hört live mit"],
  "sound/recording": ["A recording is made", "Es wird aufgenommen"],
  "sound/volume": ["The volume", "Die Lautstärke"],
  "sound/played": ["A sound has ended", "Ein Klang ist zu Ende"],
  "device/speaker_test": ["A test of the speaker ends", "Ein Test des Lautsprechers endet"],
  "mqtt/state": ["A state told over MQTT", "Ein über MQTT gemeldeter Zustand"],
  "mqtt/message": ["A message comes over MQTT", "Eine Nachricht kommt über MQTT"],
  "mqtt/client": ["The MQTT client is connected", "Der MQTT-Client ist verbunden"],
  "send/result": ["A message was sent or given up", "Eine Nachricht wurde gesendet oder aufgegeben"],
  "send/outbox": ["Messages wait in the outbox", "Nachrichten warten im Postausgang"],
  "rule/state": ["Another rule is active", "Eine andere Regel ist aktiv"],
  "rule/failed": ["Another rule cannot act", "Eine andere Regel kann nicht handeln"],
  "log/entry": ["Something is written into the log", "Etwas wird ins Protokoll geschrieben"],
  "device/started": ["The device has started", "Das Gerät ist gestartet"],
  "device/service": ["A part of the device works", "Ein Teil des Geräts funktioniert"],
  "storage/alert": ["The disk is full or broken", "Der Datenträger ist voll oder defekt"],
  "device/settings": ["The settings change", "Die Einstellungen ändern sich"],
  "device/sign_in_failed": ["Somebody fails to sign in", "Eine Anmeldung misslingt"],
  "device/address_blocked": ["An address is blocked", "Eine Adresse wird gesperrt"],
  "network/lost": ["The network is lost", "Das Netz ist weg"],
  "network/address": ["An address is got or lost", "Eine Adresse kommt oder geht"],
  "network/hearing": ["Whether multicast is heard", "Ob Multicast gehört wird"],
};

const ACTION_GROUPS: readonly Group[] = [
  [["Light and siren", "Licht und Sirene"], ["run_profile", "start_profile", "stop_profile", "show_color", "run_light", "start_light", "run_siren", "start_siren", "stop_signals"]],
  [["Calls", "Anrufe"], ["answer_call", "hang_up", "dial", "dial_while", "call_recipient", "send_digits"]],
  [["Sound", "Ton"], ["play_clip", "play_clip_while", "stop_clip", "page_clip", "page_while", "stop_pages", "record", "record_while", "set_volume"]],
  [["Inputs and outputs", "Ein- und Ausgänge"], ["set_output_while", "set_output", "pulse_output", "set_virtual_input_while", "set_virtual_input", "set_manual_trigger"]],
  [["Messages", "Nachrichten"], ["send_mail", "send_http", "send_tcp", "upload_file", "publish_mqtt", "write_log"]],
  [["Device", "Gerät"], ["run_speaker_test", "run_health_check", "set_maintenance", "locate"]],
];

const ACTIONS_DE: Record<string, string> = {
  run_profile: "Ein Profil laufen lassen, solange die Regel aktiv ist",
  start_profile: "Ein Profil starten",
  stop_profile: "Ein Profil stoppen",
  show_color: "Eine Farbe zeigen, solange die Regel aktiv ist",
  run_light: "Ein Licht laufen lassen, solange die Regel aktiv ist",
  start_light: "Ein Licht starten",
  run_siren: "Die Sirene tönen lassen, solange die Regel aktiv ist",
  start_siren: "Die Sirene starten",
  stop_signals: "Licht oder Sirene stoppen",
  answer_call: "Den Anruf annehmen",
  hang_up: "Auflegen",
  dial: "Anrufen",
  dial_while: "Anrufen, solange die Regel aktiv ist",
  call_recipient: "Einen Empfänger anrufen",
  send_digits: "Ziffern senden",
  play_clip: "Einen Clip spielen",
  play_clip_while: "Einen Clip spielen, solange die Regel aktiv ist",
  stop_clip: "Einen Clip stoppen",
  page_clip: "Einen Clip an eine Multicast-Gruppe durchsagen",
  page_while: "Einen Clip durchsagen, solange die Regel aktiv ist",
  stop_pages: "Spätere Durchsagen stoppen",
  record: "Aufnehmen",
  record_while: "Aufnehmen, solange die Regel aktiv ist",
  set_volume: "Die Lautstärke ändern",
  set_output_while: "Einen Ausgang schalten, solange die Regel aktiv ist",
  set_output: "Einen Ausgang schalten",
  pulse_output: "Einen Ausgang für eine Weile schalten",
  set_virtual_input_while: "Einen virtuellen Eingang schalten, solange die Regel aktiv ist",
  set_virtual_input: "Einen virtuellen Eingang schalten",
  set_manual_trigger: "Einen Handauslöser schalten",
  send_mail: "Eine Mail senden",
  send_http: "Eine HTTP-Anfrage senden",
  send_tcp: "Einen Text über TCP senden",
  upload_file: "Eine Datei hochladen",
  publish_mqtt: "Über MQTT veröffentlichen",
  write_log: "Ins Protokoll schreiben",
  run_speaker_test: "Den Lautsprecher testen",
  run_health_check: "Die Funktionsprüfung ausführen",
  set_maintenance: "Den Wartungsmodus schalten",
  locate: "Das Gerät finden lassen",
};

const ITEMS: Record<string, Both> = {
  state: ["State", "Zustand"],
  direction: ["Direction", "Richtung"],
  account: ["Account", "Konto"],
  extension: ["Called extension", "Gerufene Nebenstelle"],
  line: ["Extension with a role", "Nebenstelle mit Aufgabe"],
  local_uri: ["Our address", "Unsere Adresse"],
  remote_uri: ["Address of the other side", "Adresse der Gegenseite"],
  reason: ["Reason", "Grund"],
  before: ["State before", "Zustand davor"],
  digit: ["Digit", "Ziffer"],
  name: ["Name", "Name"],
  sequence: ["Digits", "Ziffern"],
  server: ["Server", "Server"],
  code: ["Code", "Code"],
  words: ["In words", "In Worten"],
  verdict: ["Verdict", "Urteil"],
  text: ["Text", "Text"],
  kind: ["Kind", "Art"],
  address: ["Address", "Adresse"],
  port: ["Port", "Anschluss"],
  active: ["Active", "Aktiv"],
  input: ["Virtual input", "Virtueller Eingang"],
  trigger: ["Manual trigger", "Handauslöser"],
  supervised: ["Supervised", "Überwacht"],
  schedule: ["Schedule", "Zeitplan"],
  again: ["Again after a restart", "Wieder nach einem Neustart"],
  function: ["Light or siren", "Licht oder Sirene"],
  phase: ["Phase", "Phase"],
  pattern: ["Pattern", "Muster"],
  priority: ["Priority", "Priorität"],
  profile: ["Profile", "Profil"],
  passed: ["Passed", "Bestanden"],
  errors: ["Errors", "Fehler"],
  clip: ["Clip", "Clip"],
  playing: ["Playing", "Spielt"],
  page: ["Source of pages", "Quelle der Durchsagen"],
  sender: ["Sender", "Absender"],
  problem: ["Problem", "Problem"],
  on: ["On", "An"],
  above: ["Louder than set", "Lauter als eingestellt"],
  recording: ["Recording", "Aufnahme"],
  volume_db: ["Volume in dB", "Lautstärke in dB"],
  muted: ["Muted", "Stumm"],
  filter: ["Subscription", "Abonnement"],
  prefix: ["Prefix", "Präfix"],
  topic: ["Topic", "Thema"],
  payload: ["Payload", "Inhalt"],
  connected: ["Connected", "Verbunden"],
  recipient: ["Recipient", "Empfänger"],
  sent: ["Sent", "Gesendet"],
  attempts: ["Attempts", "Versuche"],
  rule: ["Rule", "Regel"],
  waiting: ["How many wait", "Wie viele warten"],
  failing: ["Recipient that fails", "Empfänger, bei dem es misslingt"],
  level: ["Level", "Stufe"],
  service: ["Part of the device", "Teil des Geräts"],
  working: ["Works", "Funktioniert"],
  alert: ["Trouble", "Störung"],
  interface: ["Interface", "Schnittstelle"],
  lost: ["Lost", "Weg"],
  added: ["Added", "Hinzugekommen"],
  test: ["Test", "Test"],
  way: ["Way", "Weg"],
  paths: ["What was changed", "Was geändert wurde"],
  uri: ["Address", "Adresse"],
};

const VALUES: Record<string, Both> = {
  true: ["yes", "ja"],
  false: ["no", "nein"],
  idle: ["idle: none there", "keiner da"],
  calling: ["is being placed", "wird aufgebaut"],
  ringing: ["rings", "klingelt"],
  pin: ["waits for the PIN", "wartet auf die PIN"],
  active: ["active", "aktiv"],
  terminated: ["ended", "beendet"],
  incoming: ["incoming", "eingehend"],
  outgoing: ["outgoing", "ausgehend"],
  initiated: ["begins", "beginnt"],
  denied: ["refused", "abgelehnt"],
  no_answer: ["not answered", "nicht angenommen"],
  busy: ["busy", "besetzt"],
  failed: ["failed", "misslungen"],
  accepted_by_remote: ["answered by the other side", "von der Gegenseite angenommen"],
  accepted_by_device: ["answered by this device", "von diesem Gerät angenommen"],
  off: ["off", "aus"],
  trying: ["tries", "versucht es"],
  registered: ["registered", "angemeldet"],
  given_up: ["given up", "aufgegeben"],
  open: ["open", "offen"],
  closed: ["closed", "geschlossen"],
  shorted: ["shorted", "kurzgeschlossen"],
  cut: ["cut", "durchtrennt"],
  undefined: ["not defined", "nicht bestimmt"],
  SignalingLED: ["Signalling light", "Signalleuchte"],
  AudioLED: ["Audio light", "Audioleuchte"],
  AudioSpeaker: ["Siren", "Sirene"],
  shown: ["is shown", "wird gezeigt"],
  hidden: ["hidden by another", "von anderem verdeckt"],
  ended: ["ended", "beendet"],
  waiting: ["waits", "wartet"],
  speaking: ["goes out", "geht hinaus"],
  first: ["it is new", "es ist neu"],
  stopped: ["was stopped", "wurde angehalten"],
  killed: ["was ended by force", "wurde gewaltsam beendet"],
  power: ["power was lost", "Stromausfall"],
  calibration: ["calibration", "Kalibrierung"],
  test: ["test", "Test"],
  acoustic: ["by the microphone", "über das Mikrofon"],
  "loop-back": ["without a microphone", "ohne Mikrofon"],
  hearing: ["heard", "gehört"],
  "no querier": ["nobody asks for them", "niemand fragt danach"],
  deaf: ["not heard", "nicht gehört"],
  "cannot tell": ["not known", "unbekannt"],
};

/** What a condition on this event begins with: what people mostly want of it. */
const START: Record<string, Match> = {
  "call/state": { state: "active" },
  "call/state_change": { reason: "accepted_by_device" },
  "call/registration": { state: "failed" },
  "input/port": { port: "1", active: "true" },
  "input/virtual": { input: "1", active: "true" },
  "input/manual_trigger": { trigger: "1", active: "true" },
  "output/port": { port: "1", active: "true" },
  "signal/operation": { phase: "shown" },
  "signal/health_check": { passed: "false" },
  "device/speaker_test": { passed: "false" },
  "device/service": { working: "false" },
  "mqtt/client": { connected: "true" },
  "send/result": { sent: "false" },
  "sound/page": { state: "active" },
  "sound/stream": { state: "active" },
  "network/hearing": { state: "deaf" },
};

/** Numbers of things that are new each time: nobody can know them beforehand. */
const FLEETING = new Set(["call", "operation", "item", "owner", "revision", "mos", "until", "before", "after", "seconds", "off_since", "off_seconds", "attempts_left", "free_mb", "level_db", "attempts"]);

/** The items that are always in sight; of other events, the first four. */
const MAIN: Record<string, readonly string[]> = {
  "call/state": ["state", "extension", "direction", "account"],
  "call/state_change": ["reason", "extension", "direction", "account"],
  "call/digit": ["digit", "extension"],
  "call/dtmf": ["name", "extension"],
  "input/port": ["port", "active"],
  "mqtt/state": ["filter", "active"],
  "mqtt/message": ["filter", "payload"],
  "signal/operation": ["function", "profile", "phase"],
  "send/result": ["recipient", "sent"],
};

export interface Offered {
  title: string;
  entries: { value: string; label: string }[];
}

const words = (name: string): string => name.replaceAll("_", " ").replace("/", ": ");

export const eventTitle = (topic: string): string => (EVENTS[topic] ? pick(EVENTS[topic]) : words(topic));

/** In English it is called as the device calls it. */
export const actionTitle = (name: string, declared: Declared): string =>
  (language.value === "de" && ACTIONS_DE[name]) || declared.actions[name]?.words || words(name);

export const itemTitle = (name: string): string => (ITEMS[name] ? pick(ITEMS[name]) : words(name).replace(/^./, (first) => first.toUpperCase()));

export const valueTitle = (value: string): string => (VALUES[value] ? pick(VALUES[value]) : words(value));

function grouped(groups: readonly Group[], known: readonly string[], title: (name: string) => string): Offered[] {
  const named = new Set(groups.flatMap(([, names]) => names));
  const others = known.filter((name) => !named.has(name));
  const all: Group[] = [...groups, [["More", "Weiteres"], others]];
  return all
    .map(([group, names]) => ({
      title: pick(group),
      entries: names.filter((name) => known.includes(name)).map((value) => ({ value, label: title(value) })),
    }))
    .filter(({ entries }) => entries.length > 0);
}

/** The events that there are to choose from. lasting: only those that can be conditions. */
export function offeredEvents(declared: Declared, lasting: boolean): Offered[] {
  const known = Object.values(declared.events).filter((event) => event.lasting || !lasting);
  return grouped(EVENT_GROUPS, known.map(({ topic }) => topic), eventTitle);
}

export const offeredActions = (declared: Declared): Offered[] => grouped(ACTION_GROUPS, Object.keys(declared.actions), (name) => actionTitle(name, declared));

/** The items of an event that can be asked for, those mostly wanted apart from the others. */
export function itemsOf(event: DeclaredEvent, match: Match): { main: string[]; more: string[] } {
  const names = event.items.map(({ name }) => name).filter((name) => name in match || !FLEETING.has(name) || (name === "before" && event.topic === "call/state_change"));
  const first = MAIN[event.topic] ?? names.slice(0, 4);
  const main = [...first.filter((name) => names.includes(name)), ...names.filter((name) => name in match && !first.includes(name))];
  return { main, more: names.filter((name) => !main.includes(name)) };
}

/** A new condition on this event. */
export function begun(event: DeclaredEvent): Condition {
  const wanted = START[event.topic];
  if (wanted) return { event: event.topic, match: { ...wanted }, invert: false };
  const [rests] = Object.entries(event.rest).filter(([name]) => event.items.some((item) => item.name === name && item.values?.includes("true")));
  const match: Match = rests ? { [rests[0]]: rests[1] === "true" ? "false" : "true" } : {};
  return { event: event.topic, match, invert: false };
}
