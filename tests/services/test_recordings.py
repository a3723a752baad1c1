"""Files for callers to hear: whatever their rate, they come out at 48 kHz and at the same pitch."""

import wave
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.errors import MediaError
from sipstrobe.io.wavfile import WavWriter
from sipstrobe.services.recordings import LONGEST, load_recording
from tests.support.hear import tone_db


def written(path: Path, rate: int, seconds: float = 0.5, frequency: float = 440.0) -> Path:
    """A WAV file with a tone of half the full scale."""
    at = np.arange(round(rate * seconds)) / rate
    writer = WavWriter(path, rate)
    writer.write((0.5 * np.sin(2 * np.pi * frequency * at)).astype(np.float32))
    writer.close()
    return path


@pytest.mark.parametrize("rate", [8000, 16_000, 24_000, 48_000])
def test_every_rate_comes_out_at_48_khz(tmp_path: Path, rate: int) -> None:
    samples = load_recording(written(tmp_path / "tone.wav", rate))

    assert samples.dtype == np.float32
    assert samples.size == 24_000
    middle = samples[4800:19_200].astype(np.float64)
    assert tone_db(middle, 440) == pytest.approx(-9.03, abs=0.1)
    assert tone_db(middle, 440 * 2) < -60


def test_two_channels_become_one(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "stereo.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.array([[8192, 0], [0, -8192]], "<i2").tobytes())

    assert load_recording(tmp_path / "stereo.wav").tolist() == [0.125, -0.125]


def test_44100_hz_is_refused_in_words(tmp_path: Path) -> None:
    path = written(tmp_path / "music.wav", 44_100)
    with pytest.raises(MediaError) as refused:
        load_recording(path)
    assert str(refused.value) == f"{path} has 44100 Hz; 8, 16, 24, 48 kHz are understood"


def test_what_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    writer = WavWriter(path, 8000)
    writer.write_silence(8000 * round(LONGEST) + 8000)
    writer.close()

    with pytest.raises(MediaError, match="lasts 601 s; at most 600 s are taken"):
        load_recording(path)


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("la la la")

    with pytest.raises(MediaError, match=r"text.wav cannot be used: it is not a WAV file"):
        load_recording(tmp_path / "text.wav")
    with pytest.raises(MediaError, match=r"none.wav cannot be read: No such file"):
        load_recording(tmp_path / "none.wav")
