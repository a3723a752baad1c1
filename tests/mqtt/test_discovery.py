"""What Home Assistant reads, against a statement of its own schema; and what it must forget."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sipstrobe.mqtt.discovery import (
    DOCUMENT_MAX_BYTES,
    Thing,
    config_topic,
    document,
    platforms_in,
    status_topic,
)
from sipstrobe.mqtt.home import Presence, Said, Topics, key_of, presence

TOPICS = Topics("site/AC0123456789")
THING = Thing(
    serial="AC0123456789",
    name="Hall",
    version="1.2",
    topics=TOPICS,
    availability={"availability_topic": "site/AC0123456789/event/connection"},
    commands=True,
    effects=("Steady", "Blink"),
    tones=("Alarm: Horror", "Clip: Gong"),
    profiles=("Evacuate", "Door"),
    triggers=("Doorbell",),
    clips=("Gong",),
    sequences=("Open",),
    call_states=("idle", "ringing", "active"),
    inputs={1: "Door contact"},
    outputs={2: "Barrier"},
    virtual_inputs={7: "Night"},
)

# The integration pages of Home Assistant (home-assistant.io/integrations/<platform>.mqtt): what
# every entity may have, then by platform what it must and what it may have.
COMMON = {"platform", "unique_id", "name", "device_class", "entity_category"}
ATTRIBUTES = {"json_attributes_topic", "json_attributes_template"}
SCHEMA: dict[str, tuple[set[str], set[str]]] = {
    "light": (
        {"schema", "command_topic"},
        {"state_topic", "brightness", "brightness_scale", "supported_color_modes", "effect"}
        | {"effect_list", "flash_time_short", "flash_time_long"},
    ),
    "siren": (
        set(),
        {"command_topic", "state_topic", "available_tones"}
        | {"support_duration", "support_volume_set"},
    ),
    "number": (
        {"command_topic"},
        {"command_template", "state_topic", "min", "max", "step", "mode", "unit_of_measurement"},
    ),
    "switch": (
        {"command_topic"},
        {"state_topic", "payload_on", "payload_off", "state_on", "state_off"},
    ),
    "button": ({"command_topic"}, {"payload_press"}),
    "select": ({"command_topic", "options"}, {"command_template", "state_topic"}),
    "sensor": ({"state_topic"}, {"value_template", "options"} | ATTRIBUTES),
    "binary_sensor": ({"state_topic"}, {"value_template"} | ATTRIBUTES),
    "event": ({"state_topic", "event_types"}, set()),
}
CLASSES = {  # the device classes of each platform that occur here, out of their lists
    "button": {"identify", "restart", "update"},
    "binary_sensor": {"problem", "sound", "occupancy", "running"},
    "sensor": {"enum", "timestamp", "duration"},
}
DEVICE = {"identifiers", "connections", "name", "manufacturer", "model", "serial_number"} | {
    "sw_version",
    "hw_version",
    "configuration_url",
}
ROOT = {"device", "origin", "components", "qos", "encoding"} | {
    "availability_topic",
    "availability_template",
    "payload_available",
    "payload_not_available",
}
ID = re.compile(r"[a-zA-Z0-9_-]+")  # of a step of the discovery topic


def read(thing: Thing) -> Any:
    return json.loads(document(thing).data)


@pytest.mark.parametrize("commands", [True, False])
def test_the_document_is_what_the_published_schema_allows(*, commands: bool) -> None:
    """Device discovery: device, origin and components; every component is of a platform there is,
    has what it needs and nothing that is not known there."""
    told = read(replace(THING, commands=commands))

    assert set(told) <= ROOT
    assert set(told["device"]) <= DEVICE
    assert told["device"]["identifiers"]
    assert told["origin"]["name"]
    unique = [component["unique_id"] for component in told["components"].values()]
    assert len(set(unique)) == len(unique)
    for key, component in told["components"].items():
        assert ID.fullmatch(key)
        required, optional = SCHEMA[component["platform"]]
        assert required <= set(component), key
        assert set(component) <= COMMON | required | optional, key
        allowed = CLASSES.get(component["platform"], set())
        assert component.get("device_class") in {None, *allowed}, key
        topics = [v for k, v in component.items() if k.endswith("_topic")]
        assert topics
        assert all(topic.startswith("site/AC0123456789/") for topic in topics)
        assert not any(c in topic for topic in topics for c in "+#")


def test_the_topics_are_those_that_home_assistant_listens_to() -> None:
    topic = config_topic("homeassistant", "AC0123456789")

    assert topic == "homeassistant/device/sipstrobe_ac0123456789/config"
    assert all(ID.fullmatch(step) for step in topic.split("/"))
    assert status_topic("homeassistant") == "homeassistant/status"


def test_light_and_siren_have_what_can_be_asked_of_them() -> None:
    components = read(THING)["components"]

    light = components["light"]
    assert light["schema"] == "json"
    assert light["supported_color_modes"] == ["rgb"]
    assert light["effect_list"] == ["Steady", "Blink"]
    assert light["brightness_scale"] == 5
    siren = components["siren"]
    assert siren["available_tones"] == ["Alarm: Horror", "Clip: Gong"]
    assert siren["support_duration"]
    assert siren["support_volume_set"]


def test_a_switch_says_what_its_order_needs() -> None:
    components = read(THING)["components"]
    trigger = components["trigger_1"]

    assert trigger["command_topic"] == "site/AC0123456789/command/set-manual-trigger"
    assert json.loads(trigger["payload_on"]) == {"trigger": 1, "active": True}
    assert json.loads(trigger["payload_off"]) == {"trigger": 1, "active": False}
    profile = components["profile_" + key_of("Evacuate")]
    assert json.loads(profile["payload_on"]) == {"profile": "Evacuate", "active": True}


def test_where_nothing_can_be_ordered_nothing_is_offered() -> None:
    """Commands over MQTT are off: what could only fail is not shown."""
    components = read(replace(THING, commands=False))["components"].values()

    assert {c["platform"] for c in components} == {"sensor", "binary_sensor", "event"}
    assert not any("command_topic" in c for c in components)


def test_ports_are_seen_and_those_that_can_be_switched_are_switches() -> None:
    seen = read(replace(THING, commands=False))["components"]
    told = read(THING)["components"]

    assert seen["input_1"]["name"] == told["input_1"]["name"] == "Door contact"
    assert seen["output_2"]["platform"] == "binary_sensor"
    output, virtual = told["output_2_switch"], told["virtual_input_7_switch"]
    assert output["command_topic"] == "site/AC0123456789/command/set-output"
    assert json.loads(output["payload_on"]) == {"port": 2, "active": True}
    assert json.loads(virtual["payload_off"]) == {"input": 7, "active": False}
    assert "output_2" not in told


# --- what goes -----------------------------------------------------------------------------------


def test_what_is_gone_is_told_by_its_platform_alone_and_then_left_out() -> None:
    """ "Removing components": an update in which they have nothing but their platform."""
    key = "profile_" + key_of("Evacuate")
    now = replace(THING, profiles=("Door",))

    farewell = document(now, {key: "switch"})

    assert json.loads(farewell.data)["components"][key] == {"platform": "switch"}
    assert key not in farewell.platforms
    assert key not in read(now)["components"]


def test_what_a_document_of_ours_has_is_read_from_it_again() -> None:
    """A component that is told to go is none any more."""
    told = document(THING)

    assert platforms_in(told.data) == told.platforms
    assert platforms_in(document(THING, {"old": "light"}).data) == told.platforms


@given(st.binary(max_size=80))
@settings(max_examples=50)
def test_what_is_no_such_document_has_no_components(data: bytes) -> None:
    assert platforms_in(data) == {}


@pytest.mark.parametrize(
    "components", [None, [], {"x": 7}, {"x": {"platform": 7}}, {"x": {"platform": "switch"}}]
)
def test_odd_components_are_passed_over(components: object) -> None:
    assert platforms_in(json.dumps({"components": components}).encode()) == {}


def test_a_document_without_end_is_not_read() -> None:
    long = {"components": {"x": {"platform": "switch", "name": "x" * DOCUMENT_MAX_BYTES}}}

    assert platforms_in(json.dumps(long).encode()) == {}


# --- who says that it is there -------------------------------------------------------------------


def test_the_default_messages_say_it_by_a_member() -> None:
    """MQT-11, -12: one client has one will, so that is where Home Assistant looks."""
    topic = "site/x/event/connection"

    told = presence(Said(topic, '{"connected":false}'), Said(topic, '{"connected":true}'))

    assert told.topic == told.options["availability_topic"] == topic
    assert "value_json.connected" in told.options["availability_template"]
    assert told.says == ""


def test_messages_of_people_say_it_in_their_words() -> None:
    told = presence(Said("hall", "gone", plain=True), Said("hall", "here", plain=True))

    assert told == Presence(
        {
            "availability_topic": "hall",
            "payload_available": "here",
            "payload_not_available": "gone",
        },
        "hall",
    )


@pytest.mark.parametrize("birth", [Said("door", "here", plain=True), Said("hall", "{}")])
def test_where_the_will_has_no_counterpart_the_device_says_it_itself(birth: Said) -> None:
    told = presence(Said("hall", "gone", plain=True), birth)

    assert told.says == told.options["payload_available"] == "online"
    assert told.options["payload_not_available"] == "gone"


# --- keys ----------------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=50), unique=True, max_size=8))
@settings(max_examples=50)
def test_every_name_has_a_key_of_its_own_that_fits_a_topic(names: list[str]) -> None:
    keys = [key_of(name) for name in names]

    assert len(set(keys)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]{1,40}", key) for key in keys)
