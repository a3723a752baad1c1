// What the device says of who may use it, in German.

import { translate } from "../../../words";

translate({
  "Anonymous viewing": "Ansehen ohne Konto",
  "Whoever has no account may look, and do nothing else.": "Wer kein Konto hat, darf ansehen, und sonst nichts.",
  "Brute-force protection": "Schutz gegen Erraten",
  "Block who guesses": "Wer rät, wird gesperrt",
  "Blocking period": "Dauer der Sperre",
  "Seconds.": "Sekunden.",
  "Failures at a page": "Fehlversuche an einer Seite",
  "Wrong passwords of one address at one page within a second.": "Falsche Passwörter einer Adresse an einer Seite innerhalb einer Sekunde.",
  "Failures at the device": "Fehlversuche am Gerät",
  "Wrong passwords of all addresses together within a second. Only addresses that fail are blocked by it, and none from which somebody has signed in lately.":
    "Falsche Passwörter aller Adressen zusammen innerhalb einer Sekunde. Gesperrt werden nur Adressen mit Fehlversuchen, und keine, von der sich kürzlich jemand angemeldet hat.",
  "short: 12 characters or more are hard to guess": "kurz: 12 Zeichen und mehr sind schwer zu erraten",
  "made of few different characters, which is easy to guess": "aus wenigen verschiedenen Zeichen, also leicht zu erraten",
  "made of the name of the account, which is guessed first": "aus dem Namen des Kontos, den man zuerst rät",
  "made of a word that is guessed first": "aus einem Wort, das man zuerst rät",
});
