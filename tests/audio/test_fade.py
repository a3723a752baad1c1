"""Changes of gain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.fade import FADE_SAMPLES, RISE_SAMPLES, Fade
from sipstrobe.audio.format import Samples


def _faded(fade: Fade, goal: float, *sizes: int) -> Samples:
    """What becomes of a constant 1 in blocks of these sizes: the gain itself."""
    blocks = [np.ones(size, np.float32) for size in sizes]
    for block in blocks:
        fade.apply(block, goal)
    return np.concatenate(blocks)


def test_a_fade_arrives_exactly_after_5_ms_without_step_or_corner() -> None:
    gains = _faded(Fade(0.0), 1.0, 480)

    assert FADE_SAMPLES == 240
    assert gains[0] < 0.001
    assert np.all(gains[FADE_SAMPLES - 1 :] == 1.0)
    assert np.abs(np.diff(gains)).max() < 0.007
    assert np.abs(np.diff(gains, n=2)).max() < 0.0002


def test_a_gain_that_is_reached_leaves_the_samples_alone() -> None:
    fade = Fade(1.0)
    block = np.random.default_rng(1).uniform(-1, 1, 240).astype(np.float32)
    before = block.copy()

    fade.apply(block, 1.0)

    assert np.array_equal(block, before)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_course_of_a_fade_does_not_depend_on_the_blocks(sizes: list[int]) -> None:
    for start, goal in ((1.0, 0.0), (0.5, 1.0)):
        whole = _faded(Fade(start), goal, sum(sizes))
        assert np.array_equal(_faded(Fade(start), goal, *sizes), whole)


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from([0.0, 0.25, 1.0])), max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_new_goal_on_the_way_starts_from_where_the_gain_is(
    steps: list[tuple[int, float]],
) -> None:
    fade = Fade(0.0)
    gains = np.concatenate([np.zeros(1), *(_faded(fade, goal, size) for size, goal in steps)])

    assert np.abs(np.diff(gains)).max(initial=0.0) < 0.007
    assert fade.gain == pytest.approx(gains[-1], abs=1e-6)


def test_what_comes_back_to_its_place_takes_200_ms_and_what_makes_room_5() -> None:
    fade = Fade(0.25)

    risen = _faded(fade, 1.0, *[480] * 30)
    fallen = _faded(fade, 0.25, 480)

    assert RISE_SAMPLES == 9600
    assert risen[RISE_SAMPLES // 2 - 1] == pytest.approx(0.625, abs=1e-3)
    assert np.all(risen[RISE_SAMPLES - 1 :] == 1.0)
    assert np.abs(np.diff(risen)).max() < 0.0002
    assert np.all(fallen[FADE_SAMPLES - 1 :] == 0.25)
