"""What comes on subscriptions, as events (MQT-14, AMB-11, AMB-16)."""

from typing import Any

from sipstrobe.events import Event, MqttMessageReceived, MqttStateChanged
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.settings import MAX_PAYLOAD, Subscription
from sipstrobe.mqtt.subscriptions import Subscriptions

PREFIX = "sipstrobe/1"


def heard(subscriptions: Subscriptions, topic: str, payload: bytes, **more: Any) -> list[Event]:
    whom = subscriptions.filters()[topic]
    return list(subscriptions.hear(Message(topic, payload, **more), whom))


def hearing(*wanted: Subscription) -> Subscriptions:
    made = Subscriptions()
    assert made.apply(wanted, PREFIX) == []
    return made


def state(payload: str, *, active: bool, filter: str = "door", prefix: bool = False) -> Event:  # noqa: A002
    return MqttStateChanged(filter=filter, prefix=prefix, active=active, payload=payload)


def test_a_stateful_one_is_active_while_the_last_payload_is_on() -> None:
    """EXA-07: On starts, any other payload ends."""
    subscriptions = hearing(Subscription(filter="door", kind="stateful"))

    seen = [heard(subscriptions, "door", payload) for payload in (b"On", b"On", b"on", b"Off")]

    assert seen == [
        [state("On", active=True)],
        [],
        [state("on", active=False)],
        [state("Off", active=False)],
    ]


def test_what_means_active_can_be_chosen() -> None:
    """AMB-16; the retained message is the first state."""
    wanted = Subscription(filter="door", kind="stateful", true_payload="1")
    subscriptions = hearing(wanted)

    assert heard(subscriptions, "door", b"1", retain=True) == [state("1", active=True)]
    assert heard(subscriptions, "door", b"On") == [state("On", active=False)]


def test_a_stateless_one_is_a_pulse_each_time_but_not_of_what_was_retained() -> None:
    """It would happen anew with each connection."""
    subscriptions = hearing(Subscription(filter="bell"))
    pulse = MqttMessageReceived(filter="bell", prefix=False, topic="bell", payload="ring")

    assert heard(subscriptions, "bell", b"ring") == [pulse]
    assert heard(subscriptions, "bell", b"ring") == [pulse]
    assert heard(subscriptions, "bell", b"ring", retain=True) == []


def test_the_device_prefix_comes_before_the_filter() -> None:
    """AMB-11."""
    subscriptions = hearing(
        Subscription(filter="door", use_prefix=True, kind="stateful", qos=2),
        Subscription(filter=f"{PREFIX}/door"),
    )

    assert list(subscriptions.filters()) == [f"{PREFIX}/door"]
    assert heard(subscriptions, f"{PREFIX}/door", b"On") == [
        state("On", active=True, prefix=True),
        MqttMessageReceived(
            filter=f"{PREFIX}/door", prefix=False, topic=f"{PREFIX}/door", payload="On"
        ),
    ]


def test_who_is_no_longer_heard_is_not_active() -> None:
    subscriptions = hearing(Subscription(filter="door", kind="stateful"))
    heard(subscriptions, "door", b"On")

    kept = subscriptions.apply([Subscription(filter="door", kind="stateful", qos=1)], PREFIX)
    gone = subscriptions.apply([], PREFIX)

    assert kept == []
    assert gone == [state("", active=False)]


def test_a_payload_that_is_no_text_or_too_long_is_text_nevertheless() -> None:
    subscriptions = hearing(Subscription(filter="bell"))

    [odd] = heard(subscriptions, "bell", b"\xff\xfe")
    [long] = heard(subscriptions, "bell", b"x" * (MAX_PAYLOAD + 1))

    assert odd.items()["payload"] == "\ufffd\ufffd"
    assert len(long.items()["payload"]) == MAX_PAYLOAD
