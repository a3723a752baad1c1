"""Gaps are filled with what was heard before, and fade: after ITU-T G.711 Appendix I."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.codecs.conceal import FADED, Concealer

RATE = 8000
BLOCK = 160


def tone(frequency: float, samples: int, start: int = 0) -> NDArray[np.float32]:
    at = np.arange(start, start + samples) / RATE
    return (0.5 * np.sin(2 * np.pi * frequency * at)).astype(np.float32)


def through_a_gap(
    sound: NDArray[np.float32], lost: set[int], block: int = BLOCK
) -> NDArray[np.float32]:
    concealer = Concealer(RATE)
    out: list[NDArray[np.float32]] = []
    for n in range(sound.size // block):
        piece = sound[n * block : (n + 1) * block]
        out.append(concealer.conceal(block) if n in lost else concealer.hear(piece))
    return np.concatenate(out)


def test_what_comes_in_order_is_not_touched() -> None:
    sound = tone(440, 1600)

    assert np.array_equal(through_a_gap(sound, set()), sound)


@pytest.mark.parametrize("frequency", [100, 200, 400, 1000, 1004, 3000])
@pytest.mark.parametrize("lost", [{10}, {10, 11}, {10, 12}])
def test_a_lost_packet_makes_no_click(frequency: float, lost: set[int]) -> None:
    sound = tone(frequency, 4800)
    steepest = float(np.abs(np.diff(sound)).max())

    heard = through_a_gap(sound, lost)

    assert np.abs(np.diff(heard)).max() <= 1.3 * steepest + 0.01


@pytest.mark.parametrize("frequency", [200, 400, 1000])
def test_a_steady_tone_goes_on_through_a_lost_packet(frequency: float) -> None:
    sound = tone(frequency, 4800)

    heard = through_a_gap(sound, {12})

    gap = slice(12 * BLOCK, 12 * BLOCK + 80)  # the first 10 ms are not attenuated
    error = heard[gap] - sound[gap]
    assert float(error @ error) < 0.01 * float(sound[gap] @ sound[gap])


def test_noise_is_continued_at_about_its_level() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 4800).astype(np.float32)

    heard = through_a_gap(noise, {12})

    level = heard[12 * BLOCK : 12 * BLOCK + 80].std()
    assert 0.05 < level < 0.15


def test_a_long_gap_fades_into_silence_and_out_of_it() -> None:
    sound = tone(400, 6400)

    heard = through_a_gap(sound, set(range(10, 20)))

    silent_from = 10 * BLOCK + round(FADED * RATE)
    assert not heard[silent_from : 20 * BLOCK].any()
    assert np.abs(np.diff(heard)).max() < 1.3 * np.abs(np.diff(sound)).max()
    assert np.array_equal(heard[21 * BLOCK :], sound[21 * BLOCK :])


def test_before_anything_was_heard_there_is_silence() -> None:
    concealer = Concealer(RATE)

    assert not concealer.conceal(BLOCK).any()
    first = concealer.hear(np.full(BLOCK, 0.5, np.float32))
    assert abs(first[0]) < 0.05
    assert first[-1] == 0.5


def test_a_gap_of_nothing_softens_the_seam_between_two_sounds() -> None:
    concealer = Concealer(RATE)
    concealer.hear(np.full(BLOCK, 0.5, np.float32))

    concealer.conceal(0)
    after = concealer.hear(np.full(BLOCK, -0.5, np.float32))

    assert after[0] == pytest.approx(0.5, abs=0.1)
    assert np.abs(np.diff(after)).max() < 0.1
    assert after[-1] == -0.5


def test_blocks_of_any_length_work() -> None:
    sound = tone(300, 4800)

    heard = through_a_gap(sound, {30, 31}, block=40)

    assert heard.size == sound.size
    assert np.abs(np.diff(heard)).max() < 0.25
