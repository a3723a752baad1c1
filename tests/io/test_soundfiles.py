"""What sound files are taken, and what is said of the others (CLP-03…05, PRB-04, AMB-01)."""

import random
import struct
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.errors import MediaError
from sipstrobe.io import soundfiles
from sipstrobe.io.soundfiles import Samples, SoundForm, open_sound
from tests.support.hear import level_db, tone_db
from tests.support.sound_files import ENCODERS, make, make_kind, tone

SAME = ("-af", "pan=stereo|c0=c0|c1=c0")  # where there are two channels, both have the tone


def read(path: Path) -> tuple[SoundForm, Samples]:
    with open_sound(path) as (form, blocks):
        return form, np.concatenate(list(blocks))


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as refused:
        read(path)
    return str(refused.value)


@pytest.mark.parametrize("kind", ENCODERS)
def test_every_kind_is_read_whole(kind: str, tmp_path: Path) -> None:
    """AMB-01: all the five kinds of the library, and flac."""
    form, sound = read(make_kind(tmp_path, kind))

    assert form.format == kind
    assert form.channels == 1
    assert sound.size / form.sample_rate == pytest.approx(1.0, abs=0.03)
    middle = sound[sound.size // 4 : -sound.size // 4].astype(np.float64)
    assert tone_db(middle, 1000.0, form.sample_rate) == pytest.approx(-15.05, abs=0.6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("u8.wav", ("-c:a", "pcm_u8", "-ar", "8000")),
        ("stereo.wav", ("-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2")),
        ("mulaw.wav", ("-c:a", "pcm_mulaw", "-ar", "8000")),
        ("wide.au", ("-c:a", "pcm_mulaw", "-ar", "16000")),
        ("pcm.au", ("-c:a", "pcm_s16be", "-ar", "16000")),
        ("64.mp3", ("-b:a", "64k", "-ar", "48000")),
        ("320.mp3", ("-b:a", "320k", "-ac", "2")),
        ("narrow.mp3", ("-b:a", "64k", "-ar", "8000")),
        ("variable.mp3", ("-q:a", "2")),
        ("stereo.opus", ("-c:a", "libopus", "-ac", "2")),
        ("24.flac", ("-sample_fmt", "s32", "-bits_per_raw_sample", "24")),
    ],
)
def test_what_lies_within_the_limits_is_taken(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    form, sound = read(make(tmp_path / name, tone(440.0), *options, *SAME))

    middle = sound[sound.size // 4 : -sound.size // 4].astype(np.float64)
    assert level_db(middle) == pytest.approx(-15.05, abs=0.6)
    assert 8000 <= form.sample_rate <= 48000


@pytest.mark.parametrize(
    ("name", "options", "fault"),
    [
        ("24.wav", ("-c:a", "pcm_s24le"), "wav of the kind Signed 24 bit PCM"),
        ("float.wav", ("-c:a", "pcm_f32le"), "wav of the kind 32 bit float"),
        ("fast.wav", ("-c:a", "pcm_s16le", "-ar", "96000"), "has 96000 Hz"),
        ("slow.wav", ("-c:a", "pcm_s16le", "-ar", "6000"), "has 6000 Hz"),
        ("many.wav", ("-c:a", "pcm_s16le", "-ac", "6"), "has 6 channels"),
        ("cd.au", ("-c:a", "pcm_mulaw", "-ar", "44100"), "has 44100 Hz"),
        ("alaw.au", ("-c:a", "pcm_alaw", "-ar", "8000"), "au of the kind A-Law"),
        ("thin.mp3", ("-b:a", "32k", "-ar", "16000"), "has 32 kbit/s"),
        ("clip.aiff", (), "none of the known kinds"),
        ("clip.m4a", ("-c:a", "aac"), "none of the known kinds"),
        ("ogg.oga", ("-c:a", "flac", "-f", "ogg"), "none of the known kinds"),
    ],
)
def test_a_refusal_names_the_fault_and_what_is_accepted(
    name: str, options: tuple[str, ...], fault: str, tmp_path: Path
) -> None:
    """PRB-04."""
    said = refusal(make(tmp_path / name, tone(), *options))

    assert fault in said
    for kind in ENCODERS:
        assert kind in said
    assert "8 to 48 kHz" in said
    assert "20 minutes and 100 MB" in said


def test_sound_far_beyond_full_scale_is_refused(tmp_path: Path) -> None:
    """Nothing else would be heard for as long as the limiter keeps it down."""
    assert read(make_kind(tmp_path, "vorbis", tone(amplitude=1.5)))[1].max() > 1.2

    assert "12 dB beyond" in refusal(make_kind(tmp_path, "vorbis", tone(amplitude=8)))


@pytest.mark.parametrize("kind", ["wav", "au", "flac"])
def test_a_file_that_was_cut_short_is_not_taken(kind: str, tmp_path: Path) -> None:
    path = make_kind(tmp_path, kind, tone(seconds=3))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    said = refusal(path)

    assert "cut short" in said or "cannot be decoded" in said


def test_a_wav_file_that_was_written_into_a_pipe_has_no_length_and_is_taken(
    tmp_path: Path,
) -> None:
    data = bytearray(make_kind(tmp_path, "wav").read_bytes())
    data[4:8] = b"\xff\xff\xff\xff"
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path = tmp_path / "piped.wav"
    path.write_bytes(data)

    assert read(path)[1].size == 48000


def test_hours_of_silence_in_a_small_file_are_refused_unread(tmp_path: Path) -> None:
    """A bomb: its header owns up to it."""
    bomb = make(tmp_path / "bomb.flac", "anullsrc=r=8000:cl=mono", "-t", "10000")
    assert bomb.stat().st_size < 2_000_000

    assert "lasts 166.7 minutes" in refusal(bomb)


def test_nor_may_a_file_be_longer_than_it_says(tmp_path: Path) -> None:
    """The same, with a header that says: of unknown length."""
    bomb = make(tmp_path / "bomb.flac", "anullsrc=r=8000:cl=mono", "-t", "1300")
    data = bytearray(bomb.read_bytes())
    data[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    data[22:26] = bytes(4)
    bomb.write_bytes(data)

    assert "longer than 20 minutes" in refusal(bomb)


def test_a_click_is_no_clip(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "click.wav"), "wb") as wav:
        wav.setparams((1, 2, 8000, 0, "NONE", ""))
        wav.writeframes(bytes(2 * 399))

    assert "too short" in refusal(tmp_path / "click.wav")


def test_a_file_that_is_too_large_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 0) + b"WAVE")
        file.truncate(soundfiles.MAX_BYTES + 1)

    assert "has 100.0 MB" in refusal(path)


@pytest.mark.parametrize("kind", ENCODERS)
def test_damage_is_refused_or_survived(kind: str, tmp_path: Path) -> None:
    """Bytes from outside raise MediaError and nothing else; a crash would end this test."""
    whole = make_kind(tmp_path, kind, tone(seconds=0.3)).read_bytes()
    chance = random.Random(kind)
    path = tmp_path / "damaged"
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
        path.write_bytes(data[: chance.randint(1, len(data))])
        with suppress(MediaError):
            assert np.isfinite(read(path)[1]).all()
