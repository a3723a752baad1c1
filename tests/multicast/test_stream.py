"""Who speaks in a multicast group, since when, and until when."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.multicast.stream import (
    LONGEST_END,
    SHORTEST_END,
    Ended,
    GroupStream,
    Output,
    Restarted,
    Started,
)

DESK, DOOR = ("192.0.2.1", 5004), ("192.0.2.2", 5004)
RATE, UNITS, PACKET_TIME = 8000, 160, 0.020


class Speaker:
    """Sends a packet every 20 ms to a stream, with its own numbers."""

    def __init__(self, stream: GroupStream, source: tuple[str, int] = DESK, ssrc: int = 7) -> None:
        self.stream = stream
        self.source = source
        self.ssrc = ssrc
        self.number = 65_533
        self.timestamp = 0xFFFFFF00

    def say(self, now: float, packets: int = 1, packet_time: float = PACKET_TIME) -> list[int]:
        """The extended numbers of those that are heard."""
        heard: list[int] = []
        for n in range(packets):
            at = now + n * packet_time
            self.stream.wake(now=at)
            found = self.stream.packet(
                self.source, self.ssrc, self.number, self.timestamp, RATE, now=at
            )
            self.number = (self.number + 1) % 65_536
            self.timestamp = (self.timestamp + round(packet_time * RATE)) % (1 << 32)
            heard += [] if found is None else [found]
        return heard


def told(stream: GroupStream) -> list[Output]:
    found = list(stream.outbox)
    stream.outbox.clear()
    return found


def test_the_first_packet_is_heard_and_numbers_go_on_past_65535() -> None:
    stream = GroupStream()

    heard = Speaker(stream).say(0.0, 6)

    assert heard == list(range(heard[0], heard[0] + 6))
    assert told(stream) == [Started(DESK, 7)]


def test_a_bye_of_the_talker_ends_the_page_at_once() -> None:
    """RFC 3550 §6.6; the port of RTCP is one above that of RTP."""
    stream = GroupStream()
    Speaker(stream).say(0.0, 3)
    told(stream)

    stream.bye((DOOR[0], 5005), [7])
    stream.bye((DESK[0], 5005), [8])
    assert told(stream) == []
    stream.bye((DESK[0], 5005), [7])

    assert told(stream) == [Ended(said=True)]
    assert stream.deadline is None


@pytest.mark.parametrize(
    ("packet_time", "least", "most"),
    [(0.020, SHORTEST_END, SHORTEST_END), (0.060, 0.14, 0.16), (0.1, LONGEST_END, LONGEST_END)],
)
def test_silence_ends_the_page_after_as_long_as_its_packets_call_for(
    packet_time: float, least: float, most: float
) -> None:
    stream = GroupStream()
    count = 200
    Speaker(stream).say(0.0, count, packet_time)
    last = (count - 1) * packet_time
    assert stream.deadline is not None

    assert least - 1e-6 <= stream.deadline - last <= most + 1e-6
    stream.wake(now=stream.deadline - 0.001)
    assert told(stream) == [Started(DESK, 7)]
    stream.wake(now=stream.deadline)
    assert told(stream) == [Ended(said=False)]


def test_packets_of_182_ms_are_one_page() -> None:
    """What ffmpeg sends of G.711 when it is not told otherwise."""
    stream = GroupStream()

    assert len(Speaker(stream).say(0.0, 50, 0.1825)) == 50
    assert told(stream) == [Started(DESK, 7)]


def test_a_second_sender_is_not_mixed_in_and_is_heard_once_the_first_has_ended() -> None:
    stream = GroupStream()
    first, second = Speaker(stream), Speaker(stream, DOOR, ssrc=9)

    for n in range(5):
        assert first.say(n * PACKET_TIME)
        assert not second.say(n * PACKET_TIME + 0.005)
    assert stream.strangers == 5
    stream.bye((DESK[0], 5005), [7])

    assert second.say(0.105)
    assert not first.say(0.11)
    assert told(stream) == [Started(DESK, 7), Ended(said=True), Started(DOOR, 9)]


def test_a_new_ssrc_of_the_talker_goes_on_at_once_and_the_old_one_is_over() -> None:
    stream = GroupStream()
    old, new = Speaker(stream), Speaker(stream, ssrc=8)
    old.say(0.0, 3)
    new.number = 20_000

    before = old.say(0.06)[0]
    assert new.say(0.08)[0] > before
    assert not old.say(0.085)
    assert new.say(0.10)
    assert told(stream) == [Started(DESK, 7), Restarted()]


def test_other_sequence_numbers_are_a_restart_and_late_packets_are_not() -> None:
    stream = GroupStream()
    speaker = Speaker(stream)
    heard = speaker.say(0.0, 5)
    speaker.number = (speaker.number - 3) % 65_536

    assert speaker.say(0.1)[0] == heard[2]
    assert told(stream) == [Started(DESK, 7)]
    speaker.number = 30_000
    assert speaker.say(0.12)[0] > heard[-1]

    assert told(stream) == [Restarted()]


def test_a_jump_of_the_timestamps_is_a_restart_and_a_gap_is_not() -> None:
    stream = GroupStream()
    speaker = Speaker(stream)
    speaker.say(0.0, 5)
    told(stream)

    speaker.timestamp = (speaker.timestamp + 3 * UNITS) % (1 << 32)
    assert speaker.say(0.16)
    assert told(stream) == []
    speaker.timestamp = (speaker.timestamp + 1_000_000) % (1 << 32)
    assert speaker.say(0.18)

    assert told(stream) == [Restarted()]


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([DESK, DOOR]),
        st.integers(0, 2),
        st.integers(0, 65_535),
        st.integers(0, (1 << 32) - 1),
        st.floats(0.0, 0.3),
    ),
    max_size=40,
)


@given(_STEPS)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_pages_begin_before_they_end_and_numbers_never_fall_far(
    steps: list[tuple[tuple[str, int], int, int, int, float]],
) -> None:
    stream, now, speaking, highest = GroupStream(), 0.0, False, None
    for source, ssrc, number, timestamp, later in steps:
        now += later
        found = stream.packet(source, ssrc, number, timestamp, RATE, now=now)
        for output in told(stream):
            assert isinstance(output, Started) is not speaking
            if not isinstance(output, Restarted):
                speaking = not speaking
            if isinstance(output, Started):
                highest = None
        assert speaking
        if found is not None:
            assert highest is None or found >= highest - 100
            highest = found if highest is None else max(highest, found)


def test_who_falls_silent_and_is_back_has_been_cut_off_if_packets_are_missing() -> None:
    """RFC 3550 §5.1: a pause between words takes no sequence numbers."""
    stream = GroupStream()
    speaker = Speaker(stream)
    speaker.say(0.0, 5)
    pause = speaker.say(1.0, 5)
    speaker.number += 7
    speaker.say(2.0, 5)
    speaker.number += 7
    stream.bye(DESK, [7])
    speaker.say(3.0)

    assert len(pause) == 5
    started = [output for output in told(stream) if isinstance(output, Started)]
    assert [output.missed for output in started] == [0, 0, 7, 0]
