// What light patterns and sounds are called in the page. Stored and ordered are the names of the device.

import { language } from "../words";

export const CLIP = "clip:"; // begins the name of a sound that is a clip

const GERMAN: Record<string, string> = {
  // light
  Off: "Aus",
  Steady: "Dauerlicht",
  Alternate: "Farbwechsel",
  Pulse: "Pulsieren",
  "Escalate 3 steps": "Heller in 3 Stufen",
  Blink: "Blinken",
  "Blink 3x": "3× Blinken",
  "Blink 4x": "4× Blinken",
  "Blink 3x fade": "3× Blinken, abklingend",
  "Blink 4x fade": "4× Blinken, abklingend",
  "Flash 1x": "1× Blitzen",
  "Flash 3x": "3× Blitzen",
  "Direction A": "Richtung A",
  "Direction B": "Richtung B",
  "Direction C": "Richtung C",
  "Direction D": "Richtung D",
  Rotate: "Rundumlicht",
  Random: "Zufällig",
  Spin: "Kreisel",
  // of the system
  Maintenance: "Wartung",
  Identify: "Gerät finden",
  "Health check": "Funktionsprüfung",
  // sounds
  "Alarm: High pitch": "Alarm: Hoher Ton",
  "Alarm: Low pitch": "Alarm: Tiefer Ton",
  "Alarm: Bird": "Alarm: Vogel",
  "Alarm: Boat horn": "Alarm: Schiffshorn",
  "Alarm: Car alarm": "Alarm: Autoalarm",
  "Alarm: Car alarm fast": "Alarm: Autoalarm, schnell",
  "Alarm: Classic clock": "Alarm: Wecker",
  "Alarm: First attender": "Alarm: Einsatzfahrzeug",
  "Alarm: Horror": "Alarm: Grusel",
  "Alarm: Industrial": "Alarm: Fabrik",
  "Alarm: Single beep": "Alarm: Ein Piepton",
  "Alarm: Soft quad beep": "Alarm: Vier sanfte Pieptöne",
  "Alarm: Soft triple beep": "Alarm: Drei sanfte Pieptöne",
  "Alarm: Triple high pitch": "Alarm: Drei hohe Töne",
  "Notification: Accepted": "Hinweis: Angenommen",
  "Notification: Calling": "Hinweis: Freizeichen",
  "Notification: Denied": "Hinweis: Abgelehnt",
  "Notification: Done": "Hinweis: Fertig",
  "Notification: Entry": "Hinweis: Eintritt",
  "Notification: Failed": "Hinweis: Fehlgeschlagen",
  "Notification: Hurry": "Hinweis: Eile",
  "Notification: Message": "Hinweis: Nachricht",
  "Notification: Next": "Hinweis: Der Nächste",
  "Notification: Open": "Hinweis: Offen",
  "Siren: Alternate": "Sirene: Wechselton",
  "Siren: Bouncy": "Sirene: Hüpfend",
  "Siren: Evac": "Sirene: Räumung",
  "Siren: Falling pitch": "Sirene: Fallender Ton",
  "Siren: Home soft": "Sirene: Sanft",
};

/** A pattern or sound by the name that the device has for it, in the language of the page; of a clip its own name. */
export function patternWords(name: string): string {
  if (name.startsWith(CLIP)) return name.slice(CLIP.length);
  return language.value === "de" ? (GERMAN[name] ?? name) : name;
}
