// What is new, the newest version first: in the help of the page, for its users.

import { words } from "../words";

export const t = words({
  en: {
    title: "What is new",
    interface: "A new interface for everything that the device can do, in two languages, light and dark, from phone to wall, by mouse and keyboard.",
    api: "An API that describes itself, tokens for programs, a client for Python and the command line.",
    accounts: "Accounts with three roles, protection against guessing, and a trail of who did what.",
    https: "HTTPS with certificates of your own.",
    system: "Logs to follow, SIP messages of a call, backup and restore, restart and factory default from the page.",
    safety: "The flash rate of each profile is computed, and what may trigger seizures is marked.",
  },
  de: {
    title: "Was neu ist",
    interface: "Eine neue Oberfläche für alles, was das Gerät kann: zwei Sprachen, hell und dunkel, vom Telefon bis zur Wand, mit Maus und Tastatur.",
    api: "Eine Schnittstelle, die sich selbst beschreibt, Schlüssel für Programme, ein Client für Python und die Kommandozeile.",
    accounts: "Konten mit drei Rollen, Schutz gegen Erraten und ein Protokoll, wer was getan hat.",
    https: "HTTPS mit eigenen Zertifikaten.",
    system: "Protokolle zum Mitlesen, SIP-Nachrichten eines Anrufs, Sicherung und Wiederherstellung, Neustart und Werkszustand von der Seite aus.",
    safety: "Wie schnell ein Profil blitzt, wird berechnet; was Anfälle auslösen kann, ist gekennzeichnet.",
  },
});

export const NEWS = ["interface", "api", "accounts", "https", "system", "safety"] as const;
