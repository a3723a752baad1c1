// Events in German, as subordinate clauses: "ein Anruf an Nebenstelle 1001 klingelt".

import { patternWords } from "../../ui/pattern_words";
import { value } from "./model";
import type { Clauses, Items, Mode } from "./said";
import { numbered } from "./said";

export const quote = (text: string): string => `„${value(text)}“`;

type Forms = readonly [is: string, begins: string, ends: string];

function say(mode: Mode, subject: string, none: string, [is, begins, ends]: Forms): string {
  if (mode === "not") return `${none} ${is}`;
  return `${subject} ${mode === "is" ? is : mode === "begins" ? begins : ends}`;
}

const told = (mode: Mode, subject: string, forms: Record<Mode, string>): string => `${subject} ${forms[mode]}`;

const ON: Record<Mode, string> = { is: "aktiv ist", not: "nicht aktiv ist", begins: "aktiv wird", ends: "nicht mehr aktiv ist" };

function party(items: Items): string {
  const extension = items.take("extension");
  const line = items.take("line");
  const to = items.take("local_uri");
  const from = items.take("remote_uri");
  const account = items.take("account");
  return [
    (line ?? extension) !== undefined && ` an Nebenstelle ${value(line ?? extension ?? "")}`,
    to !== undefined && ` an ${value(to)}`,
    from !== undefined && ` mit ${value(from)}`,
    account !== undefined && ` über Konto ${quote(account)}`,
  ]
    .filter(Boolean)
    .join("");
}

function call(items: Items): { a: string; no: string } {
  const direction = items.choose("direction", { incoming: "eingehender ", outgoing: "ausgehender " }) ?? "";
  const who = party(items);
  return { a: `ein ${direction}Anruf${who}`, no: `kein ${direction}Anruf${who}` };
}

const CALL_STATES: Record<string, Forms> = {
  calling: ["aufgebaut wird", "aufgebaut wird", "nicht mehr aufgebaut wird"],
  ringing: ["klingelt", "zu klingeln beginnt", "nicht mehr klingelt"],
  pin: ["auf seine PIN wartet", "auf seine PIN zu warten beginnt", "nicht mehr auf seine PIN wartet"],
  active: ["verbunden ist", "verbunden wird", "nicht mehr verbunden ist"],
  terminated: ["beendet ist", "endet", "vergessen ist"],
};

const REASONS: Record<string, string> = {
  initiated: "beginnt",
  denied: "abgelehnt wird",
  no_answer: "nicht angenommen wird",
  busy: "auf besetzt trifft",
  failed: "misslingt",
  accepted_by_remote: "von der anderen Seite angenommen wird",
  accepted_by_device: "von diesem Gerät angenommen wird",
  terminated: "endet",
};

const REGISTRATIONS: Record<string, Forms> = {
  off: ["aus ist", "ausgeht", "nicht mehr aus ist"],
  trying: ["sich anzumelden versucht", "sich anzumelden beginnt", "sich nicht mehr anzumelden versucht"],
  registered: ["angemeldet ist", "sich angemeldet hat", "nicht mehr angemeldet ist"],
  failed: ["sich nicht anmelden kann", "sich nicht anmelden kann", "sich wieder anmelden kann"],
  given_up: ["die Anmeldung aufgegeben hat", "die Anmeldung aufgibt", "die Anmeldung wieder versucht"],
};

const HEARD: Record<string, Forms> = {
  active: ["gehört wird", "gehört wird", "nicht mehr gehört wird"],
  hidden: ["hinter anderem stumm ist", "hinter anderem verstummt", "nicht mehr verdeckt ist"],
  idle: ["ruht", "endet", "beginnt"],
};

const CIRCUITS: Record<string, Forms> = {
  open: ["offen ist", "öffnet", "nicht mehr offen ist"],
  closed: ["geschlossen ist", "schließt", "nicht mehr geschlossen ist"],
  shorted: ["kurzgeschlossen ist", "kurzgeschlossen wird", "nicht mehr kurzgeschlossen ist"],
  cut: ["durchtrennt ist", "durchtrennt wird", "nicht mehr durchtrennt ist"],
};

const LIGHTS: Record<string, string> = { SignalingLED: "der Signalleuchte", AudioLED: "der Audioleuchte", AudioSpeaker: "der Sirene" };

export const CLAUSES: Clauses = {
  "call/state"(items, mode) {
    const { a, no } = call(items);
    const state = items.take("state");
    if (state === "idle") return { is: "kein Anruf besteht", not: "ein Anruf besteht", begins: "der letzte Anruf endet", ends: "ein Anruf beginnt" }[mode];
    const forms = state === undefined ? undefined : CALL_STATES[state];
    return say(mode, a, no, forms ?? ["besteht", "beginnt", "endet"]);
  },
  "call/state_change"(items) {
    const { a } = call(items);
    const reason = items.choose("reason", REASONS);
    const state = items.take("state");
    const before = items.take("before");
    if (reason) return `${a} ${reason}`;
    if (before || state) return `${a}${before ? ` von ${value(before)}` : ""}${state ? ` zu ${value(state)}` : ""} wechselt`;
    return `${a} seinen Zustand wechselt`;
  },
  "call/digit"(items) {
    const digit = items.take("digit");
    return `in einem Anruf${party(items)} ${digit ? `die Ziffer ${value(digit)}` : "eine Ziffer"} gedrückt wird`;
  },
  "call/dtmf"(items) {
    const name = items.take("name");
    const digits = items.take("sequence");
    const where = party(items);
    if (name) return `in einem Anruf${where} die Ziffern für ${quote(name)} gedrückt werden`;
    if (digits) return `in einem Anruf${where} die Ziffern ${value(digits)} gedrückt werden`;
    return `in einem Anruf${where} eine der Ziffernfolgen gedrückt wird`;
  },
  "call/pin_refused": (items) => `ein Anrufer${party(items)} keine richtige PIN eingibt`,
  "call/registration"(items, mode) {
    const account = items.take("account");
    const forms = items.choose("state", REGISTRATIONS) ?? (["bekannt ist", "sagt, wie es steht", "weg ist"] as const);
    const one = account ? `das Konto ${quote(account)}` : "ein Konto";
    return say(mode, one, account ? `nicht gilt, dass ${one}` : "kein Konto", forms);
  },
  "call/audio"(items, mode) {
    const verdict = items.take("verdict");
    const [a, no] = ["der Ton eines Anrufs", "der Ton keines Anrufs"];
    if (verdict === undefined) return say(mode, a, no, ["beurteilt ist", "beurteilt wird", "nicht mehr beurteilt wird"]);
    return say(mode, a, no, [`${quote(verdict)} ist`, `${quote(verdict)} wird`, `nicht mehr ${quote(verdict)} ist`]);
  },
  "call/message"(items) {
    const text = items.take("text");
    return `eine Textnachricht${party(items)}${text ? ` mit dem Text ${quote(text)}` : ""} kommt`;
  },
  "call/flood": (items) => `${items.take("address") ? "dieser Anrufer" : "ein Anrufer"} zu viel fragt und gebremst wird`,
  "device/address_blocked": () => "eine Adresse gesperrt wird, weil sie Passwörter rät",
  "device/service"(items, mode) {
    const service = items.take("service");
    const one = service ? `der Teil ${quote(service)} des Geräts` : "ein Teil des Geräts";
    return told(items.turned("working", mode), one, { is: "funktioniert", not: "nicht funktioniert", begins: "wieder funktioniert", ends: "zu funktionieren aufhört" });
  },
  "device/settings": () => "die Einstellungen sich ändern",
  "device/sign_in_failed": () => "jemand einen falschen Namen oder ein falsches Passwort angibt",
  "device/speaker_test"(items) {
    const test = items.choose("test", { test: "der Test des Lautsprechers", calibration: "die Kalibrierung des Lautsprechers" }) ?? "ein Test des Lautsprechers";
    return `${test} ${items.choose("passed", { true: "bestanden ist", false: "misslingt" }) ?? "endet"}`;
  },
  "device/started"(items) {
    const reason = items.choose("reason", {
      first: " zum ersten Mal",
      stopped: " nach einem Halt",
      killed: " nach einem gewaltsamen Ende",
      power: " nach einem Stromausfall",
    });
    return `das Gerät${reason ?? ""} gestartet ist`;
  },
  "device/time": () => "die Uhr des Geräts gestellt wird",
  "input/manual_trigger"(items, mode) {
    const number = items.take("trigger");
    const one = number ? numbered("der Handauslöser", number, items.names.trigger(number), quote) : "ein Handauslöser";
    return told(items.turned("active", mode), one, { is: "an ist", not: "aus ist", begins: "eingeschaltet wird", ends: "ausgeschaltet wird" });
  },
  "input/port"(items, mode) {
    const number = items.take("port");
    const one = number ? numbered("Eingang", number, items.names.port(number), quote) : "ein Eingang";
    const circuit = items.choose("state", CIRCUITS);
    if (circuit) return say(mode, `der Stromkreis von ${number ? one : "einem Eingang"}`, `nicht gilt, dass der Stromkreis von ${number ? one : "einem Eingang"}`, circuit);
    return told(items.turned("active", mode), one, ON);
  },
  "input/virtual"(items, mode) {
    const number = items.take("input");
    const one = number ? numbered("der virtuelle Eingang", number, items.names.input(number), quote) : "ein virtueller Eingang";
    return told(items.turned("active", mode), one, ON);
  },
  "output/port"(items, mode) {
    const number = items.take("port");
    const one = number ? numbered("Ausgang", number, items.names.port(number), quote) : "ein Ausgang";
    return told(items.turned("active", mode), one, ON);
  },
  "log/entry"(items) {
    const text = items.take("text");
    return text ? `${quote(text)} ins Protokoll geschrieben wird` : "etwas ins Protokoll geschrieben wird";
  },
  "mqtt/client"(items, mode) {
    const active = items.take("active");
    if (active !== undefined && items.rest.length === 0) {
      return told(active === "false" ? turn(mode) : mode, "der MQTT-Client", { is: "eingeschaltet ist", not: "ausgeschaltet ist", begins: "eingeschaltet wird", ends: "ausgeschaltet wird" });
    }
    return told(items.turned("connected", mode), "der MQTT-Client", {
      is: "mit seinem Broker verbunden ist",
      not: "nicht mit seinem Broker verbunden ist",
      begins: "sich mit seinem Broker verbunden hat",
      ends: "seinen Broker verliert",
    });
  },
  "mqtt/message"(items) {
    const filter = items.take("filter");
    const topic = items.take("topic");
    const payload = items.take("payload");
    return `${payload !== undefined ? `die Nachricht ${quote(payload)}` : "eine Nachricht"} über MQTT${filter ? ` auf ${quote(filter)}` : ""}${topic ? ` mit dem Thema ${quote(topic)}` : ""} kommt`;
  },
  "mqtt/state"(items, mode) {
    const filter = items.take("filter");
    const payload = items.take("payload");
    const one = filter ? `der Zustand auf ${quote(filter)}` : "ein über MQTT gemeldeter Zustand";
    if (payload !== undefined) return told(mode, one, { is: `${quote(payload)} ist`, not: `nicht ${quote(payload)} ist`, begins: `${quote(payload)} wird`, ends: `nicht mehr ${quote(payload)} ist` });
    return told(items.turned("active", mode), one, ON);
  },
  "network/address"(items) {
    return `das Gerät ${items.choose("added", { true: "eine Adresse bekommt", false: "eine Adresse verliert" }) ?? "eine Adresse bekommt oder verliert"}`;
  },
  "network/hearing"(items, mode) {
    const state = items.take("state");
    if (state === undefined) return told(mode, "ob Multicast-Durchsagen gehört werden,", { is: "bekannt ist", not: "nicht bekannt ist", begins: "sich ändert", ends: "sich ändert" });
    return told(mode, "der Empfang von Multicast-Durchsagen", { is: `${quote(state)} ist`, not: `nicht ${quote(state)} ist`, begins: `${quote(state)} wird`, ends: `nicht mehr ${quote(state)} ist` });
  },
  "network/lost"(items, mode) {
    const name = items.take("interface");
    const one = name ? `die Netzwerkschnittstelle ${quote(name)}` : "eine Netzwerkschnittstelle";
    return told(items.turned("lost", mode), one, { is: "keine Verbindung hat", not: "eine Verbindung hat", begins: "ihre Verbindung verliert", ends: "wieder eine Verbindung hat" });
  },
  "rule/failed"(items) {
    const rule = items.take("rule");
    return `${rule ? `die Regel ${quote(rule)}` : "eine Regel"} nicht handeln kann`;
  },
  "rule/state"(items, mode) {
    const rule = items.take("rule");
    return told(items.turned("active", mode), rule ? `die Regel ${quote(rule)}` : "eine Regel", { ...ON, begins: "beginnt", ends: "endet" });
  },
  "schedule/interval"(items, mode) {
    const name = items.take("schedule");
    const one = name ? `der Zeitplan ${quote(name)}` : "ein Zeitplan";
    return told(items.turned("active", mode), one, { is: "läuft", not: "nicht läuft", begins: "beginnt", ends: "endet" });
  },
  "schedule/pulse"(items) {
    const name = items.take("schedule");
    return `die Zeit ${name ? `des Zeitplans ${quote(name)}` : "eines Zeitplans"} gekommen ist`;
  },
  "send/outbox"(items, mode) {
    items.take("waiting");
    const failing = items.take("failing");
    if (failing) return told(mode, `Nachrichten an ${quote(failing)}`, { is: "misslingen", not: "nicht misslingen", begins: "misslingen", ends: "nicht mehr misslingen" });
    return told(mode, "Nachrichten im Postausgang", { is: "warten", not: "nicht warten", begins: "warten müssen", ends: "nicht mehr warten" });
  },
  "send/result"(items) {
    const to = items.take("recipient");
    const how = items.choose("sent", { true: "gesendet ist", false: "aufgegeben wird" }) ?? "gesendet oder aufgegeben ist";
    return `eine Nachricht${to ? ` an ${quote(to)}` : ""} ${how}`;
  },
  "signal/health_check"(items) {
    return `die Funktionsprüfung ${items.choose("passed", { true: "bestanden ist", false: "misslingt" }) ?? "endet"}`;
  },
  "signal/maintenance": (items, mode) =>
    told(items.turned("active", mode), "der Wartungsmodus", { is: "an ist", not: "aus ist", begins: "eingeschaltet wird", ends: "ausgeschaltet wird" }),
  "signal/operation"(items, mode) {
    const where = items.choose("function", LIGHTS);
    const profile = items.take("profile");
    const pattern = items.take("pattern");
    const phase = items.take("phase");
    const what = profile ? `das Profil ${quote(profile)}` : pattern ? `das Muster ${quote(patternWords(pattern))}` : "etwas";
    const place = where ? ` auf ${where}` : "";
    const forms: Forms = phase === "hidden" ? ["hinter anderem wartet", "von anderem verdeckt wird", "nicht mehr hinter anderem wartet"] : phase === "ended" ? ["beendet ist", "endet", "beendet ist"] : ["läuft", "beginnt", "endet"];
    return say(mode, `${what}${place}`, what === "etwas" ? `nichts${place}` : `nicht gilt, dass ${what}${place}`, forms);
  },
  "sound/clip"(items, mode) {
    const clip = items.take("clip");
    const turned = items.turned("playing", mode);
    const forms: Forms = ["spielt", "zu spielen beginnt", "zu Ende ist"];
    if (!clip) return say(turned, "ein Clip", "kein Clip", forms);
    return told(turned, `der Clip ${quote(clip)}`, { is: "spielt", not: "nicht spielt", begins: "zu spielen beginnt", ends: "zu Ende ist" });
  },
  "sound/level": (items, mode) =>
    told(items.turned("above", mode), "das Mikrofon", {
      is: "mehr als den eingestellten Pegel hört",
      not: "weniger als den eingestellten Pegel hört",
      begins: "mehr als den eingestellten Pegel hört",
      ends: "wieder weniger als den eingestellten Pegel hört",
    }),
  "sound/live_stream": (items, mode) => {
    const now = items.turned("active", mode);
    return { is: "jemand live mithört", not: "niemand live mithört", begins: "jemand live mitzuhören beginnt", ends: "niemand mehr live mithört" }[now];
  },
  "sound/microphone": (items, mode) =>
    told(items.turned("on", mode), "das Mikrofon", { is: "an ist", not: "aus ist", begins: "eingeschaltet wird", ends: "ausgeschaltet wird" }),
  "sound/output": (items, mode) =>
    told(items.turned("active", mode), "der Lautsprecher", { is: "etwas spielt", not: "still ist", begins: "zu spielen beginnt", ends: "verstummt" }),
  "sound/page"(items, mode) {
    const page = items.take("page");
    const forms = items.choose("state", HEARD) ?? (["kommt", "beginnt", "endet"] as const);
    const one = page ? `die Durchsage ${quote(page)}` : "eine Durchsage";
    return say(mode, one, page ? `nicht gilt, dass ${one}` : "keine Durchsage", forms);
  },
  "sound/page_out"(items, mode) {
    const clip = items.take("clip");
    const forms = items.choose<Forms>("state", {
      waiting: ["auf Sendung wartet", "auf Sendung warten muss", "nicht mehr wartet"],
      speaking: ["gesendet wird", "gesendet wird", "gesendet ist"],
    });
    const one = clip ? `der Clip ${quote(clip)} als Durchsage` : "ein Clip als Durchsage";
    return say(mode, one, clip ? `nicht gilt, dass ${one}` : "kein Clip als Durchsage", forms ?? ["gesendet wird oder wartet", "begonnen wird", "vorbei ist"]);
  },
  "sound/played": () => "ein Klang zu Ende ist",
  "sound/recording": (items, mode) => {
    const now = items.turned("active", mode);
    return { is: "aufgenommen wird", not: "nicht aufgenommen wird", begins: "eine Aufnahme beginnt", ends: "eine Aufnahme endet" }[now];
  },
  "sound/stream"(items, mode) {
    return say(mode, "ein Audiostrom über HTTP", "kein Audiostrom über HTTP", items.choose("state", HEARD) ?? ["kommt", "beginnt", "endet"]);
  },
  "sound/volume"(items, mode) {
    const muted = items.take("muted");
    if (muted !== undefined) return told(muted === "false" ? turn(mode) : mode, "der Lautsprecher", { is: "stumm ist", not: "nicht stumm ist", begins: "stumm geschaltet wird", ends: "nicht mehr stumm ist" });
    const volume = items.take("volume_db");
    if (volume === undefined) return "die Lautstärke bekannt ist";
    return told(mode, "die Lautstärke", { is: `${value(volume)} dB ist`, not: `nicht ${value(volume)} dB ist`, begins: `auf ${value(volume)} dB gestellt wird`, ends: `nicht mehr ${value(volume)} dB ist` });
  },
  "storage/alert": (items, mode) =>
    told(items.turned("alert", mode), "der Datenträger", { is: "voll oder nicht beschreibbar ist", not: "in Ordnung ist", begins: "voll oder nicht mehr beschreibbar wird", ends: "wieder in Ordnung ist" }),
};

function turn(mode: Mode): Mode {
  return ({ is: "not", not: "is", begins: "ends", ends: "begins" } as const)[mode];
}
