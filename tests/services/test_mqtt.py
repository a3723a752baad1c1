"""MQTT as a service: a real connection to a broker that says what the story wants."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from sipstrobe.context import Context
from sipstrobe.events import (
    Event,
    MqttClientChanged,
    MqttMessageReceived,
    MqttStateChanged,
    ServiceStateChanged,
    SettingsChanged,
    VirtualInputChanged,
)
from sipstrobe.mqtt.packets import Message, Type
from sipstrobe.mqtt.settings import (
    Condition,
    MqttSettings,
    Notice,
    Publications,
    Subscription,
)
from sipstrobe.secret import Secret
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import MqttMessage
from sipstrobe.services.broker import Broker, NotPublished
from sipstrobe.services.mqtt import Mqtt
from sipstrobe.services.senders.mqtt import MqttSender
from sipstrobe.trace import Input
from tests.mqtt.bench import acknowledges, connack, packet
from tests.services.mqtt_broker import StubBroker
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

SERIAL = "00005E005301"
PREFIX = f"sipstrobe/{SERIAL}"
SOON = 1.0  # seconds in which a lost broker is tried again, once it is back
SAID = Notice(send=True)


class Desk:
    """The service on a bus, and the broker that it is set to."""

    def __init__(self, stub: StubBroker) -> None:
        self.stub = stub
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.broker = Broker(self.context)
        self.facts: list[Event] = []
        self.mqtt = Mqtt(self.context, self.broker, SERIAL, lambda: self.facts)
        self.told: list[Event] = []
        self.causes: list[list[object]] = []
        self.context.bus.subscribe(Event, self._note)

    def _note(self, event: Event) -> None:
        self.told.append(event)
        cause = self.context.trace.current
        self.causes.append([] if cause is None else [link.what for link in cause.chain()])

    def settings(self, **wanted: Any) -> MqttSettings:
        given: dict[str, Any] = {"active": True, "host": "127.0.0.1", "port": self.stub.port}
        given |= {"connect_timeout": 600}
        return MqttSettings(**(given | wanted))

    async def up(self, **wanted: Any) -> None:
        self.mqtt.apply(self.settings(**wanted))
        await until(lambda: self.broker.connected)

    async def up_again(self) -> None:
        """Wait until it has lost the broker, and found it again."""
        await until(lambda: not self.broker.connected)
        before = self.stub.connections
        while self.stub.connections == before:
            self.clock.leap(SOON)
            await asyncio.sleep(0.01)
        await until(lambda: self.broker.connected)

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with StubBroker() as stub:
        desk = Desk(stub)
        yield desk
        await desk.mqtt.aclose()


def state(payload: str, *, active: bool) -> Event:
    return MqttStateChanged(filter="door", prefix=False, active=active, payload=payload)


# --- the connection -----------------------------------------------------------------------------


async def test_it_says_that_it_has_come_and_that_it_goes(desk: Desk) -> None:
    """MQT-01, MQT-11: both before and after all else."""
    desk.facts = [VirtualInputChanged(input=1, active=True)]
    everything = Publications(conditions=(Condition(topic_filter="//.", qos=1),))

    await desk.up(connect_message=SAID, disconnect_message=SAID, publications=everything)
    await desk.stub.heard(Type.PUBLISH, 2)
    desk.mqtt.apply(desk.settings(active=False, disconnect_message=SAID))
    await desk.stub.heard(Type.DISCONNECT)

    first, *_, last = desk.stub.messages()
    assert first[0] == last[0] == f"{PREFIX}/event/connection"
    assert json.loads(first[1])["description"] == "Connected"
    assert json.loads(last[1])["description"] == "Disconnected"
    assert desk.events(MqttClientChanged) == [
        MqttClientChanged(active=True, connected=False),
        MqttClientChanged(active=True, connected=True),
        MqttClientChanged(active=False, connected=False),
    ]


async def test_under_another_prefix_it_takes_leave_of_the_old_one_for_ever(desk: Desk) -> None:
    """Else the old topic would say for ever that we are there."""
    said = {"connect_message": SAID, "disconnect_message": SAID}
    await desk.up(topic_prefix="old", **said)
    await desk.stub.heard(Type.PUBLISH)
    await desk.up(topic_prefix="new", **said)
    await desk.stub.heard(Type.PUBLISH, 3)
    desk.stub.kick()
    await desk.up_again()
    await desk.stub.heard(Type.PUBLISH, 4)

    told = [(topic, json.loads(payload)["description"]) for topic, payload in desk.stub.messages()]
    assert told == [
        ("old/event/connection", "Connected"),
        ("old/event/connection", "Disconnected"),
        ("new/event/connection", "Connected"),
        ("new/event/connection", "Connected"),
    ]


async def test_nobody_at_the_place_is_a_trouble_that_passes(desk: Desk) -> None:
    await desk.stub.end()
    desk.mqtt.apply(desk.settings())
    await until(lambda: desk.events(ServiceStateChanged))

    await desk.stub.begin()
    await desk.up_again()

    first, last = desk.events(ServiceStateChanged)
    assert first.items() | {"problem": ""} == {"service": "mqtt", "working": False, "problem": ""}
    assert "Connection refused" in str(first.items()["problem"])
    assert last == ServiceStateChanged(service="mqtt", working=True, problem="")
    assert desk.mqtt.snapshot()["words"] == ""


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x90\x03\x00",
        b"\xf0\x00",
    ],
)
async def test_a_hostile_broker_only_makes_it_come_again(desk: Desk, words: bytes) -> None:
    await desk.up()

    desk.stub.say(words)
    if words == b"\x90\x03\x00":  # half a packet, and then nothing
        desk.stub.kick()
    await desk.up_again()

    assert desk.stub.connections == 2


async def test_a_broker_that_says_nothing_is_left_after_the_connect_timeout(desk: Desk) -> None:
    """MQT-08."""
    desk.stub.lets_in = False
    desk.mqtt.apply(desk.settings(connect_timeout=30, reconnect=False))
    await desk.stub.heard(Type.CONNECT)

    desk.clock.leap(31)
    await until(lambda: desk.broker.problem)

    assert desk.broker.problem == "the broker does not answer"
    assert desk.mqtt.snapshot()["active"]


async def test_the_password_is_told_to_the_broker_and_to_nobody_else(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await desk.up(user="us", password=Secret("tell nobody"))
    desk.stub.kick()
    await desk.up_again()

    assert b"tell nobody" in desk.stub.said[0].body
    assert "tell nobody" not in caplog.text + repr(desk.mqtt.snapshot()) + repr(desk.told)


async def test_settings_that_concern_no_connection_leave_it_alone(desk: Desk) -> None:
    await desk.up()

    await desk.up(subscriptions=(Subscription(filter="door"),), disconnect_message=SAID)
    await desk.stub.heard(Type.SUBSCRIBE)

    assert desk.stub.connections == 1


# --- out ----------------------------------------------------------------------------------------


async def test_what_holds_is_published_with_new_publications_and_nothing_of_the_old_ones(
    desk: Desk,
) -> None:
    """Not even when the broker has forgotten everything."""
    desk.facts = [VirtualInputChanged(input=1, active=True), SettingsChanged(revision=1, paths="")]
    first = (Condition(topic_filter="//.", retain="property", qos=1),)
    await desk.up(publications=Publications(conditions=first))
    await until(lambda: any("IO/VirtualInput" in topic for topic, _ in desk.stub.messages()))
    own = Publications(prefix="custom", custom_prefix="own", conditions=first)
    await desk.up(publications=own)
    await until(lambda: any(topic.startswith("own/") for topic, _ in desk.stub.messages()))

    desk.stub.said.clear()
    desk.stub.kick()
    await desk.up_again()
    await until(lambda: any("IO/VirtualInput" in topic for topic, _ in desk.stub.messages()))

    assert {topic.partition("/")[0] for topic, _ in desk.stub.messages()} == {"own"}


async def test_states_that_change_without_a_broker_are_published_when_there_is_one(
    desk: Desk,
) -> None:
    wanted = Publications(
        conditions=(Condition(topic_filter="input//."), Condition(topic_filter="device//."))
    )
    await desk.up(publications=wanted)
    desk.stub.kick()
    await until(lambda: not desk.broker.connected)

    for active in (True, False, True):
        desk.context.bus.publish(VirtualInputChanged(input=1, active=active))
    desk.context.bus.publish(SettingsChanged(revision=2, paths=""))
    await desk.up_again()
    await until(lambda: len(desk.stub.messages()) >= 2)

    told = {topic.partition("/event/")[2]: payload for topic, payload in desk.stub.messages()}
    virtual = "tns:sipstrobe/input/virtual/$source/input/1"
    assert set(told) == {virtual, "tns:sipstrobe/device/service/$source/service/mqtt"}
    assert json.loads(told[virtual])["message"]["data"] == {"active": "1"}
    assert desk.mqtt.snapshot()["dropped"] == 1  # that the settings have changed


async def test_a_delivery_ends_when_the_broker_has_confirmed_it(desk: Desk) -> None:
    await desk.up()
    desk.stub.confirms = False

    delivery = asyncio.ensure_future(desk.broker.deliver("t", b"x", qos=1, retain=False))
    await desk.stub.heard(Type.PUBLISH)
    assert not delivery.done()
    desk.stub.confirms = True
    desk.stub.kick()
    await desk.up_again()  # it is sent again, and confirmed now
    await delivery

    await desk.broker.deliver("t", b"y", qos=0, retain=False)
    await until(lambda: desk.stub.messages()[-1] == ("t", b"y"))


async def test_a_delivery_fails_without_a_broker_and_when_none_confirms(desk: Desk) -> None:
    with pytest.raises(NotPublished, match="no connection"):
        await desk.broker.deliver("t", b"x", qos=1, retain=False)
    await desk.up()
    desk.stub.confirms = False
    with pytest.raises(NotPublished, match="wildcards"):
        await desk.broker.deliver("a/#", b"x", qos=1, retain=False)
    with pytest.raises(NotPublished, match="in time"):
        await desk.broker.deliver("t", b"x", qos=1, retain=False, limit=0.01)


async def test_a_delivery_that_is_tried_again_is_known_by_its_name(desk: Desk) -> None:
    """It was confirmed between the attempts."""
    desk.stub.confirms = False
    await desk.up()

    with pytest.raises(NotPublished):
        await desk.broker.deliver("t", b"x", qos=1, retain=False, name="a", limit=0.01)
    await desk.stub.heard(Type.PUBLISH)
    late = next(s for s in desk.stub.said if s.type is Type.PUBLISH)
    desk.stub.say(acknowledges(Type.PUBACK, late.packet_id) + packet(Type.PUBLISH, b"\x00\x03end"))
    await until(lambda: desk.mqtt.snapshot()["received"] == 1)
    await desk.broker.deliver("t", b"x", qos=1, retain=False, name="a")

    assert desk.stub.messages() == [("t", b"x")]


async def test_what_is_larger_than_the_broker_takes_is_tried_once(desk: Desk) -> None:
    """MQTT 5 §3.2.2.3.6."""
    desk.stub.lets_in = False
    desk.mqtt.apply(desk.settings(version="5"))
    await desk.stub.heard(Type.CONNECT)
    desk.stub.say(connack(version="5", properties=b"\x27\x00\x00\x00\x10"))
    await until(lambda: desk.broker.connected)

    with pytest.raises(NotPublished) as told:
        await desk.broker.deliver("t", bytes(100), qos=1, retain=False, name="a")

    assert told.value.permanent


async def test_the_outbox_publishes_with_or_without_the_prefix(desk: Desk) -> None:
    """MQT-15."""

    def message(topic: str, *, use_prefix: bool) -> MqttMessage:
        return MqttMessage(
            id="1", at=0.0, topic=topic, payload="x", qos=1, retain=True, use_prefix=use_prefix
        )

    sender = MqttSender(desk.broker, lambda: desk.mqtt.prefix)
    with pytest.raises(SendFailed, match="no connection") as early:
        await sender.send(None, message("alarm", use_prefix=True))
    await desk.up()
    await sender.send(None, message("alarm", use_prefix=True))
    await sender.send(None, message("alarm", use_prefix=False))
    with pytest.raises(SendFailed) as never:
        await sender.send(None, message("\ud800", use_prefix=True))

    assert (early.value.permanent, never.value.permanent) == (False, True)
    assert desk.stub.published() == [
        Message(f"{PREFIX}/alarm", b"x", 1, retain=True),
        Message("alarm", b"x", 1, retain=True),
    ]


# --- in -----------------------------------------------------------------------------------------


async def test_a_message_is_an_event_that_follows_from_it(desk: Desk) -> None:
    await desk.up(subscriptions=(Subscription(filter="bell"),))
    await desk.stub.heard(Type.SUBSCRIBE)

    desk.stub.tell("bell", b"ring")
    desk.stub.tell("other", b"ring")
    desk.stub.tell("bell", b"x" * 40_000)
    desk.stub.tell("bell", b"last")
    await until(lambda: len(desk.events(MqttMessageReceived)) == 2)

    event = MqttMessageReceived(filter="bell", prefix=False, topic="bell", payload="ring")
    chain = desk.causes[desk.told.index(event)]
    assert chain == [event, Input("mqtt", "message on bell")]


async def test_a_message_that_comes_for_each_filter_is_an_event_for_each(desk: Desk) -> None:
    """MQTT 5 §3.3.4: a broker may send it once for each; it says for which."""
    await desk.up(
        version="5", subscriptions=(Subscription(filter="#"), Subscription(filter="bell"))
    )
    await desk.stub.heard(Type.SUBSCRIBE, 2)

    asked = [s.body for s in desk.stub.said if s.type is Type.SUBSCRIBE]
    numbers = [body[2 : 3 + body[2]] for body in asked]
    for number in numbers:
        desk.stub.say(packet(Type.PUBLISH, b"\x00\x04bell" + number + b"ring"))
    desk.stub.say(packet(Type.PUBLISH, b"\x00\x03end" + numbers[0]))
    await until(lambda: len(desk.events(MqttMessageReceived)) >= 3)

    told = [event.items() for event in desk.events(MqttMessageReceived)]
    assert [(one["filter"], one["topic"]) for one in told] == [
        ("#", "bell"),
        ("bell", "bell"),
        ("#", "end"),
    ]


async def test_a_retained_message_is_the_first_state_also_when_it_is_heard_in_another_way(
    desk: Desk,
) -> None:
    """AMB-16."""
    desk.stub.retained["door"] = b"On"
    await desk.up(subscriptions=(Subscription(filter="door"),))
    await desk.stub.heard(Type.SUBSCRIBE)

    await desk.up(subscriptions=(Subscription(filter="door", kind="stateful"),))
    await until(lambda: desk.events(MqttStateChanged))
    await desk.up(subscriptions=())

    assert desk.events(MqttStateChanged) == [state("On", active=True), state("", active=False)]
    assert desk.events(MqttMessageReceived) == []


async def test_a_state_outlasts_the_broker(desk: Desk) -> None:
    """What it says next counts; until then nothing is known to have changed."""
    await desk.up(subscriptions=(Subscription(filter="door", kind="stateful"),))
    await desk.stub.heard(Type.SUBSCRIBE)
    desk.stub.tell("door", b"On")
    await until(lambda: desk.events(MqttStateChanged))

    desk.stub.kick()
    desk.stub.retained["door"] = b"Off"
    await desk.up_again()
    await until(lambda: len(desk.events(MqttStateChanged)) == 2)

    assert desk.events(MqttStateChanged) == [state("On", active=True), state("Off", active=False)]


async def test_who_hears_and_fails_hurts_nobody_else(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Message] = []

    def fail(message: Message) -> None:
        raise ValueError(message.topic)

    desk.broker.subscribe("#", fail)
    end: Callable[[], None] = desk.broker.subscribe("door", heard.append, qos=2)
    await desk.up()
    await desk.stub.heard(Type.SUBSCRIBE)
    desk.stub.tell("door", b"1")
    await until(lambda: heard)
    end()
    end()
    await desk.stub.heard(Type.UNSUBSCRIBE)
    desk.stub.tell("door", b"2")
    await turns()

    assert heard == [Message("door", b"1")]
    assert "what came on door was not understood" in caplog.text


async def test_whoever_wants_is_called_with_each_connection(desk: Desk) -> None:
    calls: list[int] = []
    end = desk.broker.on_connected(lambda: calls.append(desk.stub.connections))

    await desk.up()
    desk.stub.kick()
    await desk.up_again()
    end()
    desk.stub.kick()
    await desk.up_again()

    assert calls == [1, 2]


def test_settings_of_older_versions_still_load() -> None:
    assert msgspec.json.decode(b"{}", type=MqttSettings) == MqttSettings()


# --- through a proxy ----------------------------------------------------------------------------


async def test_it_goes_through_a_proxy_that_wants_to_know_who_it_is(desk: Desk) -> None:
    """MQT-06: by CONNECT; the proxy finds the broker, not we."""
    asked: list[bytes] = []
    pipes: list[asyncio.Task[None]] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        there = await asyncio.open_connection("127.0.0.1", desk.stub.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pipes.append(asyncio.create_task(_pass(reader, there[1])))
        pipes.append(asyncio.create_task(_pass(there[0], writer)))

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await desk.up(
        host="broker.example",
        port=1883,
        http_proxy=place,
        proxy_user="us",
        proxy_password=Secret("pw"),
    )
    await desk.mqtt.aclose()
    server.close()
    await asyncio.wait(pipes)

    assert asked[0].startswith(b"CONNECT broker.example:1883 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic dXM6cHc=\r\n" in asked[0]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4096):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()
