"""What is published of events (MQT-13), and of the connection (MQT-11, MQT-12)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sipstrobe.events import (
    DECLARED,
    CallReason,
    CallState,
    CallStateChanged,
    CallStatus,
    Direction,
    Event,
    HealthCheckDone,
    ManualTriggerChanged,
    MqttMessageReceived,
    PageState,
    PageStateChanged,
    RuleStateChanged,
    SequenceReceived,
    SettingsChanged,
    VirtualInputChanged,
    choices,
)
from sipstrobe.events.network import AddressChanged
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.payload import CONNECTED, LOST, Publisher, notice
from sipstrobe.mqtt.settings import Condition, Notice, Publications
from sipstrobe.mqtt.twins import TWINS

WALL = datetime(2020, 5, 21, 7, 13, 10, 230_000, UTC)
SERIAL = "00005E005301"
PREFIX = f"sipstrobe/{SERIAL}"
INPUT = VirtualInputChanged(input=1, active=True)


def published(event: Event, *conditions: Condition, **wanted: Any) -> list[Message]:
    publications = Publications(conditions=conditions, **wanted)
    publisher = Publisher(publications, PREFIX, SERIAL)
    return [message for message, _ in publisher.messages(event, WALL)]


def on(topic_filter: str, **more: Any) -> Condition:
    return Condition(topic_filter=topic_filter, **more)


def test_an_event_is_published_in_the_vendors_form() -> None:
    [message] = published(INPUT, on("onvif:Device/axis:IO/VirtualInput"))

    assert (
        message.topic == f"{PREFIX}/event/tns:onvif/Device/tns:axis/IO/VirtualInput/$source/port/1"
    )
    assert json.loads(message.payload) == {
        "timestamp": 1590045190230,
        "topic": "onvif:Device/axis:IO/VirtualInput",
        "message": {"source": {"port": "1"}, "key": {}, "data": {"active": "1"}},
    }
    assert (message.qos, message.retain) == (0, False)


def test_the_topic_is_as_long_as_is_wanted() -> None:
    everything = on("//.")
    end = "IO/VirtualInput/$source/port/1"

    [plain] = published(INPUT, everything, include_namespaces=False)
    [short] = published(INPUT, everything, include_topic=False)
    [own] = published(INPUT, everything, prefix="custom", custom_prefix="site/a")

    assert plain.topic == f"{PREFIX}/event/Device/{end}"
    assert short.topic == f"{PREFIX}/event"
    assert own.topic == f"site/a/event/tns:onvif/Device/tns:axis/{end}"


def test_the_serial_number_is_said_if_wanted() -> None:
    [message] = published(INPUT, on("//."), include_serial=True)

    assert json.loads(message.payload)["serial"] == SERIAL


def test_nothing_is_published_without_a_condition() -> None:
    assert published(INPUT) == []
    assert published(INPUT, on("axis:Call//.")) == []


def test_an_event_is_published_once_for_each_condition() -> None:
    found = published(INPUT, on("onvif:Device//.", qos=1), on("input/virtual"))

    assert [(m.qos, json.loads(m.payload)["topic"]) for m in found] == [
        (1, "onvif:Device/axis:IO/VirtualInput"),
        (0, "sipstrobe:input/virtual"),  # by our own name if that is what is asked for
    ]


@pytest.mark.parametrize(
    ("retain", "state", "pulse"),
    [("none", False, False), ("property", True, False), ("all", True, True)],
)
def test_states_are_retained_or_all_or_nothing(retain: str, state: bool, pulse: bool) -> None:
    settings = SettingsChanged(revision=2, paths="/sip")

    [first] = published(INPUT, on("//.", retain=retain))
    [second] = published(settings, on("//.", retain=retain))

    assert (first.retain, second.retain) == (state, pulse)


def test_a_call_is_told_as_the_vendor_does_and_leaves_no_topic_of_its_own() -> None:
    """A topic for each call would be kept by the broker for ever."""
    state = CallState(
        call="c1",
        state=CallStatus.ACTIVE,
        direction=Direction.INCOMING,
        account="a",
        local_uri="sip:1001@192.0.2.1",
        remote_uri="sip:x@192.0.2.2",
        extension="1001",
    )
    change = CallStateChanged(
        call="c1",
        direction=Direction.INCOMING,
        account="a",
        local_uri="sip:1001@192.0.2.1",
        remote_uri="sip:x@192.0.2.2",
        extension="1001",
        before=CallStatus.RINGING,
        state=CallStatus.ACTIVE,
        reason=CallReason.ACCEPTED_BY_DEVICE,
    )

    [vendors] = published(state, on("axis:Call/State"))
    [changed] = published(change, on("axis:Call/StateChange"))
    [ours] = published(state, on("call/state"))

    assert json.loads(vendors.payload)["message"] == {
        "source": {"Source": "NetworkSpeaker"},
        "key": {},
        "data": {"CallState": "Active"},
    }
    told = json.loads(changed.payload)["message"]["data"]
    assert told["Reason"] == "AcceptedByDevice"
    assert told["LocalSIPURI"] == told["DeviceURI"] == "sip:1001@192.0.2.1"
    assert told["RemoteSIPURI"] == told["RemoteURI"] == "sip:x@192.0.2.2"
    assert ours.topic == f"{PREFIX}/event/tns:sipstrobe/call/state"
    assert json.loads(ours.payload)["message"]["source"] == {"call": "c1"}


def test_digits_are_told_by_the_id_of_their_event() -> None:
    """That which control programs have been given for it, whatever people call it."""
    event = SequenceReceived(
        name="stop audio",
        sequence="1",
        call="c1",
        account="a",
        extension="",
        line="",
        event_id="dtmf_event_0",
    )

    [message] = published(event, on("axis:Call/DTMF"))

    assert json.loads(message.payload)["message"] == {
        "source": {"DTMFEventId": "dtmf_event_0"},
        "key": {},
        "data": {"CallId": "c1"},
    }


def test_an_event_without_a_twin_is_told_under_our_own_name() -> None:
    [message] = published(RuleStateChanged(rule="Gate/1", active=False), on("rule//."))

    assert message.topic == f"{PREFIX}/event/tns:sipstrobe/rule/state/$source/rule/Gate%2F1"
    assert json.loads(message.payload)["message"]["data"] == {"active": "0"}


def test_a_source_of_pages_that_changes_its_state_is_told() -> None:
    """GAP-20."""
    event = PageStateChanged(page="Evac", state=PageState.ACTIVE, sender="192.0.2.9")

    [message] = published(event, on("axis:AudioMulticastController/SourceState"))

    assert json.loads(message.payload)["message"] == {
        "source": {"SrcID": "Evac"},
        "key": {},
        "data": {"State": "Active"},
    }


def test_one_event_can_be_several_of_the_vendors() -> None:
    found = published(HealthCheckDone(passed=False, errors="x"), on("onvif:Device//."))

    assert [json.loads(m.payload)["topic"].rpartition("/")[2] for m in found] == [
        "HealthCheckDone",
        "HealthCheckFailed",
    ]


def test_an_address_that_comes_or_goes_is_one_of_two() -> None:
    for added, name in ((True, "AddressAdded"), (False, "AddressRemoved")):
        event = AddressChanged(interface="eth0", address="192.0.2.7", added=added)
        [message] = published(event, on("onvif:Device//."))
        assert json.loads(message.payload)["topic"] == f"onvif:Device/axis:Network/{name}"


def test_what_came_from_the_broker_does_not_go_back() -> None:
    heard = MqttMessageReceived(filter="#", prefix=False, topic="t", payload="x")

    assert published(heard, on("//.")) == []


def test_every_twin_speaks_of_items_that_there_are() -> None:
    for topic, twins in TWINS.items():
        known = choices(DECLARED[topic])
        for twin in twins:
            named = [item.item for item in (*twin.source, *twin.data) if not item.always]
            assert {*named, *twin.when} <= known.keys(), topic


def test_the_default_messages_of_the_connection_are_the_vendors() -> None:
    message = notice(Notice(send=True), CONNECTED, PREFIX, SERIAL, WALL)
    will = notice(Notice(send=True), LOST, PREFIX, SERIAL, None)

    assert message is not None
    assert will is not None
    assert (message.topic, message.qos, message.retain) == (f"{PREFIX}/event/connection", 1, True)
    assert json.loads(message.payload) == {
        "serialNumber": SERIAL,
        "connected": True,
        "description": "Connected",
        "timestamp": "2020-05-21T07:13:10z",
    }
    assert json.loads(will.payload)["description"] == "Connection Lost"
    assert json.loads(will.payload)["timestamp"] is None


def test_messages_of_the_connection_can_be_ones_own_or_none() -> None:
    own = Notice(send=True, use_default=False, topic="t", payload="x", retain=False, qos=2)

    assert notice(own, CONNECTED, PREFIX, SERIAL, WALL) == Message("t", b"x", 2)
    assert notice(Notice(), CONNECTED, PREFIX, SERIAL, WALL) is None


def test_a_trigger_that_people_set_is_the_vendors_manual_trigger() -> None:
    [message] = published(ManualTriggerChanged(trigger=1, active=False), on("//."))

    assert json.loads(message.payload)["topic"] == "onvif:Device/axis:IO/VirtualPort"
