"""Sound that is taken along on its way to the speaker."""

from collections.abc import Callable

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.services.ring_tap import CUSHION, OFF, RingTap

FRAME = samples_in(0.020)
HERTZ = 1000.0


def tone(first: int, count: int) -> Samples:
    at = np.arange(first, first + count) / SAMPLE_RATE
    return (0.5 * np.sin(2 * np.pi * HERTZ * at) + 0.1).astype(np.float32)


class Feed:
    """A ring, what is written into it, and the card that empties it."""

    def __init__(self, seconds: float = 0.5) -> None:
        self.ring = SampleRing(samples_in(seconds))
        self.said = 0
        self._out = np.zeros(self.ring.capacity, np.float32)

    def say(self, count: int) -> None:
        self.said += self.ring.write(tone(self.said, count))

    def play(self, count: int) -> None:
        self.ring.read_into(self._out[:count])


def taken(tap: RingTap, most: int = 1000) -> Samples:
    """All that there is."""
    frames: list[Samples] = []
    while len(frames) < most and (frame := tap.take()) is not None:
        assert frame.size == FRAME
        frames.append(frame.copy())
    return np.concatenate(frames) if frames else np.zeros(0, np.float32)


def test_it_takes_what_is_written_sample_for_sample() -> None:
    """Two samples later, which the change of speed needs, and not before the card has played."""
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)

    feed.say(10 * FRAME)

    assert np.array_equal(taken(tap)[2:], tone(0, 10 * FRAME - 2))


def test_it_begins_when_a_cushion_waits_besides_the_first_frame() -> None:
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)

    feed.say(FRAME + CUSHION - 1)
    assert tap.take() is None
    assert tap.resting
    feed.say(1)

    assert taken(tap).size == FRAME + CUSHION
    assert not tap.resting


@pytest.mark.parametrize("wait_ms", [8, 60])
def test_the_silence_that_a_jitter_buffer_begins_with_is_no_delay(wait_ms: int) -> None:
    """Nothing of the first word is lost, and of what is said no more than the cushion waits."""
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)
    feed.ring.write(np.zeros(samples_in(wait_ms / 1000), np.float32))

    feed.say(FRAME)
    found = [taken(tap)]
    feed.say(FRAME)
    found.append(taken(tap))
    heard = np.concatenate(found)

    first = int(np.flatnonzero(heard)[0])
    assert np.array_equal(heard[first : first + 100], tone(0, 100))
    assert feed.said - (heard.size - first) <= CUSHION + 2


def test_what_was_played_before_is_past() -> None:
    feed = Feed()
    feed.say(5 * FRAME)
    feed.play(2 * FRAME)

    found = taken(RingTap(feed.ring, FRAME))

    assert np.array_equal(found[2:], tone(2 * FRAME, 3 * FRAME - 2))


def test_after_a_rest_it_begins_anew_with_what_comes() -> None:
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)
    feed.say(2 * FRAME)
    taken(tap)

    tap.rest()
    feed.say(FRAME)
    assert tap.take() is None
    feed.say(FRAME)

    assert np.array_equal(taken(tap)[2:], tone(2 * FRAME, 2 * FRAME - 2))


def test_the_end_of_a_sound_is_filled_up_with_silence() -> None:
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)

    feed.say(FRAME // 2)
    feed.ring.ended = True
    found = taken(tap)

    assert np.array_equal(found[2 : FRAME // 2], tone(0, FRAME // 2 - 2))
    assert not found[FRAME // 2 :].any()


def test_who_is_held_up_for_longer_than_the_ring_keeps_goes_on_with_the_oldest() -> None:
    feed = Feed(seconds=0.1)
    tap = RingTap(feed.ring, FRAME)
    feed.say(3 * FRAME)
    taken(tap)
    feed.play(3 * FRAME)

    for _ in range(4):
        feed.say(3 * FRAME)
        feed.play(3 * FRAME)
    found = taken(tap)

    oldest = feed.said - feed.ring.capacity
    assert found.size == feed.ring.capacity // FRAME * FRAME
    assert np.array_equal(found[2:], tone(oldest, found.size - 2))


@pytest.mark.parametrize("ppm", [-300, 0, 300])
def test_a_card_whose_clock_differs_from_ours_neither_starves_nor_swells(ppm: int) -> None:
    """Three minutes. Cards take more than a frame at a time, and who writes follows the card."""
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)
    feed.say(3 * FRAME)
    played, turns = 0.0, 180 * 50
    for turn in range(turns):
        played += FRAME * (1 + ppm * 1e-6)
        if turn % 2:
            feed.play(round(played) - feed.ring.consumed)
        feed.say(round(played) + 3 * FRAME - feed.said)
        frame = tap.take()
        assert frame is not None, f"nothing at turn {turn}"

    left = feed.said - turns * FRAME  # what would wait by now, if nothing were done
    assert abs(left - 3 * FRAME) >= 2.5 * FRAME * (ppm != 0)
    assert abs(taken(tap).size - 2 * FRAME) <= OFF + FRAME


@pytest.mark.parametrize("faster", [True, False])
def test_a_change_of_speed_is_not_heard(faster: bool) -> None:
    """A tone stays a tone: no step, and nothing beside it above -60 dB."""
    feed = Feed()
    tap = RingTap(feed.ring, FRAME)
    feed.say(3 * FRAME)
    played = 0.0
    found: list[Samples] = []

    def go_on(turns: int, hear: Callable[[Samples], None]) -> None:
        nonlocal played
        for _ in range(turns):
            played += FRAME * (1.0004 if faster else 0.9996)
            feed.play(round(played) - feed.ring.consumed)
            feed.say(round(played) + 3 * FRAME - feed.said)
            frame = tap.take()
            assert frame is not None
            hear(frame)

    go_on(800, lambda _: None)  # until the speed has changed
    go_on(50, lambda frame: found.append(frame.copy()))
    sound = np.concatenate(found) - np.float32(0.1)

    assert float(np.abs(np.diff(sound, 2)).max()) < 1.05 * 0.5 * (2 * np.pi * HERTZ / 48000) ** 2
