"""What waits to be published, what is not confirmed, and what the broker must keep for us."""

from sipstrobe.mqtt.client import PUMP_BYTES
from sipstrobe.mqtt.delivery import (
    GUILTY,
    MAX_IN_FLIGHT,
    MAX_RETAINED,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    TOO_LARGE,
    UNBEARABLE,
)
from sipstrobe.mqtt.outputs import (
    Delivered,
    Trouble,
)
from sipstrobe.mqtt.packets import Message, Type
from tests.mqtt.bench import Bench, acknowledges, connack, options, packet

ON, OFF = Message("state", b"on", 1, retain=True), Message("state", b"off", 1, retain=True)


def troubles(bench: Bench) -> list[str]:
    return [one.words for one in bench.told if isinstance(one, Trouble)]


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


def test_a_broker_that_takes_less_than_before_is_sent_no_more_at_once() -> None:
    """MQTT 5 §4.9, also of what is sent again; what has become too large is given up."""
    bench = Bench(options("5", clean=False))
    bench.up()
    for n in range(4):
        bench.say(Message("t", bytes(n * 20), 1), token=n + 1)
    ids = [s.packet_id for s in bench.look()]

    properties = b"\x21\x00\x01\x27\x00\x00\x00\x38"
    bench.again(connack(present=True, version="5", properties=properties))
    seen = [s for s in bench.look() if s.type is Type.PUBLISH]
    assert [(s.packet_id, s.flags) for s in seen] == [(ids[0], 8 | 2)]
    for packet_id in ids[:3]:
        bench.hear(acknowledges(Type.PUBACK, packet_id))

    assert [s.packet_id for s in bench.look()] == ids[1:3]
    assert [one for one in bench.told if isinstance(one, Delivered)] == [
        Delivered(1),
        Delivered(2),
        Delivered(3),
        Delivered(4, TOO_LARGE),
    ]


def test_a_clearing_that_was_not_confirmed_is_said_anew_and_never_after_what_came_later() -> None:
    bench = Bench()
    bench.up()
    bench.say(Message("gone", b"", 1, retain=True))
    bench.say(Message("back", b"", 1, retain=True))
    bench.say(Message("back", b"on", 1, retain=True))
    bench.say(Message("told", b"old", 1, retain=True), token=1)
    bench.say(Message("told", b"new", 1, retain=True))
    bench.look()

    bench.again()

    assert bench.published() == [
        ("gone", b""),
        ("told", b"old"),
        ("back", b"on"),
        ("told", b"new"),
    ]


def test_a_retained_state_that_nobody_confirms_is_said_anew_even_if_the_broker_knows_us() -> None:
    """With QoS 0 it may have been lost on the way."""
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(Message("door", b"open", 0, retain=True))
    bench.say(ON)
    bench.hear(acknowledges(Type.PUBACK, bench.look()[1].packet_id))

    bench.again(connack(present=True))

    assert bench.published() == [("door", b"open")]


def test_what_is_tried_again_while_it_is_on_its_way_is_not_sent_twice() -> None:
    """Exactly once, also for who loses patience."""
    bench = Bench(options(clean=False))
    bench.up()
    bench.say(Message("t", b"x", 2), token=7)
    bench.client.cancel(7, now=bench.now)
    bench.look()

    bench.again(connack(present=True))
    bench.say(Message("t", b"x", 2), token=7)

    seen = [s for s in bench.look() if s.type is Type.PUBLISH]
    assert len(seen) == 1
    for kind in (Type.PUBREC, Type.PUBCOMP):
        bench.hear(acknowledges(kind, seen[0].packet_id))
    assert bench.told[-1] == Delivered(7)


def test_what_a_broker_had_taken_and_has_forgotten_is_told_as_not_sent() -> None:
    bench = Bench()
    bench.up()
    bench.say(Message("t", b"x", 2), token=7)
    bench.hear(acknowledges(Type.PUBREC, bench.look()[0].packet_id))

    bench.again()

    assert bench.told[-1] == Delivered(7, "the broker has forgotten whether it has it")
    assert bench.published() == []


def test_a_message_on_which_the_broker_always_breaks_off_is_given_up_and_no_other() -> None:
    """As brokers do that have no MQTT 5 and a limit on packets, or on who publishes what."""
    bench = Bench()
    bench.up()
    bench.say(Message("fine", b"", 1), token=1)
    bench.say(Message("bad", b"", 1, retain=True), token=2)
    bench.say(Message("fine", b"", 1), token=3)
    bench.say(Message("worse", b"", 1, retain=True))

    for _ in range(2 * GUILTY + 2):
        fine = True
        while fine and (seen := [s for s in bench.look() if s.type is Type.PUBLISH]):
            for one in seen:
                fine = fine and one.message.topic == "fine"
                if fine:
                    bench.hear(acknowledges(Type.PUBACK, one.packet_id))
        bench.break_off()
        bench.advance(70)
        bench.open()

    assert [s.type for s in bench.look() if s.type is Type.PUBLISH] == []
    told = [one for one in bench.told if isinstance(one, Delivered)]
    assert told == [Delivered(1), Delivered(2, UNBEARABLE), Delivered(3)]


def test_what_a_connection_has_ended_on_twice_is_sent_alone() -> None:
    """So that the others do not end with it; a retained one is known again in a new session."""
    bench = Bench()
    bench.up()
    bench.say(Message("bad", b"x", 1, retain=True))
    for _ in range(2):
        bench.again()
    bench.say(Message("other", b"", 1))

    assert [topic for topic, _ in bench.published()] == ["bad"]


def test_what_is_about_a_connection_ends_with_it() -> None:
    bench = Bench()
    bench.up()
    bench.writable(False)
    bench.client.publish(Message("here", b"", 1, retain=True), now=bench.now, first=True)

    bench.again()

    assert bench.published() == []


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
    assert Delivered(9, TOO_LARGE) in bench.told


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


def test_what_nobody_waits_for_any_more_and_was_not_sent_never_is() -> None:
    bench = Bench()
    bench.up()
    bench.say(Message("a", b"", 1), token=1)
    bench.writable(False)
    bench.say(Message("b", b"", 1), token=2)

    bench.client.cancel(1, now=bench.now)
    bench.client.cancel(2, now=bench.now)
    assert [s.message.topic for s in bench.look()] == ["a"]
    bench.writable(True)

    assert bench.look() == []
    assert bench.told == []
