"""Who speaks on a channel of desk phones, and what of it is heard."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.multicast.channel import ALERTED, ENDING, ChannelStream, Frame
from sipstrobe.multicast.group_paging import OpCode, Packet, Page, parse
from sipstrobe.multicast.stream import (
    LONGEST_END,
    SHORTEST_END,
    Ended,
    Output,
    Restarted,
    Started,
)

DESK, DOOR = ("192.0.2.1", 5001), ("192.0.2.2", 5001)
FRAME, INTERVAL = 240, 0.030  # bytes and seconds, as phones have them


def sounds(count: int, size: int = FRAME) -> list[bytes]:
    """Frames of which no two are alike."""
    return [bytes([n + 1]) * size for n in range(count)]


class Phone:
    """Pages on a channel. units: of the sample count, for a byte."""

    def __init__(
        self,
        stream: ChannelStream,
        source: tuple[str, int] = DESK,
        serial: int = 7,
        *,
        units: int = 1,
    ) -> None:
        self.stream = stream
        self.source = source
        self.units = units
        self.page = Page(26, serial, "Reception", 9)

    def alert(self, now: float) -> None:
        self.stream.receive(self.source, parse(self.page.alert()), now=now)

    def end(self, now: float) -> None:
        self.stream.receive(self.source, parse(self.page.end()), now=now)

    def packets(self, frames: list[bytes]) -> list[Packet]:
        found = [parse(self.page.transmit(frame)) for frame in frames]
        return [
            Packet(p.op, 26, p.serial_number, "", 9, 0, p.sample_count * self.units, p.audio)
            for p in found
        ]

    def say(self, packets: list[Packet], now: float, interval: float = INTERVAL) -> list[Frame]:
        heard: list[Frame] = []
        for n, packet in enumerate(packets):
            heard += self.stream.receive(self.source, packet, now=now + n * interval)
        return heard


def told(stream: ChannelStream) -> list[Output]:
    found = list(stream.outbox)
    stream.outbox.clear()
    return found


def assert_whole(heard: list[Frame], wanted: list[bytes]) -> None:
    """All of it, each once, at its place."""
    ordered = sorted(set(heard))
    assert b"".join(frame.payload for frame in ordered) == b"".join(wanted)
    for before, after in pairwise(ordered):
        assert after.sequence == before.sequence + 1
        assert after.timestamp == before.timestamp + len(before.payload)


def test_an_alert_opens_the_page_and_its_sound_is_heard_from_the_first_byte() -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), sounds(5)

    phone.alert(0.0)
    assert told(stream) == [Started(DESK, 7)]
    assert stream.caller_id == "Reception"
    phone.alert(0.03)
    heard = phone.say(phone.packets(frames), 0.06)

    assert_whole(heard, frames)
    assert told(stream) == []


def test_an_end_of_the_talker_ends_the_page_at_once_and_once() -> None:
    """EA 70568: it comes twelve times."""
    stream = ChannelStream()
    phone = Phone(stream)
    phone.say(phone.packets(sounds(3)), 0.0)
    told(stream)

    Phone(stream, DOOR, serial=7).end(0.07)
    Phone(stream, DESK, serial=8).end(0.07)
    assert told(stream) == []
    for n in range(12):
        phone.end(0.09 + n * INTERVAL)

    assert told(stream) == [Ended(said=True)]
    assert stream.deadline is None


def test_sound_that_an_end_has_overtaken_begins_no_page() -> None:
    stream = ChannelStream()
    phone = Phone(stream)
    *packets, last = phone.packets(sounds(4))
    phone.say(packets, 0.0)
    phone.end(0.09)
    told(stream)

    assert phone.say([last], 0.091) == []
    assert told(stream) == []
    phone.alert(0.1)
    assert phone.say([last], 0.11)
    assert phone.say([last], 0.1 + ENDING)


@pytest.mark.parametrize("frame", [80, 160, 240], ids=["10 ms", "20 ms", "30 ms"])
@pytest.mark.parametrize("units", [1, 2], ids=["8000 a second", "16000 a second"])
@pytest.mark.parametrize("lost", [2, 5, 9])
def test_a_lost_packet_is_heard_from_the_next(lost: int, units: int, frame: int) -> None:
    """EA 70568: it repeats the sound of the one before. Senders of G.722 count in two ways."""
    stream = ChannelStream()
    phone, frames = Phone(stream, units=units), sounds(12, frame)
    packets = phone.packets(frames)
    del packets[lost]

    heard = phone.say(packets, 0.0, frame / 8000)

    assert_whole(heard, frames)


@pytest.mark.parametrize("lost", [0, 1])
def test_of_the_first_two_packets_one_may_be_lost(lost: int) -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), sounds(6)
    packets = phone.packets(frames)
    del packets[lost]
    phone.alert(0.0)

    assert_whole(phone.say(packets, 0.03), frames)


def test_who_joins_late_hears_at_once_what_is_repeated() -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), sounds(9)

    assert_whole(phone.say(phone.packets(frames)[4:], 0.0), frames[3:])


def test_two_packets_that_are_lost_leave_one_gap_of_their_length() -> None:
    stream = ChannelStream()
    phone = Phone(stream)
    packets = phone.packets(sounds(8))
    del packets[3:5]

    heard = phone.say(packets, 0.0)

    numbers = [frame.sequence - heard[0].sequence for frame in heard]
    places = [frame.timestamp - heard[0].timestamp for frame in heard]
    assert numbers == [0, 1, 2, 4, 5, 6, 7]
    assert places == [n * FRAME for n in numbers]


def test_silence_that_repeats_itself_is_counted_by_its_numbers() -> None:
    """All its frames are alike, so that nothing is seen of a loss but the sample count."""
    stream = ChannelStream()
    phone, frames = Phone(stream), [b"\xff" * FRAME] * 8
    packets = phone.packets(frames)
    del packets[4]

    assert_whole(phone.say(packets, 0.0), frames)


def test_a_loss_in_silence_before_the_numbers_are_known_costs_no_sound() -> None:
    """For a while it looks as if the numbers grew by twice as much."""
    stream = ChannelStream()
    phone, voice = Phone(stream), sounds(8)
    packets = phone.packets([b"\xff" * FRAME] * 4 + voice)
    del packets[1]

    assert_whole(phone.say(packets, 0.0), [b"\xff" * FRAME] * 3 + voice)


@pytest.mark.parametrize("count", [0, 1 << 31], ids=["back", "forth"])
def test_other_numbers_are_a_new_beginning_of_which_all_is_heard(count: int) -> None:
    """As of a sender that has been restarted."""
    stream = ChannelStream()
    old, new = Phone(stream), Phone(stream)
    old.page.pause(100_000)
    new.page.pause(count)
    old.say(old.packets(sounds(5)), 0.0)
    told(stream)

    heard = new.say(new.packets(sounds(5)), 0.15)

    assert told(stream) == [Restarted()]
    assert_whole(heard, sounds(5))


def test_packets_that_are_overtaken_or_doubled_have_their_place() -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), sounds(8)
    packets = phone.packets(frames)
    packets[4], packets[5] = packets[5], packets[4]
    packets.insert(7, packets[6])

    assert_whole(phone.say(packets, 0.0), frames)


def test_a_sender_that_repeats_nothing_is_heard_as_well() -> None:
    stream = ChannelStream()
    frames = sounds(6, 160)
    packets = [
        Packet(OpCode.TRANSMIT, 26, 0, "", 0, 0, 160 * n, frame) for n, frame in enumerate(frames)
    ]

    assert_whole(Phone(stream).say(packets, 0.0, 0.02), frames)


def test_a_last_frame_may_be_shorter() -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), [*sounds(4, 160), b"z" * 50]

    assert_whole(phone.say(phone.packets(frames), 0.0, 0.02), frames)


def test_the_sample_count_goes_on_past_its_end() -> None:
    stream = ChannelStream()
    phone, frames = Phone(stream), sounds(6)
    phone.page.pause((1 << 32) - 2 * FRAME)

    packets = phone.packets(frames)

    assert packets[-1].sample_count < packets[0].sample_count
    assert_whole(phone.say(packets, 0.0), frames)


def test_another_on_the_channel_is_not_mixed_in_and_is_heard_when_the_first_has_ended() -> None:
    stream = ChannelStream()
    first, second = Phone(stream), Phone(stream, DOOR, serial=3)
    first.say(first.packets(sounds(3)), 0.0)

    second.alert(0.07)
    assert second.say(second.packets(sounds(1)), 0.08) == []
    assert stream.strangers == 2
    first.end(0.09)
    assert second.say(second.packets(sounds(1)), 0.1)

    assert told(stream) == [Started(DESK, 7), Ended(said=True), Started(DOOR, 3)]


def test_of_two_that_alert_at_once_the_lower_serial_number_has_the_channel() -> None:
    """EA 70568: the other phone stops."""
    stream = ChannelStream()
    high, low, higher = (
        Phone(stream, DESK, serial=7),
        Phone(stream, DOOR, serial=3),
        Phone(stream, DESK, serial=9),
    )

    for phone in (high, low, higher, high):
        phone.alert(0.0)
    assert high.say(high.packets(sounds(1)), 0.03) == []
    assert low.say(low.packets(sounds(1)), 0.03)

    assert told(stream) == [Started(DESK, 7), Started(DOOR, 3)]


def test_senders_that_have_the_same_serial_number_are_told_apart() -> None:
    stream = ChannelStream()
    one, other = Phone(stream, DESK, serial=0), Phone(stream, DOOR, serial=0)

    assert one.say(one.packets(sounds(1)), 0.0)
    assert not other.say(other.packets(sounds(1)), 0.01)


def test_a_page_ends_without_an_end_soon_after_its_last_sound() -> None:
    stream = ChannelStream()
    phone = Phone(stream)
    phone.alert(0.0)
    assert stream.deadline == ALERTED
    phone.say(phone.packets(sounds(60)), 0.5)
    assert stream.deadline is not None

    assert SHORTEST_END <= stream.deadline - (0.5 + 59 * INTERVAL) <= LONGEST_END
    stream.wake(now=stream.deadline)
    assert told(stream)[1:] == [Ended(said=False)]


def test_an_alert_without_sound_ends_after_a_second() -> None:
    stream = ChannelStream()
    phone = Phone(stream)
    phone.alert(0.0)
    phone.alert(0.03)

    stream.wake(now=0.03 + ALERTED - 0.001)
    assert told(stream) == [Started(DESK, 7)]
    stream.wake(now=0.03 + ALERTED)

    assert told(stream) == [Ended(said=False)]


_PACKETS = st.builds(
    Packet,
    op=st.sampled_from(OpCode),
    channel=st.just(26),
    serial_number=st.integers(0, 2),
    codec=st.sampled_from([0, 9]),
    sample_count=st.one_of(st.integers(0, 2000), st.integers(0, (1 << 32) - 1)),
    audio=st.binary(min_size=1, max_size=12),
)


@given(st.lists(st.tuples(st.booleans(), _PACKETS, st.floats(0.0, 0.3)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_sound_has_a_place_and_talkers_begin_before_they_end(
    said: list[tuple[bool, Packet, float]],
) -> None:
    stream, now, speaks = ChannelStream(), 0.0, False

    for desk, packet, later in said:
        now += later
        frames = stream.receive(DESK if desk else DOOR, packet, now=now)
        assert all(frame.payload for frame in frames)
        for event in told(stream):
            match event:
                case Started():
                    speaks = True
                case Ended():
                    assert speaks
                    speaks = False
                case _:
                    assert speaks
        assert speaks or not frames
        assert (stream.deadline is not None) == speaks
