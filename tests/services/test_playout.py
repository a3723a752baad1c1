"""A sender, a network that misbehaves and a sound card, each with its own clock: what is heard."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.services.line import RATE, START, Line, tone

WIDE = 48000
AMPLITUDE = 0.25
STEEPEST = AMPLITUDE * 2 * np.pi * 1000 / WIDE  # of a 1 kHz tone, between two samples


def steady(
    heard: NDArray[np.float32], line_seconds: float, after: float = 1.0
) -> NDArray[np.float32]:
    """What was heard from `after` on, without the end."""
    return heard[round((START + after) * WIDE) : round((START + line_seconds - 0.1) * WIDE)]


def quality(heard: NDArray[np.float32], frequency: float = 1000.0) -> tuple[float, float, float]:
    """Worst signal-to-noise ratio, lowest and highest level in dB against what was sent, of all
    pieces of 100 ms; each against a pure tone of the frequency that it really has."""
    size = WIDE // 10
    at = np.arange(size) / WIDE
    window = np.hanning(size // 2)
    ratios: list[float] = []
    levels: list[float] = []
    for start in range(0, heard.size - size, size):
        piece = heard[start : start + size].astype(np.float64)
        found = frequency
        for _ in range(3):
            turned = piece * np.exp(-2j * np.pi * found * at)
            early, late = turned[: size // 2] @ window, turned[size // 2 :] @ window
            found += float(np.angle(late * np.conj(early))) / (2 * np.pi * at[size // 2])
        assert abs(found - frequency) < 0.005 * frequency
        basis = np.stack([np.cos(2 * np.pi * found * at), np.sin(2 * np.pi * found * at)], 1)
        pure = basis @ np.linalg.lstsq(basis, piece, rcond=None)[0]
        ratios.append(10 * np.log10(pure.var() / ((piece - pure).var() + 1e-12)))
        levels.append(20 * np.log10(pure.std() / (AMPLITUDE / 2**0.5)))
    return min(ratios), min(levels), max(levels)


def some(largest: float) -> Callable[[int], float]:
    """A delay between 0 and the largest, the same in each run."""
    delays = random.Random(5)
    return lambda number: delays.random() * largest


def test_on_a_quiet_network_the_tone_arrives_as_it_was_sent() -> None:
    line = Line()

    heard = steady(line.run(tone(1000, 20), some(0.001)), 20)

    ratio, lowest, highest = quality(heard)
    assert ratio > 45
    assert -0.2 < lowest <= highest < 0.2
    assert np.abs(np.diff(heard)).max() < 1.05 * STEEPEST
    assert line.dry == 0
    assert line.jitter.concealed <= 0.07 * RATE  # at the end only
    assert line.latency.quantile(0.99) < 0.040


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("sender_ppm", "card_ppm"), [(200, 0), (-200, 0), (0, 200), (0, -200), (200, -200)]
)
def test_clocks_that_differ_are_not_heard(sender_ppm: float, card_ppm: float) -> None:
    """Two minutes at 200 ppm are 24 ms: more than the ring ever holds in reserve."""
    line = Line(sender_ppm=sender_ppm, card_ppm=card_ppm)

    heard = steady(line.run(tone(1000, 120), some(0.001)), 120)

    ratio, lowest, highest = quality(heard)
    assert ratio > 25
    assert -0.2 < lowest <= highest < 0.2
    assert np.abs(np.diff(heard)).max() < 1.05 * STEEPEST
    assert line.dry == 0
    assert line.jitter.concealed <= 0.08 * RATE
    assert max(line.depths) < 0.060
    assert abs(line.jitter.slack - line.jitter.target) < 0.010


def test_jitter_raises_the_target_and_is_not_heard() -> None:
    line = Line()

    heard = steady(line.run(tone(1000, 60), some(0.040)), 60, after=20)

    ratio, lowest, highest = quality(heard)
    assert 0.040 < line.jitter.target < 0.060
    assert line.dry == 0
    assert max(line.depths) < 0.110
    assert ratio > 20
    assert -0.2 < lowest <= highest < 0.2
    assert np.abs(np.diff(heard)).max() < 1.1 * STEEPEST


def test_after_the_jitter_the_delay_goes_back() -> None:
    line = Line()
    jitter = some(0.060)

    line.run(tone(1000, 60), lambda n: jitter(n) if n < 1000 else 0.0)

    assert line.jitter.target == line.jitter.shortest
    assert line.jitter.slack < 0.040


def test_lost_packets_are_filled_without_clicks() -> None:
    line = Line()
    chance = random.Random(2)

    heard = line.run(tone(1000, 20), lambda n: None if chance.random() < 0.05 else 0.0)

    heard = steady(heard, 20)
    assert np.abs(np.diff(heard)).max() < 1.3 * STEEPEST
    level = float(np.sqrt((heard**2).mean())) / (AMPLITUDE / 2**0.5)
    assert level == pytest.approx(1.0, abs=0.03)
    assert line.dry == 0


def test_reordered_and_repeated_packets_are_put_right() -> None:
    line = Line()

    heard = line.run(tone(1000, 20), lambda n: 0.025 if n % 10 == 0 else 0.0)

    heard = steady(heard, 20, after=5)
    assert quality(heard)[0] > 20
    assert line.dry == 0


def test_a_stalled_network_recovers_without_garbage() -> None:
    """200 ms of nothing, then all at once."""
    line = Line()

    heard = line.run(tone(1000, 20), lambda n: max(0.0, (410 - n) * 0.02) if 400 <= n < 410 else 0)

    assert np.abs(np.diff(heard)).max() < 1.3 * STEEPEST
    assert line.dry == 0
    assert max(line.depths) < 0.230
    assert line.jitter.slack < 0.040
    assert quality(steady(heard, 20, after=14))[0] > 20


@pytest.mark.parametrize("period", [128, 240, 480, 960])
def test_cards_take_their_sound_in_portions_of_any_size(period: int) -> None:
    line = Line(period=period)

    heard = steady(line.run(tone(1000, 20), some(0.001)), 20)

    assert quality(heard)[0] > 25
    assert line.dry == 0
