// What rules do, in words: "run the profile “Evacuate”".

import { patternWords } from "../../ui/pattern_words";
import type { Action } from "./model";
import { value } from "./model";
import type { Names } from "./said";
import { numbered } from "./said";

type Deed = (action: Action, names: Names) => string;
type Quote = (text: string) => string;

const text = (of: unknown): string => (of === null || of === undefined ? "" : String(of));
const filled = (words: string, of: unknown): string => (text(of) ? words : "");

export function english(quote: Quote): Record<string, Deed> {
  const priority = (a: Action): string => filled(` with priority ${value(text(a.priority))}`, a.priority);
  const long = (a: Action): string => filled(` for ${value(text(a.seconds))} s`, a.seconds);
  const light = (a: Action): string => `${quote(patternWords(text(a.pattern)))}${Array.isArray(a.colors) ? ` in ${value(a.colors.join(", "))}` : ""} on the ${a.light === "AudioLED" ? "audio" : "signalling"} light`;
  const group = (a: Action): string => `to the group ${value(`${text(a.address)}:${text(a.port) || "5004"}`)}`;
  const output = (a: Action, names: Names): string => numbered("output", text(a.port), names.port(text(a.port)), quote);
  const input = (a: Action, names: Names): string => numbered("virtual input", text(a.input), names.input(text(a.input)), quote);
  const to = (a: Action): string => quote(text(a.recipient));
  return {
    run_profile: (a) => `run the profile ${quote(text(a.profile))}${priority(a)}`,
    start_profile: (a) => `start the profile ${quote(text(a.profile))}${priority(a)}`,
    stop_profile: (a) => `stop the profile ${quote(text(a.profile))}`,
    answer_call: (a) => (a.all ? "answer all calls that ring" : "answer the call"),
    hang_up: () => "hang up",
    dial: (a) => `call ${value(text(a.uri))}${filled(` and play ${quote(text(a.clip))}`, a.clip)}`,
    dial_while: (a) => `call ${value(text(a.uri))}${filled(` and play ${quote(text(a.clip))}`, a.clip)}`,
    send_digits: (a) => `send the digits ${value(text(a.digits))}`,
    play_clip: (a) => `play the clip ${quote(text(a.clip))}${Number(a.repeat ?? 0) > 0 ? ` ${value(Number(a.repeat) + 1)} times` : ""}`,
    play_clip_while: (a) => `play the clip ${quote(text(a.clip))} again and again`,
    stop_clip: (a) => (a.clip ? `stop the clip ${quote(text(a.clip))}` : "stop all clips"),
    page_clip: (a) => `page the clip ${quote(text(a.clip))} ${group(a)}`,
    page_while: (a) => `page the clip ${quote(text(a.clip))} ${group(a)} again and again`,
    stop_pages: () => "stop pages that are played later",
    record: (a) => `record ${a.source === "call" ? "the call" : `the ${value(text(a.source))}`}${long(a)}`,
    record_while: (a) => `record ${a.source === "call" ? "the call" : `the ${value(text(a.source))}`}`,
    show_color: (a) => `show ${value(text(a.color))} on the ${a.light === "SignalingLED" ? "signalling" : "audio"} light`,
    start_light: (a) => `start the light ${light(a)}${long(a)}`,
    run_light: (a) => `run the light ${light(a)}`,
    start_siren: (a) => `start the siren ${quote(patternWords(text(a.pattern)))}${long(a)}`,
    run_siren: (a) => `let the siren ${quote(patternWords(text(a.pattern)))} sound`,
    stop_signals: (a) => `stop ${a.what === "light" ? "the light" : a.what === "siren" ? "the siren" : "light and siren"}`,
    locate: (a) => `let the device be found for ${value(text(a.seconds ?? 10))} s`,
    run_health_check: () => "run the health check",
    run_speaker_test: () => "test the speaker",
    set_maintenance: (a) => (a.active === false ? "end maintenance mode" : `switch on maintenance mode${long(a)}`),
    set_volume: (a) => [a.volume_db !== null && a.volume_db !== undefined && `set the volume to ${value(text(a.volume_db))} dB`, a.muted === true && "mute the speaker", a.muted === false && "unmute the speaker"].filter(Boolean).join(" and ") || "leave the volume as it is",
    set_manual_trigger: (a, names) => `switch ${numbered("manual trigger", text(a.trigger), names.trigger(text(a.trigger)), quote)} ${a.active === false ? "off" : "on"}`,
    write_log: (a) => `write ${quote(text(a.text))} into the log`,
    send_http: (a) => `send an HTTP ${value(text(a.method ?? "POST"))} to ${to(a)}`,
    send_mail: (a) => `send a mail to ${to(a)}${a.recording ? " with the recording" : ""}`,
    send_tcp: (a) => `send the text ${quote(text(a.text))} to ${to(a)}`,
    upload_file: (a) => `upload ${a.recording ? "the recording" : a.file ? `the file ${quote(text(a.file))}` : "a file"} to ${to(a)}`,
    call_recipient: (a) => `call ${to(a)}`,
    publish_mqtt: (a) => `publish ${a.payload ? quote(text(a.payload)) : "an empty message"} over MQTT on ${value(text(a.topic))}`,
    set_output: (a, names) => `switch ${output(a, names)} ${a.active === false ? "off" : "on"}`,
    set_output_while: (a, names) => `switch ${output(a, names)} on`,
    pulse_output: (a, names) => `switch ${output(a, names)} on for ${value(text(a.seconds ?? 1))} s`,
    set_virtual_input: (a, names) => `switch ${input(a, names)} ${a.active === false ? "off" : "on"}${a.active === false ? "" : long(a)}`,
    set_virtual_input_while: (a, names) => `switch ${input(a, names)} on`,
  };
}

export function german(quote: Quote): Record<string, Deed> {
  const priority = (a: Action): string => filled(` mit Priorität ${value(text(a.priority))}`, a.priority);
  const long = (a: Action): string => filled(` für ${value(text(a.seconds))} s`, a.seconds);
  const light = (a: Action): string => `${quote(patternWords(text(a.pattern)))}${Array.isArray(a.colors) ? ` in ${value(a.colors.join(", "))}` : ""} auf der ${a.light === "AudioLED" ? "Audio" : "Signal"}leuchte`;
  const group = (a: Action): string => `an die Gruppe ${value(`${text(a.address)}:${text(a.port) || "5004"}`)}`;
  const output = (a: Action, names: Names): string => numbered("Ausgang", text(a.port), names.port(text(a.port)), quote);
  const input = (a: Action, names: Names): string => numbered("virtuellen Eingang", text(a.input), names.input(text(a.input)), quote);
  const to = (a: Action): string => quote(text(a.recipient));
  const source = (a: Action): string => (a.source === "call" ? "den Anruf" : a.source === "microphone" ? "das Mikrofon" : "den Lautsprecher");
  const dial = (a: Action): string => `${value(text(a.uri))} anrufen${filled(` und ${quote(text(a.clip))} spielen`, a.clip)}`;
  return {
    run_profile: (a) => `Profil ${quote(text(a.profile))}${priority(a)} laufen lassen`,
    start_profile: (a) => `Profil ${quote(text(a.profile))}${priority(a)} starten`,
    stop_profile: (a) => `Profil ${quote(text(a.profile))} stoppen`,
    answer_call: (a) => (a.all ? "alle klingelnden Anrufe annehmen" : "den Anruf annehmen"),
    hang_up: () => "auflegen",
    dial,
    dial_while: dial,
    send_digits: (a) => `die Ziffern ${value(text(a.digits))} senden`,
    play_clip: (a) => `Clip ${quote(text(a.clip))}${Number(a.repeat ?? 0) > 0 ? ` ${value(Number(a.repeat) + 1)}-mal` : ""} spielen`,
    play_clip_while: (a) => `Clip ${quote(text(a.clip))} immer wieder spielen`,
    stop_clip: (a) => (a.clip ? `Clip ${quote(text(a.clip))} stoppen` : "alle Clips stoppen"),
    page_clip: (a) => `Clip ${quote(text(a.clip))} ${group(a)} durchsagen`,
    page_while: (a) => `Clip ${quote(text(a.clip))} ${group(a)} immer wieder durchsagen`,
    stop_pages: () => "spätere Durchsagen stoppen",
    record: (a) => `${source(a)}${long(a)} aufnehmen`,
    record_while: (a) => `${source(a)} aufnehmen`,
    show_color: (a) => `${value(text(a.color))} auf der ${a.light === "SignalingLED" ? "Signal" : "Audio"}leuchte zeigen`,
    start_light: (a) => `Licht ${light(a)}${long(a)} starten`,
    run_light: (a) => `Licht ${light(a)} laufen lassen`,
    start_siren: (a) => `Sirene ${quote(patternWords(text(a.pattern)))}${long(a)} starten`,
    run_siren: (a) => `Sirene ${quote(patternWords(text(a.pattern)))} tönen lassen`,
    stop_signals: (a) => `${a.what === "light" ? "Licht" : a.what === "siren" ? "Sirene" : "Licht und Sirene"} stoppen`,
    locate: (a) => `das Gerät ${value(text(a.seconds ?? 10))} s lang finden lassen`,
    run_health_check: () => "die Funktionsprüfung ausführen",
    run_speaker_test: () => "den Lautsprecher testen",
    set_maintenance: (a) => (a.active === false ? "den Wartungsmodus beenden" : `den Wartungsmodus${long(a)} einschalten`),
    set_volume: (a) => [a.volume_db !== null && a.volume_db !== undefined && `die Lautstärke auf ${value(text(a.volume_db))} dB stellen`, a.muted === true && "den Lautsprecher stumm schalten", a.muted === false && "den Lautsprecher laut schalten"].filter(Boolean).join(" und ") || "die Lautstärke lassen, wie sie ist",
    set_manual_trigger: (a, names) => `${numbered("Handauslöser", text(a.trigger), names.trigger(text(a.trigger)), quote)} ${a.active === false ? "ausschalten" : "einschalten"}`,
    write_log: (a) => `${quote(text(a.text))} ins Protokoll schreiben`,
    send_http: (a) => `HTTP ${value(text(a.method ?? "POST"))} an ${to(a)} senden`,
    send_mail: (a) => `eine Mail${a.recording ? " mit der Aufnahme" : ""} an ${to(a)} senden`,
    send_tcp: (a) => `den Text ${quote(text(a.text))} an ${to(a)} senden`,
    upload_file: (a) => `${a.recording ? "die Aufnahme" : a.file ? `die Datei ${quote(text(a.file))}` : "eine Datei"} zu ${to(a)} hochladen`,
    call_recipient: (a) => `${to(a)} anrufen`,
    publish_mqtt: (a) => `${a.payload ? quote(text(a.payload)) : "eine leere Nachricht"} über MQTT auf ${value(text(a.topic))} veröffentlichen`,
    set_output: (a, names) => `${output(a, names)} ${a.active === false ? "ausschalten" : "einschalten"}`,
    set_output_while: (a, names) => `${output(a, names)} einschalten`,
    pulse_output: (a, names) => `${output(a, names)} für ${value(text(a.seconds ?? 1))} s einschalten`,
    set_virtual_input: (a, names) => `${input(a, names)} ${a.active === false ? "ausschalten" : `${long(a).trim()} einschalten`.trim()}`,
    set_virtual_input_while: (a, names) => `${input(a, names)} einschalten`,
  };
}
