"""Each codec with somebody else's: what baresip says is heard here, and what we say is heard there.

G.726-32 is not among them: this baresip packs its codes as AAL2 does and calls that G726-32, which
RFC 3551 §4.5.4 warns of. Its bits are compared with FFmpeg's where the codec is tested.
"""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.device import RATE, Device
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import on_time
from tests.support.hear import (
    Samples,
    largest_step,
    loud_spans,
    residual_db,
    tone_db,
)

pytestmark = pytest.mark.interop

SECONDS = 1.4  # of each call
SETTLED = 0.4  # seconds at the edges, in which the jitter buffer finds its depth
GAP = 0.05
PIECE = 0.05  # seconds
SAID, GREETING = 1020.0, 600.0  # Hz
EXPECTED = pytest.approx(TONE_DB, abs=0.5)


class Spoken(NamedTuple):
    """What baresip calls it."""

    name: str
    module: str
    rate: int
    snr_db: float  # of a tone, at the least
    config: tuple[str, ...] = ()


CODECS = {
    "opus": Spoken(
        "opus/48000/1",
        "opus",
        48000,
        25.0,
        ("opus_stereo no", "opus_sprop_stereo no", "opus_inbandfec yes"),
    ),
    "G722": Spoken("G722/16000/1", "g722", 16000, 35.0),
    "L16/16000": Spoken("L16/16000/1", "l16", 16000, 45.0),
    "L16/8000": Spoken("L16/8000/1", "l16", 8000, 45.0),
}


def steady(sound: Samples, rate: int, margin: float, atleast: float) -> Samples:
    """The one span in which something is heard, without its edges."""
    spans = [span for span in loud_spans(sound, rate) if span[1] - span[0] > GAP]
    assert len(spans) == 1, f"gaps between {spans}"
    start, end = spans[0]
    assert end - start > atleast
    return sound[round((start + margin) * rate) : round((end - margin) * rate)]


def judged(sound: Samples, hertz: float, snr_least: float) -> str:
    """As loud as it was said all along, without clicks, and the tone far above all else."""
    size = round(PIECE * RATE)
    pieces = list(sound[: len(sound) // size * size].reshape(-1, size))
    levels = [tone_db(piece, hertz) for piece in pieces]
    snr = -float(np.median([residual_db(piece, hertz) for piece in pieces]))
    assert [min(levels), max(levels)] == [EXPECTED, EXPECTED]
    assert snr > snr_least
    steepest = 10 ** (TONE_DB / 20) * np.sqrt(2) * 2 * np.sin(np.pi * hertz / RATE)
    assert largest_step(sound) < 1.25 * steepest
    return f"{min(levels):.2f} … {max(levels):.2f} dB, SNR {snr:.1f} dB"


@pytest.fixture(scope="module")
def talking(demo: Device, tmp_path_factory: pytest.TempPathFactory) -> Device:
    """It knows all of the codecs, and greets each caller."""
    greeting = write_tone(tmp_path_factory.mktemp("said") / "hello.wav", [GREETING], seconds=0.5)
    demo.set("/sip/accounts/0/codecs", list(CODECS))
    demo.set("/audio/greeting", str(greeting))
    return demo


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_both_ways(
    talking: Device, tmp_path: Path, figures: dict[str, str], name: str
) -> None:
    spoken = CODECS[name]
    said = write_tone(tmp_path / "said.wav", [SAID], seconds=20.0, rate=spoken.rate)

    def story() -> str:
        folder = tmp_path / f"phone-{time.monotonic_ns()}"
        with baresip(
            folder,
            source=said,
            record=True,
            codecs=spoken.name,
            modules=[spoken.module],
            config=spoken.config,
        ) as phone:
            began = time.monotonic()
            phone.dial(talking.uri("1099"))
            time.sleep(SECONDS)
            assert [call["codec"] for call in talking.calls] == [name]
            assert [call["audio"]["verdict"] for call in talking.calls] == ["ok"]
            phone.hang_up()
            ours = talking.heard(began, time.monotonic() + 0.2)
            theirs, rate = phone.heard(), spoken.rate
        words = judged(steady(ours, RATE, SETTLED, SECONDS - 0.4), SAID, spoken.snr_db)
        middle = steady(theirs, rate, 0.1, 0.35)
        assert tone_db(middle, GREETING, rate) == EXPECTED
        return f"{words}; our greeting there {tone_db(middle, GREETING, rate):.2f} dB"

    figures[f"baresip, {name}, both ways at {TONE_DB:g} dB"] = on_time(talking, story)
