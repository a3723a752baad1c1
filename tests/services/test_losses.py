"""Packets that are lost, one to ten in a row, at every codec and length: what the ear forgives."""

from itertools import pairwise

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.audio.latency import NORMAL
from sipstrobe.codecs.conceal import FADED
from sipstrobe.codecs.registry import CODECS
from sipstrobe.sdp.formats import SOUNDS
from tests.codecs.signals import level_db, speech_like
from tests.services.test_stream_codecs import Listener, agreed
from tests.support.hear import largest_step

BEFORE, AFTER = 0.6, 0.5  # seconds of voice
MOST = 10  # packets lost in a row
BLOCK = 480  # samples: 10 ms
FADED_AFTER = round(100 * FADED) + 1  # blocks; Opus sinks into noise by then
LENGTHS = (0.010, 0.020, 0.040, 0.060)
CASES = [
    pytest.param(name, ptime, id=f"{name}-{1e3 * ptime:.0f}")
    for name in CODECS
    for ptime in LENGTHS
    if round(1000 * ptime) in SOUNDS[name].ptimes_ms
]


def through_a_gap(name: str, ptime: float, lost: int) -> Samples:
    """What is heard of a voice of which so many packets are missing, at 48 kHz; the first of them
    would be heard BEFORE after the beginning, to within a packet."""
    codec, bench = CODECS[name], Listener(shortest=NORMAL.wait)
    bench.stream.start(agreed(name))
    size, first = round(ptime * codec.sample_rate), round(BEFORE / ptime)
    voice = speech_like(codec.sample_rate, BEFORE + AFTER + MOST * ptime)
    encoder = codec.encoder("")
    for n in range(voice.size // size):
        payload = encoder.encode(voice[n * size : (n + 1) * size])
        missing = first <= n < first + lost
        bench.say(payload, round(ptime * codec.clock_rate), ptime, lost=missing)
    assert bench.stream.statistics.lost == lost
    heard = np.concatenate(bench.heard)
    start = int(np.argmax(np.abs(heard) > 0.01)) - ptime_samples(ptime)
    return heard[max(start, 0) :]


def ptime_samples(ptime: float) -> int:
    return round(ptime * 48000)


@pytest.mark.parametrize(("name", "ptime"), CASES)
def test_a_gap_makes_no_click_and_fades(name: str, ptime: float) -> None:
    """No step is larger than those of the voice itself, and what is made up grows softer."""
    whole = through_a_gap(name, ptime, 0)
    steepest = largest_step(whole.astype(np.float64))
    for lost in (1, 2, 3, 5, 10):
        heard = through_a_gap(name, ptime, lost)

        assert (
            largest_step(heard.astype(np.float64)) < (2.5 if name == "G726-32" else 1.1) * steepest
        ), lost
        gap = heard[round(BEFORE * 48000) :][: lost * ptime_samples(ptime)]
        levels = [level_db(block) for block in np.split(gap, gap.size // BLOCK)]
        assert all(later < earlier + 6 for earlier, later in pairwise(levels)), lost
        faded = levels[FADED_AFTER + round(100 * ptime) :] or [-200.0]
        assert max(faded) < (-34 if name == "opus" else -100), lost
        rest = heard[round((BEFORE + 0.2) * 48000) + gap.size :]
        assert level_db(rest) == pytest.approx(level_db(whole[-rest.size :]), abs=1.5), lost
