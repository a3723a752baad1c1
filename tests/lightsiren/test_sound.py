"""A sound is rendered as it is heard: in pieces, from anywhere, once."""

import tracemalloc

from msgspec.structs import replace
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipstrobe.lightsiren.sound import BLOCK, MAX_PERIODS, SirenSource, Sound
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.lightsiren.synthesis import Note, Tone, render, square, steady


def fresh(name: str) -> Sound:
    """The same sound, of which nothing has been rendered yet."""
    return replace(SOUNDS[name])


@pytest.mark.parametrize("name", SOUNDS)
def test_pieces_of_any_size_are_the_whole(name: str) -> None:
    whole = fresh(name).render()
    source = SirenSource(fresh(name))
    sizes = (240, 480, 1, 961, 4799, 960, 31)

    pieces = [source.next(sizes[n % len(sizes)]) for n in range(600)]

    played = np.concatenate(pieces)
    assert np.array_equal(played, np.resize(whole, played.size))


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 10**7),
    sizes=st.lists(st.integers(0, 120_000), max_size=4),
)
def test_it_may_begin_anywhere_and_go_round(start: int, sizes: list[int]) -> None:
    sound = SOUNDS["Alarm: Soft triple beep"]
    source = SirenSource(sound, position=start)

    played = np.concatenate([source.next(n) for n in (1, *sizes)])

    at = (start + np.arange(played.size)) % sound.period_samples
    assert np.array_equal(played, sound.render()[at])
    assert source.position == start + played.size


def test_only_what_is_heard_is_rendered() -> None:
    """The first block of a siren must not wait for the rest of its period."""
    asked: list[int] = []

    def voice(
        t: np.ndarray[tuple[int], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        asked.append(t.size)
        return np.zeros(t.size, np.float32)

    sound = Sound("Silence", "Nothing", 8.0, 1.0, lambda: [Note(0.0, 8.0, voice)])
    source = SirenSource(sound)
    source.next(240)
    source.next(240)
    late = SirenSource(sound, position=5 * 48_000)
    late.next(10)

    assert asked == [BLOCK, BLOCK]


def test_two_soundings_of_a_sound_share_what_is_rendered() -> None:
    sound = fresh("Siren: Evac")

    first, second = SirenSource(sound).next(960), SirenSource(sound).next(960)

    assert np.shares_memory(first, second)
    assert not first.flags.writeable


def test_what_is_rendered_as_a_whole_is_no_business_of_those_who_sound_it() -> None:
    """It is done in another thread, where half a block may lie while the speaker wants it."""
    heard: list[NDArray[np.float32]] = []

    def voice(t: NDArray[np.float64]) -> NDArray[np.float32]:
        if not heard:
            heard.append(np.empty(0, np.float32))
            heard[0] = SirenSource(sound).next(BLOCK).copy()
        return np.full(t.size, 0.5, np.float32)

    sound = Sound("Hum", "A constant", 1.0, 0.5, lambda: [Note(0.0, 1.0, voice)])

    whole = sound.render()

    assert heard[0].any()
    assert np.array_equal(heard[0], whole[:BLOCK])


def test_memory_stays_bounded_when_all_sounds_have_been_heard() -> None:
    longest = max(sound.period_samples for sound in SOUNDS.values()) * 4
    tracemalloc.start()
    try:
        for sound in SOUNDS.values():
            SirenSource(replace(sound)).next(sound.period_samples)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < MAX_PERIODS * longest + 1_000_000


def test_blocks_of_a_score_add_up_whatever_lies_in_them() -> None:
    tone = Tone(steady(700.0), square(5))
    score = [Note(0.1, 0.2, tone), Note(0.15, 0.3, tone), Note(0.7, 0.1, tone)]

    whole = render(score, 0, 48_000)
    parts = [render(score, at, at + 1000) for at in range(0, 48_000, 1000)]

    assert np.allclose(np.concatenate(parts), whole, atol=1e-5)
    assert not whole[: 4800 - 1].any()
