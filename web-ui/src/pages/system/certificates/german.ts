// What the device says of its certificates, in German.

import { translate } from "../../../words";

translate({
  "Where the page is served: 0.0.0.0 for all IPv4 addresses, :: for IPv6.": "Wo die Seite gezeigt wird: 0.0.0.0 für alle IPv4-Adressen, :: für IPv6.",
  "it is for no name and no address, so that browsers will not accept it": "es ist für keinen Namen und keine Adresse, und Browser nehmen es nicht an",
});
