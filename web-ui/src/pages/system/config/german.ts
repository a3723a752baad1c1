// What the device says of its settings, in German: what no page of its own shows. The others are in
// the german.ts of the pages that show them.

import { translate } from "../../../words";
import "../../accessories/german";
import "../../audio/german";
import "../../mqtt/german";
import "../../paging/german";
import "../../recipients/german";
import "../../rules/german";
import "../../sip/german";
import "../certificates/german";
import "../time/german";
import "../users/german";

translate({
  // the sections
  Device: "Gerät",
  SIP: "SIP",
  DTMF: "DTMF",
  Sound: "Klang",
  Paging: "Durchsagen",
  MQTT: "MQTT",
  Home: "Home Assistant",
  Lights: "Leuchten",
  Maintenance: "Wartung",
  "Inputs and outputs": "Ein- und Ausgänge",
  Recipients: "Empfänger",
  "Whom rules can send messages and files to.": "Wem Regeln Nachrichten und Dateien senden können.",
  Schedules: "Zeitpläne",
  "When rules may wait for an hour of the day or a day of the year.": "Worauf Regeln warten können: eine Stunde des Tages oder einen Tag des Jahres.",
  Extensions: "Nebenstellen",
  "Of several that fit a call, the one without * counts, then the first.": "Von mehreren, die zu einem Anruf passen, zählt die ohne *, dann die erste.",
  Rules: "Regeln",
  "What is done when something happens. Of rules that act at the same moment, the one that stands first acts first.":
    "Was getan wird, wenn etwas geschieht. Von Regeln, die im selben Augenblick handeln, handelt zuerst, wer weiter vorne steht.",
  Page: "Seite",

  // device, page, accounts
  "Serial number": "Seriennummer",
  "12 capital hexadecimal digits, drawn when the device first starts.": "12 große Hexadezimalziffern, beim ersten Start des Geräts ausgelost.",
  "Time zone": "Zeitzone",
  "As in Europe/Berlin; empty: that of the system.": "Wie Europe/Berlin; leer: die des Systems.",
  "Served by": "Gezeigt über",
  "With https, whoever comes by HTTP is only told to come by HTTPS.": "Mit https wird, wer über HTTP kommt, nur auf HTTPS verwiesen.",
  "HTTP port": "HTTP-Port",
  "HTTPS port": "HTTPS-Port",
  Users: "Konten",
  "At least one is administrator.": "Mindestens eines ist Administrator.",
  "1 to 32 letters, digits or . _ @ -": "1 bis 32 Buchstaben, Ziffern oder . _ @ -",
  Role: "Rolle",
  "Password, hashed": "Passwort als Hash",
  "Password, as MD5 digest": "Passwort als MD5-Digest",
  "Password, as SHA-256 digest": "Passwort als SHA-256-Digest",
  Tokens: "Schlüssel für Programme",
  Number: "Nummer",
  "Whose it is.": "Wem er gehört.",
  "It ends with this account.": "Er endet mit diesem Konto.",
  Scopes: "Bereiche",
  Made: "Angelegt",
  Ends: "Endet",
  "Empty: never.": "Leer: nie.",
  "Token, as SHA-256": "Schlüssel als SHA-256",
  Certificates: "Zertifikate",
  "1 to 64 letters, digits, spaces or . _ -": "1 bis 64 Buchstaben, Ziffern, Leerzeichen oder . _ -",
  "In PEM form.": "In PEM.",
  Request: "Antrag",

  // SIP
  "Enable SIP": "SIP einschalten",
  "Make and receive calls.": "Anrufen und angerufen werden.",
  "Allow incoming calls": "Eingehende Anrufe erlauben",
  "Let others call the device.": "Andere dürfen das Gerät anrufen.",
  Accounts: "Konten",
  "Exactly one is the default.": "Genau eines ist der Standard.",
  Default: "Standard",
  "Used when a call names no account.": "Gilt, wenn ein Anruf kein Konto nennt.",
  SIPS: "SIPS",
  Codecs: "Codecs",
  "Preferred ones first, in offers; of those offered, the caller decides.": "In Angeboten die bevorzugten zuerst; unter angebotenen entscheidet der Anrufer.",
  Id: "Kennung",
  "What control programs call it, whatever its name; given when it is made.": "Wie Steuerprogramme es nennen, gleich wie es heißt; beim Anlegen vergeben.",
  "What control programs call it, whatever its name; empty: made of that.": "Wie Steuerprogramme sie nennen, gleich wie sie heißt; leer: aus dem Namen gebildet.",
  "DTMF configuration": "DTMF-Konfiguration",
  "That which control programs have given it; empty: that of its kind.": "Die ein Steuerprogramm ihm gegeben hat; leer: die seiner Art.",
  "Address translation": "Adressumsetzung (NAT)",
  ICE: "ICE",
  STUN: "STUN",
  TURN: "TURN",
  UPnP: "UPnP",
  "Access list": "Zugangsliste",
  "Use access list": "Zugangsliste benutzen",
  Policy: "Wirkung",
  Entries: "Einträge",
  PIN: "PIN",

  // extensions and digits
  "Yours.": "Von Ihnen gewählt.",
  Beep: "Signalton",
  "Page: a short beep tells the caller when to speak.": "Durchsage: Ein kurzer Ton sagt dem Anrufer, wann er sprechen kann.",
  "Record, then play": "Erst aufnehmen, dann abspielen",
  Sequences: "Folgen",
  Sequence: "Folge",
  Event: "Ereignis",
  Events: "Ereignisse",
  "Id of the event": "Kennung des Ereignisses",
  "Given by a control program; empty: made of its digits.": "Von einem Steuerprogramm vergeben; leer: aus ihren Ziffern gebildet.",
  "The same; empty: the name of the event.": "Ebenso; leer: der Name des Ereignisses.",
  "Control programs": "Steuerprogramme",
  "What only they see and change.": "Was nur sie sehen und ändern.",
  "Idle sequences": "Ruhende Folgen",
  Configurations: "Konfigurationen",
  Held: "Gehalten",
  "Event id": "Kennung des Ereignisses",
  Rtp: "In RTP",
  Info: "In INFO",

  // sound
  "Volume by kind": "Lautstärke nach Art",
  Calls: "Anrufe",
  Pages: "Durchsagen",
  Siren: "Sirene",
  Clips: "Clips",
  "Sounds that people have added.": "Hinzugefügte Klänge.",
  "Priorities in the speaker": "Vorrang im Lautsprecher",
  Higher: "Höherer",
  Lower: "Niedrigerer",
  Effect: "Wirkung",
  "Softer by": "Leiser um",
  "Emergency volume": "Notfall-Lautstärke",
  "From priority": "Ab Priorität",
  Microphone: "Mikrofon",
  "Nothing is heard.": "Nichts ist zu hören.",
  Format: "Format",
  Size: "Größe",
  "In bytes.": "In Byte.",
  "Sample rate": "Abtastrate",
  "As added, in Hz.": "Wie hinzugefügt, in Hz.",
  Channels: "Kanäle",
  Loudness: "Lautheit",
  "True peak": "True Peak",
  "In dBTP.": "In dBTP.",

  // pages
  Sources: "Quellen",
  TTL: "TTL",

  // MQTT and recipients
  Connect: "Verbinden",
  Publications: "Veröffentlichungen",
  Subscriptions: "Abonnements",
  Filter: "Filter",
  "The rest then does not count.": "Das Übrige gilt dann nicht.",
  URL: "URL",
  Proxy: "Proxy",

  // light, profiles, ports
  Outputs: "Ausgänge",
  "Each as what can be set about it, or short: virtual, none, log:PATH, ddp:HOST[:PORT], e131:UNIVERSE[@HOST], artnet:HOST[/UNIVERSE], ws2812:DEVICE or gpio:CHIP/LINE[,LINE…].":
    "Jeder als das, was sich an ihm einstellen lässt, oder kurz: virtual, none, log:PFAD, ddp:RECHNER[:PORT], e131:UNIVERSUM[@RECHNER], artnet:RECHNER[/UNIVERSUM], ws2812:GERÄT oder gpio:BAUSTEIN/LEITUNG[,LEITUNG…].",
  "Maintenance mode": "Wartungsmodus",
  "The siren is silent, and the light pulses white on three sides.": "Die Sirene schweigt, und das Licht pulsiert weiß auf drei Seiten.",
  Until: "Bis",
  "When it ends by itself; empty: never.": "Wann er von selbst endet; leer: nie.",
  Profiles: "Profile",
  "What light and siren can be told to do by name.": "Was Licht und Sirene unter einem Namen tun.",
  Description: "Beschreibung",
  Duration: "Dauer",
  Unit: "Einheit",
  "Up to 259200 seconds (72 hours) or 20 repetitions.": "Bis zu 259200 Sekunden (72 Stunden) oder 20 Wiederholungen.",
  "1 to 5.": "1 bis 5.",
  "The name of a siren sound.": "Der Name eines Sirenenklangs.",
  "How many depends on the pattern; without any, the pattern's own.": "Wie viele, hängt vom Muster ab; ohne: die des Musters.",
  "Without one, the pattern's own.": "Ohne: das des Musters.",
  "The higher number is shown; 10 is the highest.": "Gezeigt wird die höhere Zahl; 10 ist die höchste.",
  "Port 1": "Anschluss 1",
  "Port 2": "Anschluss 2",
  Driver: "Treiber",
  "Names of virtual inputs": "Namen virtueller Eingänge",
  "Manual triggers": "Handauslöser",
  "The names of triggers that people set by hand.": "Die Namen der Auslöser, die Menschen von Hand schalten.",

  // rules and schedules
  Enabled: "Eingeschaltet",
  Trigger: "Auslöser",
  Conditions: "Bedingungen",
  Items: "Angaben",
  "A topic, like call/state.": "Ein Thema, etwa call/state.",
  Invert: "Umkehren",
  "It must not hold; as a trigger: it ends.": "Sie darf nicht gelten; als Auslöser: sie endet.",
  "Wait between actions": "Pause zwischen Aktionen",
  "Seconds that must pass from one activation to the next.": "Sekunden, die von einem Auslösen zum nächsten vergehen müssen.",
  Action: "Aktion",
  When: "Wann",

  // longer ones, by the alphabet
  "1 to 10, of light, siren and voice; null: those of the profile, and 5 for the voice.": "1 bis 10, für Licht, Sirene und Stimme; leer: die des Profils, und 5 für die Stimme.",
  "1 to 25: push to talk, of which phones take 24 for priority and 25 for emergencies; 26 to 50: paging groups 1 to 25, with 49 and 50 for these.":
    "1 bis 25: Gegensprechen, davon an Telefonen 24 für Vorrang und 25 für Notfälle; 26 bis 50: Durchsagegruppen 1 bis 25, davon 49 und 50 ebenso.",
  "1 to 64 of 0–9, A–D, * and #.": "1 bis 64 von 0–9, A–D, * und #.",
  "4 to 16 digits that a caller must enter before anything happens; empty: anybody may call.": "4 bis 16 Ziffern, die ein Anrufer eingeben muss, bevor etwas geschieht; leer: Jeder darf anrufen.",
  "Allow: only those in the list may call. Block: all but those.": "Erlauben: Nur wer in der Liste steht, darf anrufen. Sperren: alle außer diesen.",
  "Alone: the lower one is silent meanwhile. Duck: it is softer while the higher one can be heard. Mix: both are heard as they are. Full: the lower one is silent, and the higher one has the emergency volume, also when muted.":
    "Allein: Der niedrigere schweigt so lange. Absenken: Er ist leiser, solange der höhere zu hören ist. Mischen: Beide sind zu hören, wie sie sind. Voll: Der niedrigere schweigt, und der höhere hat die Notfall-Lautstärke, auch wenn stumm geschaltet ist.",
  "Answer at once when the caller asks for it (RFC 5373, Alert-Info, Call-Info), also where the account does not answer automatically.":
    "Sofort annehmen, wenn der Anrufer darum bittet (RFC 5373, Alert-Info, Call-Info), auch wo das Konto nicht von selbst annimmt.",
  "As in iCalendar (RFC 5545): DTSTART, DTEND or DURATION, RRULE, EXDATE and RDATE, separated by blanks or line ends. Without an end it is a pulse.":
    "Wie in iCalendar (RFC 5545): DTSTART, DTEND oder DURATION, RRULE, EXDATE und RDATE, getrennt durch Leerzeichen oder Zeilenenden. Ohne Ende ist es ein Augenblick.",
  "Attempts to reach a server before that is reported as given up; after that it is tried more slowly.": "Versuche, einen Server zu erreichen, bevor er als aufgegeben gemeldet wird; danach wird seltener versucht.",
  "By their numbers, 1 to 64; those without a name are there too.": "Nach ihren Nummern, 1 bis 64; die ohne Namen gibt es auch.",
  "Callers such as sip:10*@pbx.example or *@pbx.example; hosts such as 192.0.2.0/24, 2001:db8::/32 or *.example.":
    "Anrufer wie sip:10*@pbx.example oder *@pbx.example; Rechner wie 192.0.2.0/24, 2001:db8::/32 oder *.example.",
  "Calls to page extensions, clips, or both.": "Anrufe bei Durchsage-Nebenstellen, Clips oder beides.",
  "Calls, audio streams over HTTP, or clips.": "Anrufe, Audioströme über HTTP oder Clips.",
  "In LUFS (EBU R 128); null: too short or silent.": "In LUFS (EBU R 128); leer: zu kurz oder still.",
  "In PEM form, those that lead to its authority behind it; empty: it has only been asked for.": "In PEM, dahinter die bis zu seiner Zertifizierungsstelle; leer: Es ist erst beantragt.",
  "In dB, for duck.": "In dB, beim Absenken.",
  "In dB; 0 plays everything as loud as it came.": "In dB; 0 spielt alles so laut, wie es kam.",
  "In ms, 20 to 2000: all speakers with the same are heard at the same instant, so long after the sender, if his clock and theirs have the same time. It takes the place of the latency. Empty: each as it comes.":
    "In ms, 20 bis 2000: Alle Lautsprecher mit demselben Wert sind im selben Augenblick zu hören, so lange nach dem Sender, wenn seine Uhr und ihre gleich gehen. Sie tritt an die Stelle der Verzögerung. Leer: jeder, wie es kommt.",
  "In the clip store: the SHA-256 of its bytes, and what it is.": "In der Ablage der Clips: der SHA-256 seiner Bytes, und was sie sind.",
  "In whose calls it counts; none: in all. It counts for all peer-to-peer accounts or for none.": "In wessen Anrufen sie zählt; ohne: in allen. Sie zählt für alle direkten Konten oder für keins.",
  "Its last digit must be held, so that it is not pressed by accident.": "Ihre letzte Ziffer muss gehalten werden, damit sie niemand aus Versehen drückt.",
  "Its name in rules; several sequences may cause the same event.": "Sein Name in Regeln; mehrere Folgen können dasselbe Ereignis auslösen.",
  "Key and salt in hexadecimal, as the sender has them: 60 or 92 characters, for AES_GCM 56 or 88. Empty: what is heard is not encrypted.":
    "Schlüssel und Salt hexadezimal, wie beim Sender: 60 oder 92 Zeichen, für AES_GCM 56 oder 88. Leer: Was zu hören ist, ist nicht verschlüsselt.",
  "Key and salt in hexadecimal, as those who hear it have them: 60 or 92 characters, for AES_GCM 56 or 88. Empty: not encrypted.":
    "Schlüssel und Salt hexadezimal, wie bei denen, die es hören: 60 oder 92 Zeichen, für AES_GCM 56 oder 88. Leer: nicht verschlüsselt.",
  "Mix: all are heard. First: the one answered first is heard, others wait silently for their turn. Newest: the last one is heard. Busy: one call at a time, others are told that we are busy.":
    "Mischen: Alle sind zu hören. Erster: Zu hören ist, wer zuerst angenommen wurde, andere warten still. Neuester: Der letzte ist zu hören. Besetzt: ein Anruf zur Zeit, andere hören, dass besetzt ist.",
  "Nothing is published without any; what several of them mean, is published for each.": "Ohne eine wird nichts veröffentlicht; was mehrere meinen, wird für jede veröffentlicht.",
  "Null: the default one.": "Leer: das übliche.",
  "Null: the protocol's own, which is 1883, for ssl 8883, for ws 80, for wss 443.": "Leer: der des Protokolls: 1883, mit ssl 8883, mit ws 80, mit wss 443.",
  "Of dynamic payload types; empty: the common one. PCMU, PCMA and G.722 are known by their own payload types in any case.":
    "Der dynamischen Payload-Typen; leer: der gemeinsame. PCMU, PCMA und G.722 sind in jedem Fall an ihren eigenen Typen zu erkennen.",
  "Offer SHA-512-256 and SHA-256 before MD5 (RFC 8760). Off, since many phones give up when they are offered what they do not know.":
    "SHA-512-256 und SHA-256 vor MD5 anbieten (RFC 8760). Aus, weil viele Telefone bei Unbekanntem aufgeben.",
  "On: Via names the public address, such as 203.0.113.9, once it is known. Off: always our own, such as 192.168.0.90.":
    "Ein: Via nennt die öffentliche Adresse, etwa 203.0.113.9, sobald sie bekannt ist. Aus: immer die eigene, etwa 192.168.0.90.",
  "On: others are told to call us at the public address, such as 203.0.113.9, once it is known. Off: at our own, such as 192.168.0.90.":
    "Ein: Andere sollen uns unter der öffentlichen Adresse anrufen, etwa 203.0.113.9, sobald sie bekannt ist. Aus: unter der eigenen, etwa 192.168.0.90.",
  "Page: answer, and let the caller be heard; with a profile, run it meanwhile. Ring: never answer; run the profile while it rings. Alert: answer, and start the profile, which runs on when the call is over.":
    "Durchsage: annehmen, und der Anrufer ist zu hören; mit einem Profil läuft es so lange. Klingeln: nie annehmen; das Profil läuft, solange es klingelt. Alarm: annehmen und das Profil starten, das nach dem Anruf weiterläuft.",
  "Page: what the caller says is played when he has hung up, so that a phone near the speaker does not howl.": "Durchsage: Was der Anrufer sagt, wird abgespielt, wenn er aufgelegt hat, damit ein Telefon beim Lautsprecher nicht pfeift.",
  "Property: states are, what only happens is not.": "property: Zustände werden aufbewahrt, was nur geschieht, nicht.",
  "Seconds after which any call is ended; null: never.": "Sekunden, nach denen jeder Anruf endet; leer: nie.",
  "Seconds within which both sides must show that the call still exists.": "Sekunden, in denen beide Seiten zeigen müssen, dass es den Anruf noch gibt.",
  "Sounds of this priority and above; null: none.": "Klänge dieser Priorität und höherer; leer: keine.",
  "Stateless: each message is a trigger. Stateful: the last one holds.": "Ohne Zustand: Jede Nachricht ist ein Auslöser. Mit Zustand: Die letzte gilt.",
  "Such as onvif:Device/axis:IO/Port, call/state, or axis:Call//. for all of a kind; //. alone: all there are.": "Etwa onvif:Device/axis:IO/Port, call/state, oder axis:Call//. für alle einer Art; //. allein: alle, die es gibt.",
  "The dynamic payload type of the codec; empty: any from 96 to 127.": "Der dynamische Payload-Typ des Codecs; leer: jeder von 96 bis 127.",
  "The first in the list has rank 1, which is the highest: of those that sound at once only the highest is heard. Calls, audio streams and clips have a place in the list; where they are not named, they come before all others.":
    "Die erste der Liste hat Rang 1, den höchsten: Von denen, die zugleich klingen, ist nur die höchste zu hören. Anrufe, Audioströme und Clips haben einen Platz in der Liste; wo sie nicht genannt sind, kommen sie vor allen anderen.",
  "The items that count and the value each must have, as text. Addresses match by parts: a user alone, or without port and parameters; * stands for anything.":
    "Welche Angaben zählen und welchen Wert jede haben muss, als Text. Adressen passen auch in Teilen: ein Benutzer allein, oder ohne Port und Parameter; * steht für alles.",
  "The name of a certificate of the device, or one in PEM form with its chain; empty: the one that the device makes.": "Der Name eines Zertifikats des Geräts, oder eines in PEM mit seiner Kette; leer: das, welches das Gerät selbst macht.",
  "The name of the one that is shown over HTTPS; self-signed: the one that the device makes for itself.": "Der Name dessen, das über HTTPS gezeigt wird; self-signed: das, welches das Gerät selbst macht.",
  "The network interface that it goes out of, such as eth0; empty: the one that the system chooses.": "Die Netzwerkschnittstelle, über die es hinausgeht, etwa eth0; leer: die das System wählt.",
  "The network interface that it is received on, such as eth0; empty: the one that the system chooses.": "Die Netzwerkschnittstelle, auf der es empfangen wird, etwa eth0; leer: die das System wählt.",
  "The signing request (PKCS #10) that it was asked for by, in PEM form.": "Der Antrag (PKCS #10), mit dem es beantragt wurde, in PEM.",
  "The user part of the address that is called; * stands for any characters.": "Der Teil vor @ der gerufenen Adresse; * steht für beliebige Zeichen.",
  "What differs from the device's own table of who is heard with whom.": "Was von der Tabelle des Geräts abweicht, wer mit wem zu hören ist.",
  "What starts the rule while the conditions hold. Without one, the rule is active exactly while all conditions hold.":
    "Was die Regel auslöst, solange die Bedingungen gelten. Ohne einen ist die Regel genau so lange aktiv, wie alle Bedingungen gelten.",
  "Who renews the session; automatic: whoever called, if able.": "Wer die Sitzung erneuert; automatisch: wer anrief, wenn er es kann.",
  "none: a port without a connector, whose input is told by others. gpio:CHIP/LINE: a line of this machine, like gpio:gpiochip0/17, closed when low.":
    "none: ein Anschluss ohne Stecker, dessen Eingang andere sagen. gpio:CHIP/LINE: eine Leitung dieser Maschine, etwa gpio:gpiochip0/17, geschlossen bei Low.",
});
