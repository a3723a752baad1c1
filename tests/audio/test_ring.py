"""The ring between the loop and the card."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.format import Samples
from sipstrobe.audio.ring import HISTORY, SampleRing


def _ramp(start: int, count: int) -> Samples:
    return np.arange(start, start + count, dtype=np.float32)


def _read(ring: SampleRing, count: int) -> list[float]:
    out = np.full(count, -1.0, np.float32)
    return out[: ring.read_into(out)].tolist()


def test_samples_come_out_in_the_order_they_went_in() -> None:
    ring = SampleRing(1000)

    assert ring.write(_ramp(1, 700)) == 700

    assert (ring.fill, ring.space) == (700, 300)
    assert _read(ring, 480) == _ramp(1, 480).tolist()
    assert _read(ring, 480) == _ramp(481, 220).tolist()
    assert (ring.written, ring.consumed, ring.fill) == (700, 700, 0)


def test_a_full_ring_takes_the_first_samples_and_refuses_the_rest() -> None:
    ring = SampleRing(100)

    assert ring.write(_ramp(0, 70)) == 70
    assert ring.write(_ramp(70, 70)) == 30
    assert ring.write(_ramp(100, 10)) == 0

    assert _read(ring, 200) == _ramp(0, 100).tolist()


def test_skipped_samples_count_as_consumed() -> None:
    ring = SampleRing(100)
    ring.write(_ramp(0, 50))

    assert ring.skip(20) == 20
    assert _read(ring, 10) == _ramp(20, 10).tolist()
    assert ring.skip(99) == 20
    assert ring.consumed == 50


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), max_size=40))
@settings(max_examples=60, deadline=None)
def test_whatever_the_sizes_nothing_is_lost_doubled_or_reordered(
    steps: list[tuple[int, int]],
) -> None:
    ring = SampleRing(777)
    heard: list[float] = []

    for written, read in steps:
        ring.write(_ramp(ring.written, written))
        heard += _read(ring, read)
        assert ring.fill + ring.space == ring.capacity

    assert heard == _ramp(0, ring.consumed).tolist()


def test_what_was_played_last_can_be_looked_at_again() -> None:
    ring = SampleRing(5000)
    ring.write(_ramp(1, 100))
    _read(ring, 60)

    assert ring.recent(80).tolist() == [0.0] * 20 + _ramp(1, 60).tolist()
    assert ring.recent(10**6).size == HISTORY


@given(st.lists(st.integers(0, 900), max_size=30), st.integers(0, 240), st.integers(0, 240))
@settings(max_examples=60, deadline=None)
def test_the_mirror_goes_back_from_the_last_sample_even_when_the_ring_is_full(
    reads: list[int], skipped: int, count: int
) -> None:
    ring = SampleRing(1000)
    for read in reads:
        ring.write(_ramp(ring.written + 1, ring.space))
        _read(ring, read)
    ring.write(_ramp(ring.written + 1, ring.space))

    out = np.full(count, -1.0, np.float32)
    ring.mirror_into(out, skipped)

    newest = ring.consumed - skipped
    assert out.tolist() == [max(float(newest - back), 0.0) for back in range(count)]
    assert ring.recent(count + skipped)[:count][::-1].tolist() == out.tolist()


def test_the_writer_can_look_back_at_what_it_wrote() -> None:
    """As far as the capacity reaches, whether it was read or not."""
    ring = SampleRing(1000)
    for start in range(0, 5000, 500):
        ring.write(_ramp(start, 500))
        assert ring.written_since(start).tolist() == _ramp(start, 500).tolist()
        ring.skip(500)

    assert ring.written_since(5000).size == 0
    assert ring.written_since(0).tolist() == _ramp(4000, 1000).tolist()


@pytest.mark.no_cover
def test_two_threads_share_it_without_a_lock() -> None:
    ring = SampleRing(1500)
    total = 200_000
    heard: list[Samples] = []

    def card() -> None:
        out = np.zeros(480, np.float32)
        while sum(map(len, heard)) < total:
            heard.append(out[: ring.read_into(out)].copy())

    reader = threading.Thread(target=card)
    reader.start()
    while ring.written < total:
        ring.write(_ramp(ring.written, min(160, total - ring.written)))
    reader.join(timeout=20)

    assert np.array_equal(np.concatenate(heard), _ramp(0, total))
