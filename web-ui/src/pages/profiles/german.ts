// What the device says of a file of profiles, in German.

import { translate } from "../../words";

translate({
  "there is no clip '{clip}' here: add it first": "Den Clip „{clip}“ gibt es hier nicht: Fügen Sie ihn zuerst hinzu.",
  "'{name}' is the name of two profiles of the file": "Zwei Profile der Datei heißen „{name}“.",
  "there is a profile '{name}' already; the mode overwrite replaces it": "Ein Profil „{name}“ gibt es schon; überschrieben wird es nur mit „Gleiche Namen überschreiben“.",
  "there would be {count} profiles; {most} is the most": "Es wären {count} Profile; mehr als {most} gehen nicht.",
  "there are {count} profiles in the file; {most} is the most": "In der Datei sind {count} Profile; mehr als {most} gehen nicht.",
  "there is no profile in the file": "In der Datei ist kein Profil.",
  "{name} would be deleted, and is needed by {users}": "{name} würde gelöscht und wird gebraucht: {users}.",
});
