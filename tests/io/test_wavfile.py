"""WAV files: written bit by bit, read as a whole."""

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import MediaError
from sipstrobe.io import wavfile
from sipstrobe.io.wavfile import WavWriter, parse_wav, read_wav, stream_wav


def _ramp(count: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.arange(count, dtype=np.float32) / 32768.0


def test_what_was_written_is_read_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, 48000)
    writer.write(_ramp(7000))
    writer.write_silence(6000)
    writer.write(-_ramp(32769))
    writer.close()

    sound = read_wav(path)

    assert (sound.sample_rate, sound.seconds) == (48000, 45769 / 48000)
    assert np.array_equal(
        sound.samples, np.concatenate([_ramp(7000), np.zeros(6000), -_ramp(32769)])
    )


def test_others_can_read_it(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "a.wav", 48000)
    writer.write(np.array([0.0, 1.0, -1.0, 2.0, 0.5], np.float32))
    writer.close()

    with wave.open(str(tmp_path / "a.wav"), "rb") as file:
        assert file.getparams()[:4] == (1, 2, 48000, 5)
        assert struct.unpack("<5h", file.readframes(5)) == (0, 32767, -32768, 32767, 16384)


@given(st.lists(st.integers(0, 3000), max_size=12))
@settings(max_examples=20, deadline=None)
def test_at_every_moment_it_is_a_valid_file_that_is_100_ms_behind_at_most(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    writer = WavWriter(path, 8000)
    written = 0
    for size in sizes:
        writer.write(_ramp(written + size)[written:])
        written += size

        sound = read_wav(path)
        assert written - 800 < sound.samples.size <= written
        assert np.array_equal(sound.samples, _ramp(sound.samples.size))
        assert 44 + 2 * sound.samples.size == path.stat().st_size
    writer.close()


def test_two_channels_alternate(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    writer = WavWriter(path, 8000, 2)
    writer.write(np.array([0.5, -0.5] * 900 + [0.25, 0.0], np.float32))
    writer.write_silence(2)
    writer.close()

    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 902)
        frames = np.frombuffer(file.readframes(902), "<i2").reshape(-1, 2)
    assert frames[0].tolist() == [16384, -16384]
    assert frames[-2:].tolist() == [[8192, 0], [0, 0]]


def test_an_hour_of_silence_is_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, 8000)
    writer.write(_ramp(100))
    writer.write_silence(3600 * 8000)
    writer.write(_ramp(100))
    writer.close()

    sound = read_wav(path)
    assert sound.samples.size == 3600 * 8000 + 200
    assert not sound.samples[100:-100].any()
    assert np.array_equal(sound.samples[-100:], _ramp(100))
    assert path.stat().st_blocks * 512 < 2**20  # and takes no room on the disk


def test_a_file_never_grows_beyond_what_its_sizes_can_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wavfile, "MAX_DATA_BYTES", 4000)
    writer = WavWriter(tmp_path / "a.wav", 8000)
    writer.write(_ramp(1600))

    with pytest.raises(OSError, match="as long as"):
        writer.write(_ramp(800))

    with pytest.raises(OSError, match="as long as"):
        writer.write_silence(800)
    assert read_wav(tmp_path / "a.wav").samples.size == 1600


def _wav(code: int, channels: int, rate: int, bits: int, data: bytes, extra: bytes = b"") -> bytes:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits) + extra
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"LIST\x03\x00\x00\x00abc\x00"  # of odd length, so padded
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_two_channels_become_one_and_8_bits_are_unsigned() -> None:
    stereo = parse_wav(_wav(1, 2, 44100, 16, struct.pack("<4h", 16384, 0, -32768, -32768)))
    assert (stereo.samples.tolist(), stereo.sample_rate) == ([0.25, -1.0], 44100)

    narrow = parse_wav(_wav(1, 1, 8000, 8, bytes([128, 0, 192])))
    assert narrow.samples.tolist() == [0.0, -1.0, 0.5]


def test_the_extensible_form_of_pcm_is_pcm() -> None:
    extra = struct.pack("<HHIH", 22, 16, 4, 1) + bytes(14)

    sound = parse_wav(_wav(0xFFFE, 1, 48000, 16, struct.pack("<h", 16384), extra))

    assert sound.samples.tolist() == [0.5]


def test_a_file_that_breaks_off_yields_what_is_there() -> None:
    whole = _wav(1, 1, 8000, 16, struct.pack("<3h", 8192, 16384, 24576))

    assert parse_wav(whole[:-3]).samples.tolist() == [0.25]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a WAV"),
        (b"ID3\x04" + bytes(100), "not a WAV"),
        (b"RIFF\x04\x00\x00\x00WAVE", "missing"),
        (_wav(3, 1, 48000, 32, bytes(8)), "PCM"),
        (_wav(1, 1, 48000, 24, bytes(6)), "PCM"),
        (_wav(1, 6, 48000, 16, bytes(24)), "channels"),
        (_wav(1, 0, 48000, 16, b""), "channels"),
        (_wav(1, 1, 96000, 16, bytes(4)), "48 kHz"),
    ],
)
def test_what_cannot_be_used_is_said_in_words(data: bytes, words: str) -> None:
    with pytest.raises(MediaError, match=words):
        parse_wav(data)


@given(st.binary(max_size=80), st.integers(0, 80), st.binary(max_size=12))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_only_a_media_error_comes_out(
    tail: bytes, at: int, patch: bytes
) -> None:
    valid = _wav(1, 2, 8000, 16, tail)

    try:
        sound = parse_wav(valid[:at] + patch + valid[at + len(patch) :])
    except MediaError:
        return

    assert np.abs(sound.samples).max(initial=0.0) <= 1.0


def test_a_file_that_is_missing_or_too_large_names_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MediaError, match=r"nothing\.wav cannot be read: No such file"):
        read_wav(tmp_path / "nothing.wav")

    monkeypatch.setattr(wavfile, "MAX_READ_BYTES", 2**20)
    (tmp_path / "large.wav").write_bytes(bytes(2**20 + 1))
    with pytest.raises(MediaError, match=r"large\.wav is larger than 1 MiB"):
        read_wav(tmp_path / "large.wav")


# --- a file that somebody is still writing --------------------------------------------------------


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 480 * 2])
def test_a_stream_is_read_block_by_block(size: int) -> None:
    """Also where its end is not known: FFmpeg and arecord write sizes that are none. What comes
    after an end that is known is no sound."""
    data = np.arange(480, dtype="<i2").tobytes()
    whole = _wav(1, 1, 8000, 16, data)
    at = whole.index(b"data") + 4
    stream = io.BytesIO(whole[:at] + size.to_bytes(4, "little") + data + bytes(size and 2))

    rate, blocks = stream_wav(stream)

    first, second, third = list(blocks)[:3]
    assert rate == 8000
    assert first.size == second.size == third.size == 160  # 20 ms
    assert third[-1] == pytest.approx(479 / 32768)


def test_a_stream_of_two_channels_becomes_one() -> None:
    stream = io.BytesIO(_wav(1, 2, 8000, 8, bytes([128, 192] * 160)))

    _, blocks = stream_wav(stream)

    assert [block.tolist() for block in blocks] == [[0.25] * 160]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "its format or its sound is missing"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "its format or its sound is missing"),
        (b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff" + bytes(99), "its format or its sound is missing"),
        (_wav(3, 1, 8000, 32, bytes(8)), "only PCM of 8 or 16 bits is supported"),
        (_wav(1, 3, 8000, 16, bytes(6)), "only one or two channels at 8 to 48 kHz are supported"),
    ],
)
def test_a_stream_that_cannot_be_used(data: bytes, words: str) -> None:
    """A chunk before the sound is not read for ever."""
    with pytest.raises(MediaError, match=words):
        stream_wav(io.BytesIO(data))
