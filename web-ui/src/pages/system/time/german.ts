// What the device says of its time and place, in German.

import { translate } from "../../../words";

translate({
  Name: "Name",
  "How the page and other devices call this one.": "Wie die Seite und andere Geräte dieses nennen.",
  Location: "Ort",
  Latitude: "Breite",
  "In degrees; north is positive.": "In Grad; Norden ist positiv.",
  Longitude: "Länge",
  "In degrees; east is positive.": "In Grad; Osten ist positiv.",
  Heading: "Blickrichtung",
  "In degrees: 0 is north, 90 is east.": "In Grad: 0 ist Norden, 90 ist Osten.",
  Label: "Bezeichnung",
  "What people call the place.": "Wie Menschen den Ort nennen.",
  "The clock follows others.": "Die Uhr folgt anderen.",
  "This system does not say whether its clock is synchronised.": "Dieses System sagt nicht, ob seine Uhr gestellt wird.",
  "Nothing adjusts the clock. Schedules may be late or early, and certificates may seem to be expired or not valid yet.":
    "Nichts stellt die Uhr nach. Zeitpläne können zu spät oder zu früh sein, und Zertifikate abgelaufen oder noch nicht gültig scheinen.",
});
