// What the device says of its ports and of the outputs of its light, in German.

import { translate } from "../../words";

translate({
  "Name": "Name",
  "Usage": "Verwendung",
  "What it is for.": "Wofür er da ist.",
  "Direction": "Richtung",
  "Input: it is watched. Output: it is switched.": "Eingang: er wird beobachtet. Ausgang: er wird geschaltet.",
  "Normal state": "Normalzustand",
  "Of its circuit; the port is active while it is not so. A port with nothing connected is open.":
    "Seines Stromkreises; der Anschluss ist aktiv, solange er nicht so ist. Ein Anschluss, an dem nichts hängt, ist offen.",
  "Supervised": "Überwacht",
  "An input whose line is told to be shorted or cut, besides open and closed. By the driver none only, where somebody else tells.":
    "Ein Eingang, von dessen Leitung auch gesagt wird, dass sie kurzgeschlossen oder unterbrochen ist. Nur ohne Leitung dieser Maschine, wo jemand anders das sagt.",
  "Mode": "Betriebsart",
  "Of an output. Bistable: active until switched off. Monostable: active for its pulse time.":
    "Eines Ausgangs. Entweder aktiv, bis er ausgeschaltet wird, oder aktiv für seine Impulsdauer.",
  "Pulse time": "Impulsdauer",
  "Of a monostable output.": "In Millisekunden.",
});
