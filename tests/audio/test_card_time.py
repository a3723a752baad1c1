"""When samples are heard, by cards that say it well and badly."""

import random
from itertools import pairwise

import pytest

from sipstrobe.audio.card_time import BELIEVED, CardTime
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.ring import SampleRing

PERIOD = 480  # samples


def periods(ring: SampleRing, count: int, since: float, noise: float = 0.0) -> list[float]:
    """A card takes one after the other, and errs about when; what is thought of each."""
    chance, card, found = random.Random(1), CardTime(ring), list[float]()
    for n in range(1, count + 1):
        at = since + n * PERIOD / SAMPLE_RATE
        ring.upcoming = (n * PERIOD, at + chance.uniform(-noise, noise))
        begin = card.of(0)
        assert begin is not None
        assert card.of(0) == begin  # to look twice makes no difference
        found.append(begin)
    return found


def test_nothing_is_known_before_the_card_has_taken_up_the_ring() -> None:
    assert CardTime(SampleRing(PERIOD)).of(0) is None


def test_an_exact_card_is_followed_exactly() -> None:
    assert periods(SampleRing(PERIOD), 100, 5.0) == pytest.approx([5.0] * 100, abs=1e-9)


def test_an_uneven_card_is_followed_evenly() -> None:
    found = periods(SampleRing(PERIOD), 400, 5.0, noise=0.002)

    assert found[100:] == pytest.approx([5.0] * 300, abs=0.0015)
    steps = [abs(b - a) for a, b in pairwise(found)]
    assert max(steps) < 0.0004


def test_a_single_lie_is_not_believed() -> None:
    ring = SampleRing(PERIOD)
    card = CardTime(ring)
    for n in range(1, 10):
        ring.upcoming = (n * PERIOD, 5.0 + n * 0.01)
        card.of(0)

    ring.upcoming = (10 * PERIOD, 5.10 + 0.050)
    assert card.of(0) == pytest.approx(5.0)
    ring.upcoming = (11 * PERIOD, 5.11)

    assert card.of(0) == pytest.approx(5.0)


def test_a_gap_is_believed_when_it_stays() -> None:
    """The ring ran dry between two looks."""
    ring = SampleRing(PERIOD)
    card = CardTime(ring)
    ring.upcoming = (PERIOD, 5.01)
    card.of(0)

    found: list[float | None] = []
    for n in range(2, 4 + BELIEVED):
        ring.upcoming = (n * PERIOD, 5.0 + n * 0.01 + 0.050)
        found.append(card.of(0))

    assert found[0] == pytest.approx(5.0)
    assert found[-1] == pytest.approx(5.05)


def test_what_rests_begins_anew_at_once() -> None:
    """What is hidden, or has not begun: each period of the card puts it off by one."""
    ring = SampleRing(PERIOD)
    card = CardTime(ring)
    ring.upcoming = (PERIOD, 5.01)
    card.of(0)

    ring.upcoming = (PERIOD, 9.0)

    assert card.of(PERIOD) == pytest.approx(9.0)
    assert card.of(2 * PERIOD) == pytest.approx(9.01)
