"""How the device shows itself to a home: what can be set, the topics, and who says it is there."""

import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple
from zlib import crc32

from msgspec import Meta, Struct

AVAILABLE, NOT_AVAILABLE = "online", "offline"
KEY_MAX = 24  # characters of a name that are seen in its key


class HomeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The device in a home: Home Assistant's MQTT discovery, and orders over MQTT."""

    discovery: Annotated[
        bool,
        Meta(
            title="Home Assistant discovery",
            description="The device appears in Home Assistant by itself.",
        ),
    ] = False
    discovery_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f#+$/][^\x00-\x1f\x7f#+]{0,126}[^\x00-\x1f\x7f#+/]$(?!\n)",
            title="Discovery prefix",
            description="As it is set in Home Assistant; 2 to 128 characters without # and +.",
        ),
    ] = "homeassistant"
    commands: Annotated[
        bool,
        Meta(
            title="Commands over MQTT",
            description="Whoever may publish at the broker may then command the device.",
        ),
    ] = False

    @property
    def wanted(self) -> bool:
        """Whether there is anything to publish."""
        return self.discovery or self.commands


class Will(NamedTuple):
    """A message with which the broker or the device says that it is there, or no more."""

    topic: str
    message: str


class Topics(NamedTuple):
    """Where the device tells and hears what. prefix: of all topics of the device."""

    prefix: str

    def state(self, *steps: str) -> str:
        """Retained, but for what only happens."""
        return "/".join((self.prefix, "state", *steps))

    def command(self, name: str) -> str:
        """Where an order of the API is given; `name` may be "+"."""
        return f"{self.prefix}/command/{name}"

    def result(self, name: str) -> str:
        """Where an order is answered."""
        return f"{self.prefix}/command/{name}/result"

    def wish(self, name: str) -> str:
        """Where Home Assistant says how a light or the siren shall be; `name` may be "+"."""
        return f"{self.prefix}/home/{name}"


def key_of(name: str) -> str:
    """A name as a step of a topic: readable, without wildcards, and no two names have the same.

    A CRC-32 keeps apart what looks alike: "Door" and "door", "Tür" and "Tor".
    """
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:KEY_MAX]
    return f"{readable or 'x'}_{crc32(name.encode('utf-8', 'surrogatepass')):08x}"


def availability(will: Will | None, birth: Will | None, topics: Topics) -> Mapping[str, str]:
    """Where Home Assistant sees that the device is there: on the topic of the last will, if what is
    said after connecting comes there too, else on a topic of our own.

    A client has one last will. The vendor's default messages say it by a member `connected`.
    """
    own = topics.state("availability")
    if will is None or birth is None or birth.topic != will.topic:
        return {
            "availability_topic": own,
            "payload_available": AVAILABLE,
            "payload_not_available": NOT_AVAILABLE,
        }
    if '"connected":' in will.message:
        return {
            "availability_topic": will.topic,
            "availability_template": "{{ 'online' if value_json.connected else 'offline' }}",
        }
    return {
        "availability_topic": will.topic,
        "payload_available": birth.message,
        "payload_not_available": will.message,
    }
