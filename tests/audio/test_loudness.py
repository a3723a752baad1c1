"""EBU R 128 against figures of the standard, and against FFmpeg's meter as an oracle."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.loudness import LoudnessMeter, normalising_gain_db

TIME = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE


def sine(hertz: float, level_db: float, seconds: float = 6.0) -> Samples:
    """level_db: of its peak."""
    t = TIME[: round(seconds * SAMPLE_RATE)]
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def measured(sound: Samples, block: int = 7777) -> tuple[float | None, float]:
    meter = LoudnessMeter()
    for start in range(0, sound.size, block):
        meter.feed(sound[start : start + block])
    return meter.loudness, meter.true_peak_db


def by_ffmpeg(sound: Samples, folder: Path) -> tuple[float, float]:
    """Integrated loudness and true peak by another's meter; to 0.1."""
    path = folder / "sound.f32"
    path.write_bytes(sound.astype("<f4").tobytes())
    command = ["ffmpeg", "-hide_banner", "-nostats", *("-f", "f32le", "-ar", "48000", "-ac", "1")]
    done = subprocess.run(
        [*command, "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    summary = done.stderr[done.stderr.rindex("Summary") :]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness
    assert peak
    return float(loudness[1]), float(peak[1])


def speech_like() -> NDArray[np.float64]:
    """Bursts of coloured noise with pauses between."""
    noise = np.random.default_rng(7).standard_normal(TIME.size)
    bursts = np.maximum(0.0, np.sin(2 * np.pi * 1.3 * TIME)) * (np.mod(TIME, 3.0) < 2.0)
    return 0.2 * np.convolve(noise, np.ones(12) / 3.5, "same") * bursts


def test_a_sine_of_997_hz_at_full_scale_has_minus_3_01_lufs() -> None:
    """BS.1770-4, Annex 1: the constant −0.691 is there for that."""
    loudness, peak = measured(sine(997.0, 0.0))

    assert loudness == pytest.approx(-3.01, abs=0.03)
    assert peak == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(
    "sound",
    [
        sine(50.0, -6.0),
        sine(997.0, -23.0),
        sine(8000.0, -12.0),
        0.05 * np.random.default_rng(1).standard_normal(TIME.size),
        speech_like(),
        np.concatenate([sine(400.0, -10.0, 2.0), sine(400.0, -55.0, 4.0)]),
        np.concatenate([sine(400.0, -40.0, 3.0), sine(400.0, -12.0, 1.0)]),
    ],
    ids=["low", "tone", "high", "noise", "speech", "gated pause", "gated murmur"],
)
def test_it_agrees_with_another_meter(sound: Samples, tmp_path: Path) -> None:
    """PRB-05: what people are shown is what any meter would show them."""
    to_edge = np.minimum(np.arange(sound.size), np.arange(sound.size)[::-1])
    sound = (sound * np.minimum(to_edge / 480, 1.0)).astype(np.float32)  # no edge to argue about
    loudness, peak = measured(sound)

    expected_loudness, expected_peak = by_ffmpeg(sound, tmp_path)
    assert loudness == pytest.approx(expected_loudness, abs=0.1)
    assert peak == pytest.approx(expected_peak, abs=0.25)


def test_the_peak_between_the_samples_is_seen() -> None:
    """BS.1770-4, Annex 2: a quarter of the rate at 45° has no sample above −3 dB of its peak."""
    sound = np.sin(np.pi / 2 * np.arange(48000) + np.pi / 4).astype(np.float32)
    sound *= np.minimum(1.0, np.arange(48000)[::-1] / 4800).astype(np.float32)  # no hard edge
    sound *= np.minimum(1.0, np.arange(48000) / 4800).astype(np.float32)

    assert np.abs(sound).max() == pytest.approx(0.7071, abs=0.001)
    assert measured(sound)[1] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("block", [1, 480, 28800, 10**6])
def test_how_it_is_cut_into_blocks_changes_nothing(block: int) -> None:
    sound = sine(440.0, -18.0, 0.7)

    assert measured(sound, block) == pytest.approx(measured(sound), abs=1e-6)


def test_a_peak_on_the_very_last_sample_is_seen() -> None:
    sound = np.zeros(28801, np.float32)
    sound[-1] = 0.5

    assert measured(sound)[1] >= -6.03


@pytest.mark.parametrize(
    "sound", [np.zeros(96000, np.float32), sine(997.0, -20.0, 0.39), np.zeros(0, np.float32)]
)
def test_what_is_silent_or_shorter_than_a_block_has_no_loudness(sound: Samples) -> None:
    assert measured(sound)[0] is None


def test_a_clip_is_brought_to_a_loudness_as_far_as_its_peaks_allow() -> None:
    """CLP-07; EBU R 128 §h: never above −1 dBTP."""
    assert normalising_gain_db(-30.0, -20.0, target=-20.0) == 10.0
    assert normalising_gain_db(-12.0, -1.0, target=-20.0) == -8.0
    assert normalising_gain_db(-30.0, -5.0, target=-20.0) == 4.0
    assert normalising_gain_db(None, -5.0, target=-20.0) == 0.0
