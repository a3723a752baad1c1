// What the device says of light wherever light is shown, in German.

import { translate } from "../words";

translate({
  red: "Rot",
  green: "Grün",
  blue: "Blau",
  white: "Weiß",
  amber: "Bernstein",
  yellow: "Gelb",
  pink: "Rosa",
  purple: "Violett",
  turquoise: "Türkis",
  "{n} flashes in one second on {sides} sides at once: more than {most} a second over a large area can cause seizures in people with photosensitive epilepsy":
    "{n} Blitze in einer Sekunde auf {sides} Seiten zugleich: Mehr als {most} je Sekunde auf großer Fläche können bei Menschen mit fotosensitiver Epilepsie Anfälle auslösen",
  "flashes in saturated red, to which people with photosensitive epilepsy are most sensitive":
    "blitzt in gesättigtem Rot, auf das Menschen mit fotosensitiver Epilepsie am empfindlichsten sind",
});
