"""What Home Assistant reads to know the device: one document with all that there is of it.

Device-based MQTT discovery, as Home Assistant reads it since 2024.12: a retained JSON object at
``<discovery prefix>/device/<id>/config`` with ``device``, ``origin`` and ``components``, by ids of
ours. A component that goes is told once with its platform alone, and is left out from then on.
There is no platform for media players in MQTT discovery: a list of clips, buttons and a volume
stand for one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import msgspec
from msgspec import Struct, field

from sipstrobe.mqtt.home import Topics, key_of

MANUFACTURER: Final = "sipstrobe"
MODEL: Final = "SIP strobe speaker"
INTENSITIES: Final = 5  # steps of brightness
DOCUMENT_MAX_BYTES: Final = 256 * 1024  # of a document that we look at again
DIGITS: Final = tuple("0123456789*#ABCD")
ON, OFF = "ON", "OFF"

Component = dict[str, Any]


class Thing(Struct, frozen=True, kw_only=True):
    """The device, as far as a home needs to know it.

    commands: whether it can be told anything; without, only what it tells is shown. inputs, outputs
    and virtual_inputs: the names of those that are in use, by their numbers.
    """

    serial: str
    name: str
    version: str
    topics: Topics
    availability: Mapping[str, str]
    commands: bool
    effects: Sequence[str] = ()
    tones: Sequence[str] = ()
    profiles: Sequence[str] = ()
    triggers: Sequence[str] = ()
    clips: Sequence[str] = ()
    sequences: Sequence[str] = ()
    call_states: Sequence[str] = ()
    volume_db: tuple[float, float] = (-60.0, 0.0)
    inputs: Mapping[int, str] = field(default_factory=dict[int, str])
    outputs: Mapping[int, str] = field(default_factory=dict[int, str])
    virtual_inputs: Mapping[int, str] = field(default_factory=dict[int, str])


def config_topic(discovery_prefix: str, serial: str) -> str:
    return f"{discovery_prefix}/device/sipstrobe_{serial.lower()}/config"


def status_topic(discovery_prefix: str) -> str:
    """Where Home Assistant says "online" when it has started (its birth message)."""
    return f"{discovery_prefix}/status"


class Document(NamedTuple):
    """What is told, and the platform of each component in it, by id."""

    data: bytes
    platforms: Mapping[str, str]


def document(thing: Thing, gone: Mapping[str, str] | None = None) -> Document:
    """gone: the platforms of components that Home Assistant shall forget, by id."""
    components: dict[str, Component] = {}
    for key, component in _components(thing):
        component["unique_id"] = f"sipstrobe_{thing.serial.lower()}_{key}"
        components[key] = component
    platforms = {key: component["platform"] for key, component in components.items()}
    for key, platform in (gone or {}).items():
        components.setdefault(key, {"platform": platform})
    about = {
        "identifiers": [f"sipstrobe_{thing.serial.lower()}"],
        "name": thing.name,
        "manufacturer": MANUFACTURER,
        "model": MODEL,
        "serial_number": thing.serial,
        "sw_version": thing.version,
    }
    told = {
        "device": about,
        "origin": {"name": MANUFACTURER, "sw_version": thing.version},
        "components": components,
        **thing.availability,
        "qos": 1,
    }
    return Document(msgspec.json.encode(told), platforms)


def platforms_in(data: bytes) -> dict[str, str]:
    """The platform of each component in a document that comes from the broker, by id.

    What is no such document, or too long for one of ours, has none.
    """
    if len(data) > DOCUMENT_MAX_BYTES:
        return {}
    try:
        told = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    components = cast("Any", told).get("components") if isinstance(told, dict) else None
    if not isinstance(components, dict):
        return {}
    found: dict[str, str] = {}
    for key, component in cast("dict[str, Any]", components).items():
        platform = cast("Any", component).get("platform") if isinstance(component, dict) else None
        if isinstance(platform, str) and set(cast("Any", component)) != {"platform"}:
            found[key] = platform
    return found


# --- the components -----------------------------------------------------------------------------


def _components(thing: Thing) -> Iterator[tuple[str, Component]]:
    yield from _told(thing)
    yield from _ports(thing)
    if thing.commands:
        yield from _lights(thing)
        yield from _sound(thing)
        yield from _switches(thing)
        yield from _buttons(thing)


def _lights(thing: Thing) -> Iterator[tuple[str, Component]]:
    for key, name in (("light", "Light"), ("front_light", "Front light")):
        yield (
            key,
            {
                "platform": "light",
                "schema": "json",
                "name": name,
                "command_topic": thing.topics.wish(key),
                "state_topic": thing.topics.state(key),
                "brightness": True,
                "brightness_scale": INTENSITIES,
                "supported_color_modes": ["rgb"],
                "effect": True,
                "effect_list": list(thing.effects),
                "flash_time_short": 2,
                "flash_time_long": 10,
            },
        )


def _sound(thing: Thing) -> Iterator[tuple[str, Component]]:
    topics = thing.topics
    low, high = thing.volume_db
    yield (
        "siren",
        {
            "platform": "siren",
            "name": "Siren",
            "command_topic": topics.wish("siren"),
            "state_topic": topics.state("siren"),
            "available_tones": list(thing.tones),
            "support_duration": True,
            "support_volume_set": True,
        },
    )
    yield (
        "volume",
        {
            "platform": "number",
            "name": "Volume",
            "command_topic": topics.command("set-volume"),
            "command_template": '{"volume_db": {{ value }}}',
            "state_topic": topics.state("volume"),
            "min": low,
            "max": high,
            "step": 0.5,
            "mode": "slider",
            "unit_of_measurement": "dB",
        },
    )
    yield "mute", _switch(thing, "Mute", "set-volume", "muted", topics.state("muted"))
    if thing.clips:
        yield (
            "clip",
            {
                "platform": "select",
                "name": "Play clip",
                "command_topic": topics.command("play-clip"),
                "command_template": '{"clip": {{ value | tojson }}}',
                "state_topic": topics.state("clip"),
                "options": list(thing.clips),
            },
        )


def _switches(thing: Thing) -> Iterator[tuple[str, Component]]:
    topics = thing.topics
    state = topics.state("maintenance")
    yield "maintenance", _switch(thing, "Maintenance", "set-maintenance", "active", state)
    for number, name in enumerate(thing.triggers, 1):
        state = topics.state("trigger", str(number))
        order, told = "set-manual-trigger", {"trigger": number}
        yield f"trigger_{number}", _switch(thing, name, order, "active", state, told)
    for name in thing.profiles:
        key = key_of(name)
        yield (
            f"profile_{key}",
            {
                "platform": "switch",
                "name": name,
                "command_topic": topics.wish("profile"),
                "payload_on": _json({"profile": name, "active": True}),
                "payload_off": _json({"profile": name, "active": False}),
                "state_topic": topics.state("profile", key),
                "state_on": ON,
                "state_off": OFF,
            },
        )


def _switch(
    thing: Thing,
    name: str,
    order: str,
    item: str,
    state: str,
    others: Mapping[str, object] | None = None,
) -> Component:
    """One that gives an order of the API, whose `item` says on or off."""
    return {
        "platform": "switch",
        "name": name,
        "command_topic": thing.topics.command(order),
        "payload_on": _json({**(others or {}), item: True}),
        "payload_off": _json({**(others or {}), item: False}),
        "state_topic": state,
        "state_on": ON,
        "state_off": OFF,
    }


_EVERYTHING: Final = ["SignalingLED", "AudioLED", "AudioSpeaker"]
_BUTTONS: Final[tuple[tuple[str, str, str, dict[str, object], str], ...]] = (
    # id, name, order of the API, its fields, device class
    ("health_check", "Health check", "run-health-check", {}, ""),
    ("identify", "Identify", "locate-device", {}, "identify"),
    ("stop_all", "Stop light and siren", "stop-all", {"functions": _EVERYTHING}, ""),
    ("stop_clips", "Stop clips", "stop-clip", {}, ""),
    ("hang_up", "Hang up", "hang-up", {}, ""),
    ("answer", "Answer", "answer-call", {}, ""),
)


def _buttons(thing: Thing) -> Iterator[tuple[str, Component]]:
    for key, name, order, fields, device_class in _BUTTONS:
        button: Component = {
            "platform": "button",
            "name": name,
            "command_topic": thing.topics.command(order),
            "payload_press": _json(fields),
        }
        yield key, button | ({"device_class": device_class} if device_class else {})


def _told(thing: Thing) -> Iterator[tuple[str, Component]]:
    """What the device tells, and nobody can order."""
    topics = thing.topics
    call = topics.state("call")
    in_call = "{{ 'ON' if value_json.active else 'OFF' }}"
    ringing = "{{ 'ON' if value_json.ringing else 'OFF' }}"
    yield "call_active", _binary("In a call", call, value_template=in_call)
    yield "ringing", _binary("Ringing", call, value_template=ringing)
    yield (
        "call",
        {
            "platform": "sensor",
            "name": "Call",
            "state_topic": call,
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": call,
            "device_class": "enum",
            "options": list(thing.call_states),
        },
    )
    yield (
        "last_caller",
        {"platform": "sensor", "name": "Last caller", "state_topic": topics.state("last_caller")},
    )
    yield (
        "registrations",
        {
            "platform": "sensor",
            "name": "Registered accounts",
            "state_topic": topics.state("registrations"),
            "value_template": "{{ value_json.registered }}",
            "json_attributes_topic": topics.state("registrations"),
            "entity_category": "diagnostic",
        },
    )
    problem = topics.state("problem")
    yield (
        "problem",
        _binary(
            "Problem",
            problem,
            value_template="{{ 'ON' if value_json.problems else 'OFF' }}",
            json_attributes_topic=problem,
            device_class="problem",
            entity_category="diagnostic",
        ),
    )
    yield "speaker", _binary("Speaker", topics.state("speaker"), device_class="sound")
    yield "page", _binary("Page", topics.state("page"))
    if not thing.commands:
        yield "maintenance_mode", _binary("Maintenance", topics.state("maintenance"))
    yield "digit", _event("Digit", topics.state("digit"), DIGITS)
    if thing.sequences:
        names = dict.fromkeys(thing.sequences)
        yield "sequence", _event("Digit sequence", topics.state("sequence"), names)


def _ports(thing: Thing) -> Iterator[tuple[str, Component]]:
    """Inputs are seen; what the device can switch by itself is a switch where that is allowed."""
    kinds = (
        ("input", thing.inputs, "", ""),
        ("output", thing.outputs, "set-output", "port"),
        ("virtual_input", thing.virtual_inputs, "set-virtual-input", "input"),
    )
    for kind, names, order, item in kinds:
        for number, name in names.items():
            state = thing.topics.state(kind, str(number))
            if thing.commands and order:
                switch = _switch(thing, name, order, "active", state, {item: number})
                yield f"{kind}_{number}_switch", switch
            else:
                yield f"{kind}_{number}", _binary(name, state)


def _binary(name: str, state: str, **more: str) -> Component:
    return {"platform": "binary_sensor", "name": name, "state_topic": state, **more}


def _event(name: str, topic: str, types: Iterable[str]) -> Component:
    return {"platform": "event", "name": name, "state_topic": topic, "event_types": list(types)}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
