// What the device says of how a call is heard, in German.

import { translate } from "../../words";

translate({
  // what is so
  "No media is agreed on yet.": "Noch sind keine Medien vereinbart.",
  "The other side holds the call.": "Die Gegenseite hält den Anruf.",
  "The first packet is awaited.": "Das erste Paket wird erwartet.",
  "The other side sends payload type {type}, and agreed on {codec}.": "Die Gegenseite sendet Payload-Typ {type}, vereinbart ist {codec}.",
  "No way to the other side has been found yet.": "Noch ist kein Weg zur Gegenseite gefunden.",
  "Sound comes only from {stranger}, which is not part of this call.": "Ton kommt nur von {stranger}, was nicht zu diesem Anruf gehört.",
  "No sound has come from {host}.": "Von {host} ist kein Ton gekommen.",
  "No sound has come for {n} s from {host}.": "Seit {n} s kommt kein Ton von {host}.",
  "We hear the other side, and by its reports it receives nothing from us.": "Die Gegenseite ist zu hören, empfängt laut ihren Berichten aber nichts von uns.",
  "The other side has sent nothing but silence for {n} s.": "Die Gegenseite sendet seit {n} s nur Stille.",
  "{lost} % of the sound is lost on the way, and {late} % comes too late.": "{lost} % des Tons gehen unterwegs verloren, {late} % kommen zu spät.",
  "By its reports, the other side misses {n} % of what we send.": "Laut ihren Berichten fehlen der Gegenseite {n} % dessen, was wir senden.",
  "What comes is not encrypted with the keys that were agreed on.": "Was kommt, ist nicht mit den vereinbarten Schlüsseln verschlüsselt.",
  "The other side wants its sound at {media}, a private address, and calls from {peer}.": "Die Gegenseite will ihren Ton an {media}, eine private Adresse, ruft aber von {peer} an.",
  "We have named {ours}, a private address, to {peer}.": "Das Gerät hat {peer} eine private Adresse genannt, {ours}.",
  "The network says that nothing takes our sound at {host} port {port}.": "Das Netz meldet, dass unter {host}, Port {port}, niemand unseren Ton annimmt.",
  "Nothing can be sent: the other side wants its sound at {host}.": "Es kann nichts gesendet werden: Die Gegenseite will ihren Ton an {host}.",
  "Nothing is received, and nothing can be sent: the other side wants its sound at {host}.": "Es kommt nichts, und es kann nichts gesendet werden: Die Gegenseite will ihren Ton an {host}.",
  // what may help
  "Allow only {codec} for this device on the other side or its PBX.": "Erlauben Sie für dieses Gerät auf der Gegenseite oder an deren Anlage nur {codec}.",
  "Add a TURN server, which helps where nothing else does.": "Tragen Sie einen TURN-Server ein; er hilft, wo sonst nichts hilft.",
  "Let the PBX name the address that it sends from, or switch on ICE.": "Lassen Sie die Anlage die Adresse nennen, von der sie sendet, oder schalten Sie ICE ein.",
  "See whether the other side is muted, and whether a firewall lets UDP to our media ports through.":
    "Prüfen Sie, ob die Gegenseite stumm ist und ob eine Firewall UDP zu den Medien-Ports des Geräts durchlässt.",
  "A firewall or NAT on the way keeps our media out; try ICE or TURN.": "Eine Firewall oder ein NAT dazwischen hält unsere Medien auf; versuchen Sie ICE oder TURN.",
  "See whether its microphone is muted or not connected.": "Prüfen Sie, ob ihr Mikrofon stumm oder nicht angeschlossen ist.",
  "The network is not fit for sound: look for a slow or busy link, often Wi-Fi.": "Das Netz taugt nicht für Ton: Suchen Sie eine langsame oder überlastete Strecke, oft WLAN.",
  "Use the same media encryption on both sides, and a proxy that does not change SDP.":
    "Stellen Sie auf beiden Seiten dieselbe Verschlüsselung der Medien ein, und benutzen Sie einen Proxy, der SDP nicht ändert.",
  "It is behind a NAT that changes only the signalling: switch on STUN or ICE there, or media relaying at its PBX.":
    "Sie ist hinter einem NAT, das nur die Signalisierung umsetzt: Schalten Sie dort STUN oder ICE ein, oder an ihrer Anlage die Weiterleitung der Medien.",
  "We are behind a NAT: switch on STUN or ICE in the settings of this device.": "Das Gerät ist hinter einem NAT: Schalten Sie in seinen Einstellungen STUN oder ICE ein.",
  "The other side listens elsewhere, or a firewall in front of it refuses the port.": "Die Gegenseite hört woanders, oder eine Firewall vor ihr weist den Port ab.",
  "There is no way from here to that address: see to the network of this device.": "Von hier führt kein Weg zu dieser Adresse: Sehen Sie nach dem Netz des Geräts.",
});
