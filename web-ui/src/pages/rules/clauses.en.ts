// Events in English, as clauses: "a call to extension 1001 rings".

import { patternWords } from "../../ui/pattern_words";
import { value } from "./model";
import type { Clauses, Items, Mode } from "./said";
import { numbered } from "./said";

export const quote = (text: string): string => `“${value(text)}”`;

type Forms = readonly [is: string, begins: string, ends: string];

/** none: the subject when it is not so, as in "no call". */
function say(mode: Mode, subject: string, none: string, [is, begins, ends]: Forms): string {
  if (mode === "not") return `${none} ${is}`;
  return `${subject} ${mode === "is" ? is : mode === "begins" ? begins : ends}`;
}

/** Of one thing that is there: "is on", "is not on", "is switched on", "is switched off". */
const told = (mode: Mode, subject: string, forms: Record<Mode, string>): string => `${subject} ${forms[mode]}`;

const ON: Record<Mode, string> = { is: "is active", not: "is not active", begins: "becomes active", ends: "is no longer active" };
const PLAYS: Forms = ["plays", "begins to play", "has ended"];

function party(items: Items): string {
  const extension = items.take("extension");
  const line = items.take("line");
  const to = items.take("local_uri");
  const from = items.take("remote_uri");
  const account = items.take("account");
  return [
    (line ?? extension) !== undefined && ` to extension ${value(line ?? extension ?? "")}`,
    to !== undefined && ` to ${value(to)}`,
    from !== undefined && ` with ${value(from)}`,
    account !== undefined && ` on account ${quote(account)}`,
  ]
    .filter(Boolean)
    .join("");
}

function call(items: Items): { a: string; no: string } {
  const direction = items.choose("direction", { incoming: "incoming ", outgoing: "outgoing " });
  const who = party(items);
  const one = `${direction ?? ""}call${who}`;
  return { a: `${direction ? "an" : "a"} ${one}`, no: `no ${one}` };
}

const CALL_STATES: Record<string, Forms> = {
  calling: ["is being placed", "is placed", "is no longer being placed"],
  ringing: ["rings", "begins to ring", "stops ringing"],
  pin: ["waits for its PIN", "begins to wait for its PIN", "no longer waits for its PIN"],
  active: ["is active", "becomes active", "is no longer active"],
  terminated: ["has ended", "ends", "is forgotten"],
};

const REASONS: Record<string, string> = {
  initiated: "begins",
  denied: "is refused",
  no_answer: "is not answered",
  busy: "finds the line busy",
  failed: "fails",
  accepted_by_remote: "is answered by the other side",
  accepted_by_device: "is answered by this device",
  terminated: "ends",
};

const REGISTRATIONS: Record<string, Forms> = {
  off: ["is off", "goes off", "is no longer off"],
  trying: ["tries to register", "begins to register", "no longer tries to register"],
  registered: ["is registered", "has registered", "is no longer registered"],
  failed: ["cannot register", "fails to register", "no longer fails to register"],
  given_up: ["has given up to register", "gives up to register", "tries again to register"],
};

const HEARD: Record<string, Forms> = {
  active: ["is heard", "begins to be heard", "is no longer heard"],
  hidden: ["is silent behind another", "goes silent behind another", "is no longer hidden"],
  idle: ["is idle", "ends", "begins"],
};

const CIRCUITS: Record<string, Forms> = {
  open: ["is open", "opens", "is no longer open"],
  closed: ["is closed", "closes", "is no longer closed"],
  shorted: ["is shorted", "is shorted", "is no longer shorted"],
  cut: ["is cut", "is cut", "is no longer cut"],
};

const LIGHTS: Record<string, string> = { SignalingLED: "the signalling light", AudioLED: "the audio light", AudioSpeaker: "the siren" };

export const CLAUSES: Clauses = {
  "call/state"(items, mode) {
    const { a, no } = call(items);
    const state = items.take("state");
    if (state === "idle") return told(mode, "", { is: "there is no call", not: "there is a call", begins: "the last call ends", ends: "a call begins" }).trim();
    const forms = state === undefined ? undefined : CALL_STATES[state];
    if (!forms) return { is: `there is ${a}`, not: `there is ${no}`, begins: `${a} begins`, ends: `${a} ends` }[mode];
    return say(mode, a, no, forms);
  },
  "call/state_change"(items) {
    const { a } = call(items);
    const reason = items.choose("reason", REASONS);
    const state = items.take("state");
    const before = items.take("before");
    if (reason) return `${a} ${reason}`;
    if (before || state) return `${a} changes${before ? ` from ${value(before)}` : ""}${state ? ` to ${value(state)}` : ""}`;
    return `${a} changes its state`;
  },
  "call/digit"(items) {
    const digit = items.take("digit");
    return `${digit ? `digit ${value(digit)}` : "a digit"} is pressed in a call${party(items)}`;
  },
  "call/dtmf"(items) {
    const name = items.take("name");
    const digits = items.take("sequence");
    const what = name ? `the digits for ${quote(name)} are` : digits ? `the digits ${value(digits)} are` : "one of the sequences of digits is";
    return `${what} pressed in a call${party(items)}`;
  },
  "call/pin_refused": (items) => `a caller${party(items)} enters no right PIN`,
  "call/registration"(items, mode) {
    const account = items.take("account");
    const forms = items.choose("state", REGISTRATIONS) ?? ["is known", "tells how it stands", "is gone"];
    const one = account ? `account ${quote(account)}` : "an account";
    return say(mode, one, account ? `it is not so that ${one}` : "no account", forms);
  },
  "call/audio"(items, mode) {
    const verdict = items.take("verdict");
    const [a, no] = ["the sound of a call", "the sound of no call"];
    if (verdict === undefined) return say(mode, a, no, ["is judged", "is judged", "is no longer judged"]);
    return say(mode, a, no, [`is ${quote(verdict)}`, `becomes ${quote(verdict)}`, `is no longer ${quote(verdict)}`]);
  },
  "call/message"(items) {
    const text = items.take("text");
    return `a text message comes${party(items)}${text ? ` that says ${quote(text)}` : ""}`;
  },
  "call/flood": (items) => `${items.take("address") ? "this caller" : "a caller"} asks too much and is slowed down`,
  "device/address_blocked": () => "an address is blocked for it guesses passwords",
  "device/service"(items, mode) {
    const service = items.take("service");
    const one = service ? `the part ${quote(service)} of the device` : "a part of the device";
    return told(items.turned("working", mode), one, { is: "works", not: "does not work", begins: "works again", ends: "stops working" });
  },
  "device/settings": () => "the settings change",
  "device/sign_in_failed": () => "somebody gives a wrong name or password",
  "device/speaker_test"(items) {
    const test = items.choose("test", { test: "the test of the speaker", calibration: "the calibration of the speaker" }) ?? "a test of the speaker";
    const passed = items.choose("passed", { true: "is passed", false: "fails" }) ?? "ends";
    return `${test} ${passed}`;
  },
  "device/started"(items) {
    const reason = items.choose("reason", {
      first: " for the first time",
      stopped: " after it was stopped",
      killed: " after it was ended by force",
      power: " after the power was lost",
    });
    return `the device has started${reason ?? ""}`;
  },
  "device/time": () => "the clock of the device is set",
  "input/manual_trigger"(items, mode) {
    const number = items.take("trigger");
    const one = number ? numbered("manual trigger", number, items.names.trigger(number), quote) : "a manual trigger";
    return told(items.turned("active", mode), one, { is: "is on", not: "is off", begins: "is switched on", ends: "is switched off" });
  },
  "input/port"(items, mode) {
    const number = items.take("port");
    const one = number ? numbered("input", number, items.names.port(number), quote) : "an input";
    const circuit = items.choose("state", CIRCUITS);
    if (circuit) return say(mode, `the circuit of ${one}`, `it is not so that the circuit of ${one}`, circuit);
    return told(items.turned("active", mode), one, ON);
  },
  "input/virtual"(items, mode) {
    const number = items.take("input");
    const one = number ? numbered("virtual input", number, items.names.input(number), quote) : "a virtual input";
    return told(items.turned("active", mode), one, ON);
  },
  "output/port"(items, mode) {
    const number = items.take("port");
    const one = number ? numbered("output", number, items.names.port(number), quote) : "an output";
    return told(items.turned("active", mode), one, ON);
  },
  "log/entry"(items) {
    const text = items.take("text");
    return text ? `${quote(text)} is written into the log` : "something is written into the log";
  },
  "mqtt/client"(items, mode) {
    const active = items.take("active");
    if (active !== undefined && items.rest.length === 0) {
      return told(active === "false" ? turn(mode) : mode, "the MQTT client", { is: "is switched on", not: "is switched off", begins: "is switched on", ends: "is switched off" });
    }
    return told(items.turned("connected", mode), "the MQTT client", {
      is: "is connected to its broker",
      not: "is not connected to its broker",
      begins: "has connected to its broker",
      ends: "loses its broker",
    });
  },
  "mqtt/message"(items) {
    const filter = items.take("filter");
    const topic = items.take("topic");
    const payload = items.take("payload");
    return `${payload !== undefined ? `the message ${quote(payload)}` : "a message"} comes over MQTT${filter ? ` on ${quote(filter)}` : ""}${topic ? ` with topic ${quote(topic)}` : ""}`;
  },
  "mqtt/state"(items, mode) {
    const filter = items.take("filter");
    const payload = items.take("payload");
    const one = filter ? `the state on ${quote(filter)}` : "a state told over MQTT";
    if (payload !== undefined) return told(mode, one, { is: `is ${quote(payload)}`, not: `is not ${quote(payload)}`, begins: `becomes ${quote(payload)}`, ends: `is no longer ${quote(payload)}` });
    return told(items.turned("active", mode), one, ON);
  },
  "network/address"(items) {
    const added = items.choose("added", { true: "gets an address", false: "loses an address" }) ?? "gets or loses an address";
    return `the device ${added}`;
  },
  "network/hearing"(items, mode) {
    const state = items.take("state");
    if (state === undefined) return told(mode, "whether pages by multicast are heard", { is: "is known", not: "is not known", begins: "changes", ends: "changes" });
    return told(mode, "the hearing of pages by multicast", { is: `is ${quote(state)}`, not: `is not ${quote(state)}`, begins: `becomes ${quote(state)}`, ends: `is no longer ${quote(state)}` });
  },
  "network/lost"(items, mode) {
    const name = items.take("interface");
    const one = name ? `the network interface ${quote(name)}` : "a network interface";
    return told(items.turned("lost", mode), one, { is: "has no link", not: "has a link", begins: "loses its link", ends: "has its link again" });
  },
  "rule/failed"(items) {
    const rule = items.take("rule");
    return `${rule ? `the rule ${quote(rule)}` : "a rule"} cannot act`;
  },
  "rule/state"(items, mode) {
    const rule = items.take("rule");
    return told(items.turned("active", mode), rule ? `the rule ${quote(rule)}` : "a rule", { ...ON, begins: "begins", ends: "ends" });
  },
  "schedule/interval"(items, mode) {
    const name = items.take("schedule");
    const one = name ? `the schedule ${quote(name)}` : "a schedule";
    return told(items.turned("active", mode), one, { is: "is on", not: "is not on", begins: "begins", ends: "ends" });
  },
  "schedule/pulse"(items) {
    const name = items.take("schedule");
    return `the time of ${name ? `the schedule ${quote(name)}` : "a schedule"} has come`;
  },
  "send/outbox"(items, mode) {
    items.take("waiting");
    const failing = items.take("failing");
    if (failing) return told(mode, `messages to ${quote(failing)}`, { is: "fail", not: "do not fail", begins: "fail", ends: "no longer fail" });
    return told(mode, "messages", { is: "wait in the outbox", not: "do not wait in the outbox", begins: "have to wait in the outbox", ends: "no longer wait in the outbox" });
  },
  "send/result"(items) {
    const to = items.take("recipient");
    const how = items.choose("sent", { true: "is sent", false: "is given up" }) ?? "is sent or given up";
    return `a message${to ? ` to ${quote(to)}` : ""} ${how}`;
  },
  "signal/health_check"(items) {
    return `the health check ${items.choose("passed", { true: "is passed", false: "fails" }) ?? "ends"}`;
  },
  "signal/maintenance": (items, mode) =>
    told(items.turned("active", mode), "maintenance mode", { is: "is on", not: "is off", begins: "is switched on", ends: "is switched off" }),
  "signal/operation"(items, mode) {
    const where = items.choose("function", LIGHTS);
    const profile = items.take("profile");
    const pattern = items.take("pattern");
    const phase = items.take("phase");
    const what = profile ? `the profile ${quote(profile)}` : pattern ? `the pattern ${quote(patternWords(pattern))}` : "something";
    const forms: Forms = phase === "hidden" ? ["waits behind another", "is hidden by another", "no longer waits behind another"] : phase === "ended" ? ["has ended", "ends", "has ended"] : ["runs", "begins", "ends"];
    return `${say(mode, what, what === "something" ? "nothing" : `it is not so that ${what}`, forms)}${where ? ` on ${where}` : ""}`;
  },
  "sound/clip"(items, mode) {
    const clip = items.take("clip");
    const turned = items.turned("playing", mode);
    if (!clip) return say(turned, "a clip", "no clip", PLAYS);
    return told(turned, `the clip ${quote(clip)}`, { is: "plays", not: "does not play", begins: "begins to play", ends: "has ended" });
  },
  "sound/level": (items, mode) =>
    told(items.turned("above", mode), "the microphone", {
      is: "hears more than the set level",
      not: "hears less than the set level",
      begins: "hears more than the set level",
      ends: "hears less than the set level again",
    }),
  "sound/live_stream": (items, mode) => {
    const now = items.turned("active", mode);
    return { is: "somebody listens live", not: "nobody listens live", begins: "somebody begins to listen live", ends: "nobody listens live any more" }[now];
  },
  "sound/microphone": (items, mode) =>
    told(items.turned("on", mode), "the microphone", { is: "is on", not: "is off", begins: "is switched on", ends: "is switched off" }),
  "sound/output": (items, mode) =>
    told(items.turned("active", mode), "the speaker", { is: "plays something", not: "is silent", begins: "begins to play", ends: "falls silent" }),
  "sound/page"(items, mode) {
    const page = items.take("page");
    const forms = items.choose("state", HEARD) ?? (["comes", "begins", "ends"] as const);
    const one = page ? `the page ${quote(page)}` : "a page";
    return say(mode, one, page ? `it is not so that ${one}` : "no page", forms);
  },
  "sound/page_out"(items, mode) {
    const clip = items.take("clip");
    const forms = items.choose<Forms>("state", { waiting: ["waits to go out", "waits to go out", "no longer waits"], speaking: ["goes out", "goes out", "has gone out"] });
    const one = clip ? `the clip ${quote(clip)} as a page` : "a clip as a page";
    return say(mode, one, clip ? `it is not so that ${one}` : "no clip as a page", forms ?? ["goes out or waits", "is begun", "is over"]);
  },
  "sound/played": () => "a sound has ended",
  "sound/recording": (items, mode) => {
    const now = items.turned("active", mode);
    return { is: "a recording is made", not: "no recording is made", begins: "a recording begins", ends: "a recording ends" }[now];
  },
  "sound/stream"(items, mode) {
    return say(mode, "an audio stream over HTTP", "no audio stream over HTTP", items.choose("state", HEARD) ?? ["comes", "begins", "ends"]);
  },
  "sound/volume"(items, mode) {
    const muted = items.take("muted");
    if (muted !== undefined) return told(muted === "false" ? turn(mode) : mode, "the speaker", { is: "is muted", not: "is not muted", begins: "is muted", ends: "is no longer muted" });
    const volume = items.take("volume_db");
    if (volume === undefined) return "the volume is known";
    return told(mode, "the volume", { is: `is ${value(volume)} dB`, not: `is not ${value(volume)} dB`, begins: `is set to ${value(volume)} dB`, ends: `is no longer ${value(volume)} dB` });
  },
  "storage/alert": (items, mode) =>
    told(items.turned("alert", mode), "the disk", { is: "is full or cannot be written", not: "is well", begins: "gets full or cannot be written", ends: "is well again" }),
};

function turn(mode: Mode): Mode {
  return ({ is: "not", not: "is", begins: "ends", ends: "begins" } as const)[mode];
}
