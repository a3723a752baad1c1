"""Why a broker refuses, in words: MQTT 3.1.1 §3.2.2.3, MQTT 5 §2.4."""

from collections.abc import Mapping
from typing import Final

_OLD: Final[Mapping[int, str]] = {
    1: "it does not speak this version of MQTT",
    2: "it refuses the client id",
    3: "it is not available just now",
    4: "wrong user or password",
    5: "we are not allowed there",
}
_NEW: Final[Mapping[int, str]] = {
    0x80: "it gives no reason",
    0x81: "it does not understand us",
    0x82: "it finds that we break the protocol",
    0x83: "it does not accept that",
    0x84: "it does not speak this version of MQTT",
    0x85: "it refuses the client id",
    0x86: "wrong user or password",
    0x87: "we are not allowed there",
    0x88: "it is not available just now",
    0x89: "it is busy",
    0x8A: "it has banned us",
    0x8B: "it is being shut down",
    0x8C: "wrong way to sign in",
    0x8D: "it has not heard us for too long",
    0x8E: "another client has the same client id",
    0x8F: "it refuses the filter",
    0x90: "it refuses the topic",
    0x95: "the packet is too large",
    0x96: "too many messages",
    0x97: "our quota is used up",
    0x98: "somebody there has decided so",
    0x99: "it refuses the payload",
    0x9A: "it retains nothing",
    0x9B: "it does not have this QoS",
    0x9C: "another server is to be used",
    0x9D: "the server has moved",
    0x9F: "we connect too often",
}


def refusal(version: str, reason: int) -> str:
    """What a reason above 0 means, for people; brokers that know no MQTT 5 answer as of old."""
    words = _NEW.get(reason) if version == "5" else None
    return words or _OLD.get(reason) or f"it refuses, reason {reason}"
