"""An MQTT client without I/O: connecting, staying connected, and losing nothing that holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.mqtt.client import BURST, LONGEST_WAIT, RATE, State
from sipstrobe.mqtt.outputs import (
    Arrived,
    Close,
    Dial,
    Down,
    Hold,
    Trouble,
    Up,
)
from sipstrobe.mqtt.packets import MAX_PACKET_BYTES, Message, Property, Type, Version
from tests.mqtt.bench import Bench, acknowledges, connack, from_broker, options, packet


def troubles(bench: Bench) -> list[str]:
    return [one.words for one in bench.told if isinstance(one, Trouble)]


# --- connecting ---------------------------------------------------------------------------------


def test_it_dials_greets_and_is_up_when_it_is_let_in() -> None:
    bench = Bench()

    bench.start()
    assert bench.told == [Dial()]
    bench.open()

    assert bench.told == [Dial(), Up()]
    assert [s.type for s in bench.look()] == [Type.CONNECT]
    assert bench.client.state is State.UP


def test_a_broker_that_does_not_let_us_in_in_time_is_given_up() -> None:
    """MQT-08: 60 s, from the first look at its name to CONNACK."""
    bench = Bench()
    bench.start()
    bench.advance(30)
    bench.client.opened(now=bench.now)

    bench.advance(29.9)
    assert bench.client.state is State.GREETING
    bench.advance(0.2)

    assert bench.client.state is State.WAITING
    assert bench.told[-2:] == [Close(), Down("the broker does not answer", 0.5)]


def test_it_waits_longer_each_time_but_not_for_ever() -> None:
    bench = Bench()
    bench.start()
    waits: list[float] = []

    for _ in range(9):
        bench.break_off("nobody is there")
        last = bench.told[-1]
        assert isinstance(last, Down)
        assert last.retry is not None
        waits.append(last.retry)
        bench.advance(LONGEST_WAIT)

    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]  # each between half and all of it


def test_only_a_connection_that_has_held_is_a_new_beginning() -> None:
    """A broker that lets us in and sends us away at once is not asked twice a second."""
    bench = Bench()
    bench.start()
    waits: list[float | None] = []

    for held in (1, 1, 1, 31, 1):
        bench.open()
        bench.advance(held)
        bench.break_off()
        waits.append(next(one.retry for one in reversed(bench.told) if isinstance(one, Down)))
        bench.advance(35)  # it has dialled, and waits

    assert waits == [0.5, 1, 2, 0.5, 1]


def test_it_tries_only_once_unless_it_is_to_reconnect() -> None:
    """MQT-10."""
    bench = Bench(options(reconnect=False))
    bench.up()

    bench.break_off("gone")
    bench.advance(3600)

    assert bench.told == [Close(), Down("gone", None)]


@pytest.mark.parametrize(
    ("version", "reason", "words"),
    [
        ("3.1.1", 4, "wrong user or password"),
        ("3.1.1", 9, "it refuses, reason 9"),
        ("5", 0x87, "we are not allowed there: by rule"),
    ],
)
def test_why_we_are_not_let_in_is_told_in_words(version: Version, reason: int, words: str) -> None:
    bench = Bench(options(version))
    bench.start()

    bench.open(connack(reason, version=version, properties=b"\x1f\x00\x07by rule"))

    assert Down(words, 0.5) in bench.told


def test_a_silent_connection_is_tried_and_given_up_when_nobody_answers() -> None:
    """MQTT 3.1.1 §3.1.2.10."""
    bench = Bench(options(keep_alive=10))
    bench.up()

    bench.advance(10)
    assert [s.type for s in bench.look()] == [Type.PINGREQ]
    bench.hear(packet(Type.PINGRESP, b""))
    bench.advance(10)
    assert [s.type for s in bench.look()] == [Type.PINGREQ]
    bench.advance(10)

    assert Down("the broker does not answer any more", 0.5) in bench.told


def test_who_speaks_without_being_answered_is_tried_too() -> None:
    """Else a broker that is gone would be noticed by TCP only, which takes minutes."""
    bench = Bench(options(keep_alive=10))
    bench.up()

    for _ in range(11):
        bench.advance(1)
        bench.say(Message("t"))

    assert Type.PINGREQ in [s.type for s in bench.look()]


def test_the_broker_says_how_long_we_may_be_silent() -> None:
    """MQTT 5 §3.2.2.3.14."""
    bench = Bench(options("5"))
    bench.up(connack(version="5", properties=b"\x13\x00\x05"))

    bench.advance(5)

    assert [s.type for s in bench.look()] == [Type.PINGREQ]


def test_without_keep_alive_nothing_is_tried() -> None:
    bench = Bench(options(keep_alive=0))
    bench.up()

    bench.advance(100_000)

    assert bench.look() == []


def test_the_last_word_comes_before_the_leave() -> None:
    bench = Bench()
    bench.up()

    bench.stop(Message("bye", b"", 1))

    assert [s.type for s in bench.look()] == [Type.PUBLISH, Type.DISCONNECT]
    assert bench.told == [Close(), Down("", None)]
    assert bench.client.deadline is None


def test_a_last_word_is_one_that_the_broker_passes_on_at_once() -> None:
    """MQTT 5 §4.3.3: with QoS 2 it may wait for PUBREL; and it has to take it (§3.2.2.3)."""
    bench, full = Bench(), Bench(options("5"))
    bench.up()
    full.up(connack(version="5", properties=b"\x21\x00\x01\x25\x00"))
    full.say(Message("t", b"", 1))
    full.look()

    bench.stop(Message("bye", b"", 2, retain=True))
    full.stop(Message("bye", b"", 2, retain=True))

    assert [s.flags for s in bench.look()] == [1 << 1 | 1, 0]
    assert [s.flags for s in full.look()] == [0, 0]


def test_other_options_make_another_connection_and_the_same_none() -> None:
    bench = Bench()
    bench.up()

    bench.start()
    assert bench.told == []
    bench.wanted = options(keep_alive=5)
    bench.start()

    assert bench.told == [Close(), Down("", None), Dial()]
    assert [s.type for s in bench.look()] == [Type.DISCONNECT]


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        connack() + connack(),
        from_broker("t"),  # before CONNACK
        b"\xd1\x00",  # wrong flags
        connack(present=True),  # MQTT 3.1.1 §3.2.2.2: we asked for a clean session
    ],
)
def test_a_broker_that_breaks_the_protocol_is_left(words: bytes) -> None:
    bench = Bench()
    bench.start()
    bench.client.opened(now=bench.now)

    bench.hear(words)

    assert bench.client.state is State.WAITING
    assert bench.told[-2] == Close()


def test_a_broker_that_sends_us_away_is_tried_again() -> None:
    """MQTT 5 §3.14."""
    bench = Bench(options("5"))
    bench.up()

    bench.hear(packet(Type.DISCONNECT, b"\x8e"))

    words = "it has sent us away: another client has the same client id"
    assert bench.told == [Close(), Down(words, 0.5)]


@given(st.lists(st.binary(max_size=40), max_size=6), st.sampled_from(["3.1.1", "5"]))
@settings(max_examples=150)
def test_whatever_a_broker_says_it_is_tried_again_in_the_end(
    pieces: list[bytes], version: Version
) -> None:
    bench = Bench(options(version))
    bench.up()

    for piece in pieces:
        bench.hear(piece)
    bench.break_off()
    bench.advance(LONGEST_WAIT)

    assert Dial() in bench.told


# --- subscribing --------------------------------------------------------------------------------


def test_it_asks_for_what_is_wanted_and_with_each_connection_anew() -> None:
    bench = Bench()
    bench.subscribe(a=1)
    bench.start()
    bench.open()
    assert [s.body[2:] for s in bench.look() if s.type is Type.SUBSCRIBE] == [b"\x00\x01a\x01"]

    bench.subscribe(a=1, b=0)
    bench.subscribe(b=0)
    seen = [(s.type, s.body[2:]) for s in bench.look()]
    bench.again()

    assert seen == [
        (Type.SUBSCRIBE, b"\x00\x01b\x00"),
        (Type.UNSUBSCRIBE, b"\x00\x01a"),
    ]
    assert [s.body[2:] for s in bench.look() if s.type is Type.SUBSCRIBE] == [b"\x00\x01b\x00"]


def test_what_a_kept_session_still_has_and_nobody_wants_is_given_up() -> None:
    bench = Bench(options(clean=False))
    bench.subscribe(a=0)
    bench.up()
    bench.break_off()

    bench.subscribe(b=0)
    bench.advance(70)
    bench.open(connack(present=True))

    kinds = [(s.type, s.body[4:5]) for s in bench.look()[1:]]
    assert kinds == [(Type.UNSUBSCRIBE, b"a"), (Type.SUBSCRIBE, b"b")]


def test_a_new_session_has_nothing_to_be_given_up() -> None:
    bench = Bench()
    bench.subscribe(a=0)
    bench.up()
    bench.break_off()

    bench.subscribe(b=0)
    bench.advance(70)
    bench.open()

    assert [s.type for s in bench.look()] == [Type.CONNECT, Type.SUBSCRIBE]


def test_a_subscription_that_is_refused_is_told() -> None:
    bench = Bench()
    bench.up()
    bench.subscribe(a=0, b=0)

    asked = bench.look()[0]
    bench.hear(packet(Type.SUBACK, asked.packet_id.to_bytes(2, "big") + b"\x00\x80"))

    assert troubles(bench) == ["the broker refuses the subscription to b"]


def test_with_mqtt_5_it_is_known_for_which_filter_a_message_has_come() -> None:
    """MQTT 5 §3.3.2.3.8: a broker may send it once for each filter."""
    bench = Bench(options("5"))
    bench.up()
    bench.subscribe(**{"#": 0, "door": 0})

    every, door = numbers = [s.body[2 : 3 + s.body[2]] for s in bench.look()]
    for number in numbers:
        bench.hear(packet(Type.PUBLISH, b"\x00\x04door" + number + b"x"))
    after = Bench(options("5"))  # a new start, with other filters before
    after.up()
    after.subscribe(window=0, door=0)
    after.hear(packet(Type.PUBLISH, b"\x00\x04door" + every + b"x"))
    after.hear(packet(Type.PUBLISH, b"\x00\x04door" + door + b"x"))

    arrived = [one for one in bench.told if isinstance(one, Arrived)]
    assert [one.filters for one in arrived] == [("#",), ("door",)]
    arrived = [one for one in after.told if isinstance(one, Arrived)]
    assert [one.filters for one in arrived] == [("door",)]


def test_a_topic_alias_that_was_never_allowed_breaks_the_protocol() -> None:
    """MQTT 5 §3.3.2.3.4."""
    bench = Bench(options("5"))
    bench.up()

    bench.hear(packet(Type.PUBLISH, b"\x00\x01t\x03\x23\x00\x01x"))

    assert any(isinstance(one, Down) and "alias" in one.words for one in bench.told)


def test_a_broker_without_identifiers_is_asked_without() -> None:
    """MQTT 5 §3.2.2.3.12."""
    bench = Bench(options("5"))
    bench.up(
        connack(version="5", properties=bytes((Property.SUBSCRIPTION_IDENTIFIERS_AVAILABLE, 0)))
    )

    bench.subscribe(door=0)

    assert bench.look()[0].body[2:] == b"\x00\x00\x04door\x00"


# --- hearing ------------------------------------------------------------------------------------


def test_what_comes_is_confirmed_and_told_once() -> None:
    """MQTT 3.1.1 §4.3."""
    bench = Bench()
    bench.up()

    bench.hear(from_broker("a", b"0"))
    bench.hear(from_broker("b", b"1", qos=1, packet_id=5))
    bench.hear(from_broker("c", b"2", qos=2, packet_id=6))
    bench.hear(from_broker("c", b"2", qos=2, packet_id=6))
    bench.hear(acknowledges(Type.PUBREL, 6))
    bench.hear(from_broker("c", b"3", qos=2, packet_id=6))

    arrived = [one.message.payload for one in bench.told if isinstance(one, Arrived)]
    assert arrived == [b"0", b"1", b"2", b"3"]
    assert [(s.type, s.packet_id) for s in bench.look()] == [
        (Type.PUBACK, 5),
        (Type.PUBREC, 6),
        (Type.PUBREC, 6),
        (Type.PUBCOMP, 6),
        (Type.PUBREC, 6),
    ]


def test_what_comes_too_fast_has_to_wait_and_nothing_is_lost() -> None:
    """The line is not read meanwhile, so that the broker has to wait."""
    bench = Bench()
    bench.up()
    bench.advance(1)

    bench.hear(*(from_broker("t", str(n).encode()) for n in range(100)))
    at_once = sum(isinstance(one, Arrived) for one in bench.told)
    assert bench.told[-1] == Hold(True)
    bench.advance(200 / RATE)

    arrived = [one.message.payload for one in bench.told if isinstance(one, Arrived)]
    assert at_once == BURST
    assert arrived == [str(n).encode() for n in range(100)]
    assert bench.told[-1] == Hold(False)


def test_a_message_that_is_too_large_is_confirmed_counted_and_told() -> None:
    bench = Bench()
    bench.up()

    bench.hear(from_broker("t", bytes(MAX_PACKET_BYTES), qos=1, packet_id=3))

    assert [(s.type, s.packet_id) for s in bench.look()] == [(Type.PUBACK, 3)]
    assert troubles(bench) == ["a message on t is too large"]
    assert bench.client.oversize == 1


def test_a_broker_may_send_as_much_as_it_has_numbers_for_before_it_releases_any() -> None:
    """Without a limit of its own, mosquitto does so (max_inflight_messages 0)."""
    bench = Bench()
    bench.up()

    for n in range(1, 2001):
        bench.hear(from_broker("t", qos=2, packet_id=n))
        bench.advance(0.01)
    bench.look()
    bench.hear(*(acknowledges(Type.PUBREL, n) for n in range(1, 2001)))
    bench.advance(5)

    assert sum(isinstance(one, Arrived) for one in bench.told) == 2000
    assert sum(s.type is Type.PUBCOMP for s in bench.look()) == 2000


def test_who_has_said_more_than_is_read_yet_is_there() -> None:
    """What waits to be read takes longer than the broker may be silent."""
    bench = Bench(options(keep_alive=2))
    bench.up()
    bench.advance(1)

    bench.hear(*[from_broker("t")] * 5000, packet(Type.PINGRESP, b""))
    bench.advance(10)

    assert sum(isinstance(one, Arrived) for one in bench.told) == 5000
    assert not any(isinstance(one, Down) for one in bench.told)


def test_of_a_broker_that_reads_nothing_nothing_is_read() -> None:
    """Else our answers would pile up for ever."""
    bench = Bench()
    bench.up()
    bench.writable(False)

    bench.hear(from_broker("t", qos=1, packet_id=3))
    bench.advance(1)
    assert (bench.look(), bench.told) == ([], [Hold(True)])
    bench.writable(True)

    assert [(s.type, s.packet_id) for s in bench.look()] == [(Type.PUBACK, 3)]
    assert bench.told[-1] == Hold(False)


def test_another_client_id_has_another_session() -> None:
    """What the broker has kept for it is not what we know."""
    bench = Bench(options(clean=False))
    bench.up()
    bench.hear(from_broker("t", b"first", qos=2, packet_id=1))
    bench.say(Message("out", b"", 1))

    bench.wanted = options(clean=False, client_id="them")
    bench.start()
    bench.look()
    bench.open(connack(present=True))
    bench.hear(from_broker("t", b"second", qos=2, packet_id=1))

    again = next(s for s in bench.look() if s.type is Type.PUBLISH)
    assert not again.flags & 8  # no duplicate
    arrived = [one.message.payload for one in bench.told if isinstance(one, Arrived)]
    assert arrived == [b"first", b"second"]
