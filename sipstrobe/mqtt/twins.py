"""Our events under the vendor's topics, with the vendor's items.

What has no twin there is told under our own name space, with all its items. An event can have
several twins: a health check is done, and it was passed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

from sipstrobe.events import Event, Kind
from sipstrobe.mqtt.topics import OURS, Level, levels_of

TRANSIENT: Final = frozenset({"call", "operation", "recording", "playback"})
"""Items that name what soon is gone: they are no part of a topic, or topics would never end."""

_Text = Callable[[object], str]


def text_of(value: object) -> str:
    """A value as the vendor writes it: everything as text, booleans as 0 and 1."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _word(value: object) -> str:
    """no_answer -> NoAnswer"""
    return "".join(part.capitalize() for part in str(value).split("_"))


def _passed(value: object) -> str:
    return "OK" if value else "Failed"


def _minus_one(value: object) -> str:
    return str(value - 1) if isinstance(value, int) else ""


class Item(Struct, frozen=True):
    """What the vendor calls an item of ours; with always, the value that it has in any case."""

    name: str
    item: str = ""
    text: _Text = text_of
    always: str = ""

    def value(self, items: Mapping[str, object]) -> str:
        return self.always or self.text(items.get(self.item))


class Twin(Struct, frozen=True):
    """when: the values that items must have for it."""

    topic: str
    source: tuple[Item, ...] = ()
    data: tuple[Item, ...] = ()
    when: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def levels(self) -> tuple[Level, ...]:
        return levels_of(self.topic)


class Told(Struct, frozen=True):
    """An event as it is told. transient: the items of its source that topics leave out."""

    levels: tuple[Level, ...]
    source: Mapping[str, str]
    data: Mapping[str, str]
    is_property: bool
    transient: frozenset[str] = frozenset()


_SPEAKER: Final = Item("Source", always="NetworkSpeaker")
_CHECK: Final = "onvif:Device/axis:SirenAndLight/HealthCheck"

TWINS: Final[Mapping[str, tuple[Twin, ...]]] = {
    "call/state": (Twin("axis:Call/State", (_SPEAKER,), (Item("CallState", "state", _word),)),),
    "call/state_change": (
        Twin(
            "axis:Call/StateChange",
            (_SPEAKER,),
            (
                Item("Reason", "reason", _word),
                Item("CallId", "call"),
                Item("Direction", "direction", _word),
                Item("RemoteURI", "remote_uri"),
                Item("DeviceURI", "local_uri"),
                Item("RemoteSIPURI", "remote_uri"),
                Item("LocalSIPURI", "local_uri"),
                Item("CallState", "state", _word),
            ),
        ),
    ),
    "call/dtmf": (
        Twin("axis:Call/DTMF", (Item("DTMFEventId", "event_id"),), (Item("CallId", "call"),)),
    ),
    "input/port": (
        Twin(
            "onvif:Device/axis:IO/Port",
            (Item("port", "port", _minus_one),),
            (Item("state", "active"),),
        ),
    ),
    "output/port": (
        Twin(
            "onvif:Device/axis:IO/OutputPort",
            (Item("port", "port", _minus_one),),
            (Item("state", "active"),),
        ),
    ),
    "input/virtual": (
        Twin(
            "onvif:Device/axis:IO/VirtualInput",
            (Item("port", "input"),),
            (Item("active", "active"),),
        ),
    ),
    "input/manual_trigger": (
        Twin(
            "onvif:Device/axis:IO/VirtualPort",
            (Item("port", "trigger"),),
            (Item("state", "active"),),
        ),
    ),
    "mqtt/client": (
        Twin(
            "onvif:Device/axis:MQTT/ClientStatus",
            (),
            (Item("active", "active"), Item("connected", "connected")),
        ),
    ),
    "signal/health_check": (
        Twin(_CHECK + "Done"),
        Twin(_CHECK + "Success", when={"passed": True}),
        Twin(_CHECK + "Failed", when={"passed": False}),
    ),
    "sound/output": (
        Twin(
            "onvif:Device/axis:AudioOutputActive",
            (Item("AudioOutput", always="AudioDevice0Output0"),),
            (Item("AudioOutputActive", "active"),),
        ),
    ),
    "sound/clip": (
        Twin(
            "axis:MediaClip/Playing",
            (Item("AudioOutput", always="1"),),
            (Item("Playing", "playing"),),
        ),
    ),
    "sound/recording": (Twin("axis:Storage/Recording", (), (Item("recording", "active"),)),),
    "sound/live_stream": (
        Twin("onvif:VideoSource/axis:LiveStreamAccessed", (), (Item("accessed", "active"),)),
    ),
    "sound/microphone": (
        Twin(
            "onvif:Device/axis:Microphone/Switch",
            (Item("switch", always="0"),),
            (Item("state", "on"),),
        ),
    ),
    "sound/page": (  # GAP-20
        Twin(
            "axis:AudioMulticastController/SourceState",
            (Item("SrcID", "page"),),
            (Item("State", "state", _word),),
        ),
    ),
    "sound/stream": (
        Twin(
            "axis:AudioMulticastController/SourceState",
            (Item("SrcID", always="VAPIXAudio"),),
            (Item("State", "state", _word),),
        ),
    ),
    "sound/level": (
        Twin(
            "onvif:AudioSource/axis:TriggerLevel",
            (Item("channel", always="1"),),
            (Item("triggered", "above"),),
        ),
    ),
    "network/lost": (
        Twin(
            "onvif:Device/axis:Network/Lost",
            (Item("interface", "interface"),),
            (Item("lost", "lost"),),
        ),
    ),
    "network/address": (
        Twin(
            "onvif:Device/axis:Network/AddressAdded",
            (Item("interface", "interface"),),
            (Item("address", "address"),),
            {"added": True},
        ),
        Twin(
            "onvif:Device/axis:Network/AddressRemoved",
            (Item("interface", "interface"),),
            (Item("address", "address"),),
            {"added": False},
        ),
    ),
    "storage/alert": (
        Twin(
            "axis:Storage/Alert",
            (Item("disk_id", always="SD_DISK"),),
            (Item("alert", "alert"),),
        ),
    ),
    "device/address_blocked": (
        Twin("onvif:Device/axis:Network/BlockedIP", (), (Item("address", "address"),)),
    ),
    "device/speaker_test": (
        Twin(
            "onvif:Device/axis:SpeakerTest/TestResult",
            (),
            (Item("SpeakerTestStatus", "passed", _passed),),
        ),
    ),
    "rule/failed": (
        Twin(
            "onvif:Device/axis:SystemMessage/ActionFailed",
            (),
            (Item("description", "reason"),),
        ),
    ),
    "schedule/interval": (
        Twin(
            "onvif:UserAlarm/axis:Recurring/Interval",
            (Item("id", "schedule"),),
            (Item("active", "active"),),
        ),
    ),
    "schedule/pulse": (Twin("onvif:UserAlarm/axis:Recurring/Pulse", (Item("id", "schedule"),)),),
}


def twins_of(event: type[Event]) -> Iterator[tuple[Level, ...]]:
    """The topics under which events of this kind can be told."""
    for twin in TWINS.get(event.outside.topic, ()):
        yield twin.levels
    yield own_levels(event)


def own_levels(event: type[Event]) -> tuple[Level, ...]:
    return levels_of(f"{OURS}:{event.outside.topic}")


def told_as_twins(event: Event) -> Iterator[Told]:
    """All there are, by the vendor's topics."""
    twins = TWINS.get(event.outside.topic, ())
    if not twins:
        return
    items = event.items()
    for twin in twins:
        if all(items.get(name) == value for name, value in twin.when.items()):
            yield Told(
                twin.levels,
                {item.name: item.value(items) for item in twin.source},
                {item.name: item.value(items) for item in twin.data},
                event.outside.kind is Kind.PROPERTY,
            )


def told_as_own(event: Event) -> Told:
    """By our own topic."""
    outside = event.outside
    items = {name: text_of(value) for name, value in event.items().items()}
    return Told(
        own_levels(type(event)),
        {name: items.pop(name) for name in outside.source},
        items,
        outside.kind is Kind.PROPERTY,
        TRANSIENT.intersection(outside.source),
    )
