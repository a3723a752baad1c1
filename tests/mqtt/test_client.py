"""An MQTT client without I/O: connecting, staying connected, and losing nothing that holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.mqtt.client import (
    BURST,
    LONGEST_WAIT,
    PUMP_BYTES,
    RATE,
    Arrived,
    Close,
    Delivered,
    Dial,
    Down,
    Hold,
    State,
    Trouble,
    Up,
)
from sipstrobe.mqtt.delivery import MAX_IN_FLIGHT, MAX_RETAINED, MAX_WAITING, MAX_WAITING_BYTES
from sipstrobe.mqtt.packets import MAX_PACKET_BYTES, Message, Property, Type, Version
from tests.mqtt.bench import Bench, acknowledges, connack, from_broker, options, packet

ON, OFF = Message("state", b"on", 1, retain=True), Message("state", b"off", 1, retain=True)


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


# --- publishing ---------------------------------------------------------------------------------


def test_what_is_to_arrive_is_sent_again_until_it_is_confirmed() -> None:
    """MQTT 3.1.1 §4.4: in a session that the broker has kept, as a duplicate with the same id."""
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(Message("t", b"x", 1))
    first = bench.look()[0]

    bench.again(connack(present=True))
    second = bench.look()[1]
    bench.hear(acknowledges(Type.PUBACK, second.packet_id))
    bench.again(connack(present=True))

    assert second.packet_id == first.packet_id
    assert second.flags == first.flags | 8
    assert bench.published() == []


def test_exactly_once_takes_four_steps_and_goes_on_where_it_was() -> None:
    """MQTT 3.1.1 §4.3.3."""
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(Message("t", b"x", 2), token=7)
    packet_id = bench.look()[0].packet_id

    bench.hear(acknowledges(Type.PUBREC, packet_id))
    assert [(s.type, s.packet_id) for s in bench.look()] == [(Type.PUBREL, packet_id)]
    bench.again(connack(present=True))
    assert [(s.type, s.packet_id) for s in bench.look()[1:]] == [(Type.PUBREL, packet_id)]
    assert Delivered(7) not in bench.told
    bench.hear(acknowledges(Type.PUBCOMP, packet_id))

    assert bench.told[-1] == Delivered(7)


def test_in_a_new_session_it_is_published_anew_and_in_order() -> None:
    bench = Bench()
    bench.up()
    bench.say(Message("a", b"1", 1))
    bench.say(Message("b", b"2", 2))
    bench.look()

    bench.again()

    assert bench.published() == [("a", b"1"), ("b", b"2")]


def test_no_more_than_a_few_are_under_way_at_once() -> None:
    """MQTT 5 §3.2.2.3.3: or as many as the broker takes."""
    bench, small = Bench(), Bench(options("5"))
    bench.up()
    small.up(connack(version="5", properties=b"\x21\x00\x02"))

    for n in range(30):
        bench.say(Message("t", bytes((n,)), 1))
        small.say(Message("t", bytes((n,)), 1))

    seen = bench.look()
    assert (len(seen), len(small.look())) == (MAX_IN_FLIGHT, 2)
    bench.hear(acknowledges(Type.PUBACK, seen[0].packet_id))
    assert [s.message.payload for s in bench.look()] == [bytes((MAX_IN_FLIGHT,))]


def test_while_the_line_takes_no_more_it_waits_in_order() -> None:
    bench = Bench()
    bench.up()
    bench.writable(False)

    bench.say(Message("a"))
    bench.say(ON)
    bench.say(OFF)
    assert bench.look() == []
    bench.writable(True)

    assert [topic for topic, _ in bench.published()] == ["a", "state", "state"]


def test_much_that_waits_goes_out_in_several_turns() -> None:
    """So that nothing else on the loop waits for it."""
    bench = Bench()
    bench.up()
    bench.writable(False)
    for n in range(20):
        bench.say(Message(f"t{n}", bytes(8192)))

    bench.writable(True)
    at_once = len(bench.look())
    bench.advance(1)

    assert at_once == PUMP_BYTES // 8192
    assert at_once + len(bench.look()) == 20


def test_of_what_piled_up_before_the_broker_was_lost_only_the_latest_is_said() -> None:
    bench = Bench()
    bench.up()
    bench.writable(False)
    for message in (ON, OFF):
        bench.say(message)
        bench.say(Message("level", message.payload), state=True)

    bench.again()

    assert bench.published() == [("state", b"off"), ("level", b"off")]


def test_of_a_state_only_the_latest_value_waits_for_a_broker() -> None:
    bench = Bench()
    bench.start()

    for message in (ON, OFF, ON):
        bench.say(message)
    bench.say(Message("other", b"1"), state=True)
    bench.open()

    assert bench.published() == [("state", b"on"), ("other", b"1")]


def test_what_was_retained_is_published_anew_when_the_broker_has_forgotten_us() -> None:
    """It may have been started again without what it had."""
    bench = Bench()
    bench.up()
    bench.say(ON)
    bench.hear(acknowledges(Type.PUBACK, bench.look()[0].packet_id))

    bench.again()

    assert bench.published() == [("state", b"on")]


def test_a_broker_that_knows_us_has_what_was_retained() -> None:
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(ON)
    bench.hear(acknowledges(Type.PUBACK, bench.look()[0].packet_id))

    bench.again(connack(present=True))

    assert bench.published() == []


def test_another_broker_is_told_what_is_to_be_retained_even_if_it_knows_us() -> None:
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(ON)
    bench.say(Message("pulse", b"x", 1), token=3)
    bench.look()

    bench.wanted = options(clean=False, where="there")
    bench.start()
    bench.open(connack(present=True))

    assert bench.published() == [("state", b"on")]
    assert any(isinstance(one, Delivered) and one.token == 3 and one.problem for one in bench.told)


def test_what_is_cleared_or_forgotten_is_not_published_anew() -> None:
    bench = Bench()
    bench.up()
    bench.say(ON)
    bench.say(Message("gone", b"1", 0, retain=True))
    bench.say(Message("state", b"", 0, retain=True))
    bench.client.delivery.forget("gone")
    for said in bench.look():
        if said.flags & 6:
            bench.hear(acknowledges(Type.PUBACK, said.packet_id))

    bench.again()

    assert bench.published() == []


def test_a_clearing_that_could_not_be_said_is_said_later() -> None:
    bench = Bench()
    bench.up()
    bench.say(ON)
    bench.hear(acknowledges(Type.PUBACK, bench.look()[0].packet_id))
    bench.break_off()

    bench.say(Message("state", b"", 0, retain=True))
    bench.advance(70)
    bench.open()

    assert bench.published() == [("state", b"")]


def test_what_merely_happened_is_dropped_without_a_broker_and_that_is_told() -> None:
    """With QoS 0: at most once; with more, it waits."""
    bench = Bench()
    bench.up()
    bench.break_off()

    bench.say(Message("pulse", b"1"))
    bench.say(Message("pulse", b"2"), token=4)
    bench.say(Message("pulse", b"3", 1))
    bench.advance(70)
    bench.open()

    assert bench.published() == [("pulse", b"3")]
    assert bench.client.delivery.dropped == 2
    assert troubles(bench) == [
        "messages that could not wait were dropped while there was no broker: 2"
    ]
    assert any(isinstance(one, Delivered) and one.token == 4 and one.problem for one in bench.told)


def test_the_queue_has_bounds_and_states_are_the_last_to_go() -> None:
    bench = Bench()
    bench.up()
    bench.writable(False)
    bench.say(ON)

    for n in range(MAX_WAITING + 10):
        bench.say(Message("pulse", str(n).encode(), 1))
    bench.writable(True)

    delivery = bench.client.delivery
    assert delivery.dropped == 11
    assert troubles(bench) == ["messages are dropped: the broker takes too few"]
    assert bench.published()[0] == ("state", b"on")
    bench.say(Message("large", bytes(MAX_WAITING_BYTES)))
    assert delivery.waiting <= MAX_WAITING


def test_a_state_that_piles_up_is_its_latest_value_before_anything_is_dropped() -> None:
    bench = Bench()
    bench.up()
    bench.writable(False)
    bench.say(Message("pulse", b"x", 1))

    for n in range(MAX_WAITING + 10):
        bench.say(Message("level", str(n).encode()), state=True)
    bench.writable(True)
    bench.advance(1)

    assert bench.client.delivery.dropped == 0
    seen = bench.published()
    assert seen[0] == ("pulse", b"x")
    assert seen[-1] == ("level", str(MAX_WAITING + 9).encode())


def test_no_more_than_so_many_topics_are_kept_to_be_published_anew() -> None:
    bench = Bench()
    bench.up()
    for n in range(MAX_RETAINED + 5):
        bench.say(Message(f"t{n}", b"x", 0, retain=True))
    bench.advance(1)
    bench.look()

    bench.again()
    bench.advance(1)

    anew = [topic for topic, _ in bench.published()]
    assert anew == [f"t{n}" for n in range(5, MAX_RETAINED + 5)]


def test_nobody_is_sent_what_he_cannot_take() -> None:
    """MQTT 5 §3.2.2.3.4–6: QoS, retain and size."""
    bench = Bench(options("5"))
    properties = b"\x24\x01\x25\x00\x27\x00\x00\x00\x40"
    bench.up(connack(version="5", properties=properties))

    bench.say(Message("t", b"x", 2, retain=True))
    bench.say(Message("large", bytes(100)), token=9)

    assert [(s.flags, s.body[:3]) for s in bench.look()] == [(2, b"\x00\x01t")]
    assert any(isinstance(one, Delivered) and one.token == 9 and one.problem for one in bench.told)


def test_a_refusal_is_told_to_whoever_waits_for_it() -> None:
    """MQTT 5 §3.4.2.1."""
    bench = Bench(options("5"))
    bench.up()
    bench.say(Message("a", b"", 1), token=1)
    bench.say(Message("b", b"", 2))
    for kind, said in zip((Type.PUBACK, Type.PUBREC), bench.look(), strict=True):
        bench.hear(packet(kind, said.packet_id.to_bytes(2, "big") + b"\x87"))

    assert Delivered(1, "we are not allowed there") in bench.told
    assert troubles(bench) == ["the broker refuses a message: we are not allowed there"]


def test_who_waits_no_more_is_not_told_and_what_was_not_sent_never_is() -> None:
    bench = Bench()
    bench.up()
    bench.say(Message("a", b"", 1), token=1)
    bench.writable(False)
    bench.say(Message("b", b"", 1), token=2)

    bench.client.cancel(1, now=bench.now)
    bench.client.cancel(2, now=bench.now)
    first = bench.look()[0]
    bench.hear(acknowledges(Type.PUBACK, first.packet_id))
    bench.writable(True)

    assert bench.look() == []
    assert bench.told == []


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

    numbers = [s.body[4] for s in bench.look()]
    for number in numbers:
        bench.hear(packet(Type.PUBLISH, b"\x00\x04door\x02\x0b" + bytes((number,)) + b"x"))

    arrived = [one for one in bench.told if isinstance(one, Arrived)]
    assert [one.filters for one in arrived] == [("#",), ("door",)]


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


def test_a_broker_that_never_releases_what_it_sends_is_left() -> None:
    bench = Bench()
    bench.up()

    for n in range(1, 1002):
        bench.hear(from_broker("t", qos=2, packet_id=n))
        bench.advance(0.01)

    assert any(isinstance(one, Down) for one in bench.told)
