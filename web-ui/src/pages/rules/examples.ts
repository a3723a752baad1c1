// Rules to start from: what people mostly want, and the worked examples of the manual.

import { language } from "../../words";
import type { Known } from "./known";
import { type Action, type Condition, complete, type Rule } from "./model";

type Both = readonly [en: string, de: string];

export interface Example {
  key: string;
  title: Both;
  words: Both;
  /** What it needs and the device has not; empty: nothing. */
  lacks?: (known: Known) => Both | null;
  rules: (known: Known) => Rule[];
}

export const inWords = (both: Both): string => both[language.value === "de" ? 1 : 0];

const named = (en: string, de: string): string => (language.value === "de" ? de : en);
const on = (event: string, match: Record<string, string>, invert = false): Condition => ({ event, match, invert });
const rule = (name: string, action: Action, parts: { when?: Condition; conditions?: Condition[] }): Rule => complete({ name, action, when: parts.when ?? null, conditions: parts.conditions ?? [] });

const first = (names: readonly string[], otherwise: string): string => names[0] ?? otherwise;
const profile = (known: Known, at = 0): string => known.profiles[at] ?? first(known.profiles, "");
const extension = (known: Known, at: number): string => known.extensions[at]?.number ?? `100${at + 1}`;
const NO_PROFILE: Both = ["Needs a profile of light and siren.", "Braucht ein Profil aus Licht und Sirene."];
const NO_RECIPIENT: Both = ["Needs a recipient for mail.", "Braucht einen Empfänger für Mail."];
const NO_SUBSCRIPTION: Both = ["Needs a stateful MQTT subscription.", "Braucht ein MQTT-Abonnement mit Zustand."];
const NO_SEQUENCE: Both = ["Needs a sequence of digits on the SIP page.", "Braucht eine Ziffernfolge auf der Seite SIP."];
const NO_CLIP_PROFILE: Both = ["Needs a profile whose siren is a clip that was added at Media.", "Braucht ein Profil, dessen Sirene ein Clip ist, der bei Medien hinzugefügt wurde."];
const needsProfile = (known: Known): Both | null => (known.profiles.length ? null : NO_PROFILE);

export const EXAMPLES: readonly Example[] = [
  {
    key: "input",
    title: ["An input runs a profile", "Ein Eingang lässt ein Profil laufen"],
    words: ["A contact, such as of a fire panel, lets light and siren run until it is released.", "Ein Kontakt, etwa einer Brandmeldeanlage, lässt Licht und Sirene laufen, bis er loslässt."],
    lacks: needsProfile,
    rules: (known) => [rule(named("Input 1 runs a profile", "Eingang 1 lässt ein Profil laufen"), { do: "run_profile", profile: profile(known) }, { conditions: [on("input/port", { port: "1", active: "true" })] })],
  },
  {
    key: "clip",
    title: ["An input plays an alarm of your own", "Ein Eingang spielt Ihren eigenen Alarm"],
    words: ["A contact lets a profile run whose siren is a clip: a sound, or words that you have recorded.", "Ein Kontakt lässt ein Profil laufen, dessen Sirene ein Clip ist: ein Klang, oder Worte, die Sie aufgenommen haben."],
    lacks: (known) => (known.clip_profiles.length ? null : NO_CLIP_PROFILE),
    rules: (known) => {
      const its = first(known.clip_profiles, "");
      return [rule(named(`Input 1 runs ${its}`, `Eingang 1 lässt ${its} laufen`), { do: "run_profile", profile: its }, { conditions: [on("input/port", { port: "1", active: "true" })] })];
    },
  },
  {
    key: "call",
    title: ["A call runs a profile", "Ein Anruf lässt ein Profil laufen"],
    words: ["The light shows that somebody speaks, as long as the call lasts.", "Das Licht zeigt, dass jemand spricht, solange der Anruf dauert."],
    lacks: needsProfile,
    rules: (known) => [rule(named("A call runs a profile", "Ein Anruf lässt ein Profil laufen"), { do: "run_profile", profile: profile(known) }, { conditions: [on("call/state", { state: "active" })] })],
  },
  {
    key: "extensions",
    title: ["Each extension has its profile", "Jede Nebenstelle hat ihr Profil"],
    words: ["Two extensions start a profile each as they are answered, and stop it as the call ends.", "Zwei Nebenstellen starten beim Annehmen je ein Profil und stoppen es, wenn der Anruf endet."],
    lacks: needsProfile,
    rules: (known) =>
      [0, 1].flatMap((at) => {
        const number = extension(known, at);
        const its = profile(known, at);
        return [
          rule(named(`${number} starts ${its}`, `${number} startet ${its}`), { do: "start_profile", profile: its }, { when: on("call/state_change", { reason: "accepted_by_device", extension: number }) }),
          rule(named(`${number} stops ${its}`, `${number} stoppt ${its}`), { do: "stop_profile", profile: its }, { when: on("call/state_change", { reason: "terminated", extension: number }) }),
        ];
      }),
  },
  {
    key: "priority",
    title: ["An input overrules what runs", "Ein Eingang geht vor"],
    words: ["What was started by hand comes back when the input is released: give the profile a higher priority.", "Was von Hand gestartet ist, kommt zurück, wenn der Eingang loslässt: Geben Sie dem Profil eine höhere Priorität."],
    lacks: needsProfile,
    rules: (known) => [rule(named("Input 1 overrules", "Eingang 1 geht vor"), { do: "run_profile", profile: profile(known), priority: 4 }, { conditions: [on("input/port", { port: "1", active: "true" })] })],
  },
  {
    key: "camera",
    title: ["A camera runs a profile", "Eine Kamera lässt ein Profil laufen"],
    words: ["The camera switches virtual input 1 on and off by a URL.", "Die Kamera schaltet den virtuellen Eingang 1 über eine URL ein und aus."],
    lacks: needsProfile,
    rules: (known) => [rule(named("A camera runs a profile", "Eine Kamera lässt ein Profil laufen"), { do: "run_profile", profile: profile(known) }, { conditions: [on("input/virtual", { input: "1", active: "true" })] })],
  },
  {
    key: "mqtt",
    title: ["MQTT runs a profile", "MQTT lässt ein Profil laufen"],
    words: ["As long as the topic says On.", "Solange das Thema On sagt."],
    lacks: (known) => needsProfile(known) ?? (known.filters.some(({ stateful }) => stateful) ? null : NO_SUBSCRIPTION),
    rules: (known) => {
      const filter = known.filters.find(({ stateful }) => stateful)?.filter ?? "";
      return [rule(named("MQTT runs a profile", "MQTT lässt ein Profil laufen"), { do: "run_profile", profile: profile(known) }, { conditions: [on("mqtt/state", { filter, active: "true" })] })];
    },
  },
  {
    key: "speaker",
    title: ["Test the speaker every day", "Den Lautsprecher täglich testen"],
    words: ["A schedule tests the speaker, and a mail tells when that fails.", "Ein Zeitplan testet den Lautsprecher, und eine Mail sagt, wenn das misslingt."],
    lacks: (known) => (known.recipients.some(({ kind }) => kind === "mail") ? null : NO_RECIPIENT),
    rules: (known) => [
      rule(named("Test the speaker", "Lautsprecher testen"), { do: "run_speaker_test" }, { when: on("schedule/interval", { schedule: first(known.intervals, ""), active: "true" }) }),
      rule(
        named("The speaker has failed", "Der Lautsprecher ist durchgefallen"),
        { do: "send_mail", recipient: known.recipients.find(({ kind }) => kind === "mail")?.name ?? "", subject: named("The speaker has failed its test", "Der Lautsprecher hat seinen Test nicht bestanden"), body: "{event.words}" },
        { when: on("device/speaker_test", { passed: "false" }) },
      ),
    ],
  },
  {
    key: "digits",
    title: ["Digits stop a clip", "Ziffern stoppen einen Clip"],
    words: ["Who calls presses 1, and the clip stops.", "Wer anruft, drückt 1, und der Clip hört auf."],
    rules: () => [rule(named("Press 1 for silence", "1 drücken für Ruhe"), { do: "stop_clip" }, { when: on("call/digit", { digit: "1" }) })],
  },
  {
    key: "sequence",
    title: ["A code starts a profile", "Ein Code startet ein Profil"],
    words: ["A sequence of digits in a call starts a profile.", "Eine Ziffernfolge im Anruf startet ein Profil."],
    lacks: (known) => needsProfile(known) ?? (known.sequences.length ? null : NO_SEQUENCE),
    rules: (known) => [rule(named("A code starts a profile", "Ein Code startet ein Profil"), { do: "start_profile", profile: profile(known) }, { when: on("call/dtmf", { name: first(known.sequences, "") }) })],
  },
  {
    key: "tone",
    title: ["Answer after a tone", "Nach einem Ton annehmen"],
    words: ["A tone plays as it rings, then the call is answered. The account must not answer by itself.", "Beim Klingeln spielt ein Ton, dann wird angenommen. Das Konto darf nicht selbst annehmen."],
    rules: (known) => {
      const clip = known.clips.find((name) => /announcement/i.test(name)) ?? first(known.clips, "");
      const rings = on("call/state", { state: "ringing", direction: "incoming" });
      return [
        rule(named("A tone as it rings", "Ein Ton beim Klingeln"), { do: "play_clip", clip }, { when: rings }),
        rule(named("Answer after the tone", "Nach dem Ton annehmen"), { do: "answer_call", all: true }, { when: on("sound/clip", { clip, playing: "true" }, true), conditions: [rings] }),
      ];
    },
  },
  {
    key: "ringer",
    title: ["Ring loudly", "Laut klingeln"],
    words: ["A clip plays as long as a call rings.", "Ein Clip spielt, solange ein Anruf klingelt."],
    rules: (known) => [
      rule(named("Ring loudly", "Laut klingeln"), { do: "play_clip_while", clip: known.clips.find((name) => /ring/i.test(name)) ?? first(known.clips, "") }, { conditions: [on("call/state", { state: "ringing", direction: "incoming" })] }),
    ],
  },
  {
    key: "green",
    title: ["Green light during calls", "Grünes Licht bei Anrufen"],
    words: ["The light at the front shows that the microphone hears you.", "Die Leuchte vorn zeigt, dass das Mikrofon Sie hört."],
    rules: () => [
      rule(named("Green light during calls", "Grünes Licht bei Anrufen"), { do: "show_color", light: "AudioLED", color: "green" }, { conditions: [on("call/state", { state: "active" }), on("sound/microphone", { on: "true" })] }),
    ],
  },
];

/** What people look for among the examples, and is done elsewhere. */
export const ELSEWHERE: readonly { path: string; title: Both; words: Both }[] = [
  {
    path: "/sip?assistant",
    title: ["Calls from phone to phone, or by a PBX", "Anrufe direkt, oder über eine Telefonanlage"],
    words: ["The set-up assistant asks for what is needed, and tries it with you.", "Der Einrichtungsassistent fragt, was nötig ist, und probiert es mit Ihnen aus."],
  },
  {
    path: "/profiles?import",
    title: ["Profiles of another device", "Profile eines anderen Geräts"],
    words: ["Export them there, and drop the file here.", "Exportieren Sie sie dort, und legen Sie die Datei hier ab."],
  },
  {
    path: "/profiles",
    title: ["A camera names a profile", "Eine Kamera nennt ein Profil"],
    words: ["If it can send JSON: how, the menu of the profile says.", "Wenn sie JSON senden kann: Wie, das sagt das Menü des Profils."],
  },
  {
    path: "/audio",
    title: ["A test of the speaker, now", "Ein Test des Lautsprechers, jetzt"],
    words: ["Calibrate it once, then test: tones are played and heard back.", "Einmal kalibrieren, dann testen: Töne werden gespielt und wieder gehört."],
  },
];
