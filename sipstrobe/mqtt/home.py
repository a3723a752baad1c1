"""How the device shows itself to a home: what can be set, the topics, and who says it is there."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, NamedTuple
from zlib import crc32

from msgspec import Meta, Struct
from msgspec.structs import replace

from sipstrobe.mqtt.settings import MqttSettings, Notice

AVAILABLE = "online"
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


class Said(NamedTuple):
    """A message about the connection: the last will, or what is said after connecting.

    plain: in the words of people; else the vendor's default, whose member `connected` tells.
    """

    topic: str
    payload: str
    plain: bool = False


class Presence(NamedTuple):
    """Where Home Assistant sees that the device is there. says: what the device has to publish on
    `topic` itself once it is connected, since its connect message does not say it there."""

    options: Mapping[str, str]
    topic: str
    says: str = ""


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


@lru_cache(maxsize=256)
def key_of(name: str) -> str:
    """A name as a step of a topic: readable, without wildcards, and no two names have the same.

    A CRC-32 keeps apart what looks alike: "Door" and "door", "Tür" and "Tor".
    """
    readable = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:KEY_MAX]
    return f"{readable or 'x'}_{crc32(name.encode('utf-8', 'surrogatepass')):08x}"


def announced(mqtt: MqttSettings, home: HomeSettings) -> MqttSettings:
    """What the client does: Home Assistant needs to see when the device is there and when not, so
    with discovery the messages about the connection that nobody has set are the default ones."""
    if not home.discovery:
        return mqtt
    default = Notice(send=True)
    return replace(
        mqtt,
        connect_message=mqtt.connect_message if mqtt.connect_message.send else default,
        disconnect_message=mqtt.disconnect_message if mqtt.disconnect_message.send else default,
        last_will=mqtt.last_will if mqtt.last_will.send else default,
    )


def presence(will: Said, birth: Said) -> Presence:
    """How the last will (MQT-12) and the connect message (MQT-11) tell Home Assistant.

    A client has one last will, so that is where it looks.
    """
    if will.topic == birth.topic and not (will.plain or birth.plain):
        template = "{{ 'online' if value_json.connected else 'offline' }}"
        options = {"availability_topic": will.topic, "availability_template": template}
        return Presence(options, will.topic)
    same = will.topic == birth.topic and birth.plain
    available = birth.payload if same else AVAILABLE
    options = {
        "availability_topic": will.topic,
        "payload_available": available,
        "payload_not_available": will.payload,
    }
    return Presence(options, will.topic, "" if same else available)
