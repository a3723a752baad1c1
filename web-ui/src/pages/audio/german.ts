// What the device says of its sound, in German.

import { translate } from "../../words";

translate({
  "Priority of talk": "Priorität des Sprechens",
  "1 to 10, of what people say from a browser; it is heard like a page.": "1 bis 10, dessen, was jemand vom Browser aus sagt; es ist wie eine Durchsage zu hören.",
  Output: "Ausgang",
  "auto: the default sound card. null: nowhere. wav:PATH: into a file, exactly as it would be heard. Anything else: the name of a sound card, or part of it.":
    "auto: die Standard-Soundkarte. null: nirgends. wav:PFAD: in eine Datei, genau wie es zu hören wäre. Alles andere: der Name einer Soundkarte oder ein Teil davon.",
  Greeting: "Begrüßung",
  "A WAV file that callers hear when they are answered; empty: silence.": "Eine WAV-Datei, die Anrufer hören, wenn abgehoben wird; leer: Stille.",
  "Level callers": "Anrufer angleichen",
  "Make quiet callers up to 18 dB louder and loud ones up to 12 dB softer; pauses stay as they are.": "Leise Anrufer bis zu 18 dB lauter, laute bis zu 12 dB leiser machen; Pausen bleiben, wie sie sind.",
  Latency: "Verzögerung",
  "How long sound waits, so that hold-ups are not heard; the page shows how long that really is.": "Wie lange Ton wartet, damit Stockungen nicht zu hören sind; die Seite zeigt, wie lange das wirklich ist.",
  "Ultra low": "Sehr gering",
  Low: "Gering",
  Input: "Eingang",
  "Empty: off. auto: the default sound card. wav:PATH: a file, over and over. Anything else: the name of a sound card, or part of it.":
    "Leer: aus. auto: die Standard-Soundkarte. wav:PFAD: eine Datei, immer wieder. Alles andere: der Name einer Soundkarte oder ein Teil davon.",
  Mute: "Stumm",
  Gain: "Verstärkung",
  "Automatic gain": "Automatische Verstärkung",
  "Loud from": "Laut ab",
  "In dBFS: from there on rules are told that it is loud; null: nobody listens for that.": "In dBFS: von da an wird Regeln gesagt, dass es laut ist; leer: Niemand achtet darauf.",
  "Echo cancellation": "Echounterdrückung",
  "Callers do not hear themselves. Without the library libspeexdsp, the microphone is softer while the speaker plays.":
    "Anrufer hören sich nicht selbst. Ohne die Bibliothek libspeexdsp ist das Mikrofon leiser, solange der Lautsprecher spielt.",
  "Level clips": "Clips angleichen",
  "Play all clips equally loud (EBU R 128).": "Alle Clips gleich laut spielen (EBU R 128).",
  "Loudness of clips": "Lautheit der Clips",
  "In LUFS, if levelled.": "In LUFS, wenn angeglichen.",
  "Space for clips": "Platz für Clips",
  "In megabytes.": "In Megabyte.",
  "Space for recordings": "Platz für Aufnahmen",
  "In megabytes; the oldest make room.": "In Megabyte; die ältesten machen Platz.",
  "Record without end": "Ohne Ende aufnehmen",
  "The microphone while it is on, in files of an hour at most.": "Das Mikrofon, solange es an ist, in Dateien von höchstens einer Stunde.",
  // what a test of the speaker finds
  "the speaker is muted": "Der Lautsprecher ist stumm.",
  "the microphone hears nothing": "Das Mikrofon hört nichts.",
  "the microphone does not hear the tone of {hertz} Hz: {level} dBFS, with {rest} dBFS of other sound":
    "Das Mikrofon hört den Ton von {hertz} Hz nicht: {level} dBFS, bei {rest} dBFS anderem Schall.",
  "the calibration was {before}, and this test is {now}: calibrate anew": "Kalibriert wurde auf andere Weise: neu kalibrieren.",
  "the tone of {hertz} Hz is {by} dB softer than at the calibration: see what stands before it, and what is set":
    "Der Ton von {hertz} Hz ist {by} dB leiser als bei der Kalibrierung: Nachsehen, was davor steht und was eingestellt ist.",
});
