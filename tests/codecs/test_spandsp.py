"""G.722 and G.726-32 against the recommendation and against FFmpeg."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.codecs.base import Codec, Learning
from sipstrobe.codecs.spandsp import (
    G722,
    G726_32,
    G722Decoder,
    G722Encoder,
    G726Decoder,
    G726Encoder,
)
from tests.codecs import g726_reference
from tests.codecs.signals import BLOCKS, as_pcm, level_db, snr_db, speech_like

RNG = np.random.default_rng(726)


def ffmpeg(arguments: str, data: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments.split(), "-"]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=30).stdout


def codes_of(payload: bytes) -> list[int]:
    """RFC 3551 §4.5.4: the first code of an octet is in its low bits."""
    return [code for octet in payload for code in (octet & 15, octet >> 4)]


# fmt: off
SIGNALS = {
    "voice": speech_like(8000, 0.5),
    "noise": RNG.normal(0, 0.03, 4000).astype(np.float32),
    "hardly anything": RNG.normal(0, 0.0005, 4000).astype(np.float32),
    "full scale": np.sin(np.arange(4000) * 0.5).astype(np.float32),
    "a modem": (0.5 * np.sin(np.arange(4000) * np.where(np.arange(4000) // 700 % 2, 1.9, 0.9))
                ).astype(np.float32),
}
# fmt: on


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)
def test_g726_has_the_codes_and_samples_of_the_recommendation(signal: NDArray[np.float32]) -> None:
    """ITU-T G.726 §4.2, block by block."""
    payload = G726Encoder().encode(signal)
    heard = G726Decoder().decode(payload)

    codes = codes_of(payload)
    assert codes == g726_reference.encode(int(sample) for sample in as_pcm(signal))
    assert as_pcm(heard).tolist() == g726_reference.decode(codes)


@pytest.mark.parametrize("block", BLOCKS)
def test_where_the_packets_end_makes_no_difference(block: int) -> None:
    """The states go on: RFC 3551 §4.5.2, §4.5.4."""
    voice = speech_like(16000, 0.2)
    for encoder, decoder in ((G722Encoder, G722Decoder), (G726Encoder, G726Decoder)):
        whole = encoder().encode(voice)
        parts, heard = encoder(), decoder()

        payloads = [parts.encode(voice[n : n + block]) for n in range(0, voice.size, block)]
        out = np.concatenate([heard.decode(payload) for payload in payloads])

        assert b"".join(payloads) == whole
        assert np.array_equal(out, decoder().decode(whole))


@pytest.mark.interop
@pytest.mark.parametrize("level", [1.0, 0.1, 0.001])
def test_g722_is_bit_exact_to_ffmpeg(level: float) -> None:
    """ITU-T G.722 at 64 kbit/s."""
    voice = level * speech_like(16000, 1.0)

    payload = G722Encoder().encode(voice)
    heard = G722Decoder().decode(payload)

    pcm = as_pcm(voice).tobytes()
    assert payload == ffmpeg("-f s16le -ar 16000 -ac 1 -i - -c:a g722 -f g722", pcm)
    assert as_pcm(heard).tobytes() == ffmpeg("-f g722 -i - -f s16le", payload)


@pytest.mark.interop
def test_ffmpeg_hears_our_g726_and_we_hear_its() -> None:
    """It rounds otherwise than the recommendation, so that only the sound can be compared."""
    voice = speech_like(8000, 1.0)
    encode = "-f s16le -ar 8000 -ac 1 -i - -c:a g726le -b:a 32k -f g726le"
    decode = "-f g726le -code_size 4 -ar 8000 -i - -f s16le"

    theirs = ffmpeg(encode, as_pcm(voice).tobytes())
    pcm = ffmpeg(decode, G726Encoder().encode(voice))

    assert snr_db(voice, G726Decoder().decode(theirs)) > 15
    heard = np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32768)
    assert snr_db(voice, heard) > 15


def test_what_is_no_longer_used_is_given_back() -> None:
    """A stream that runs for a year may change its codec often."""
    resident = list[int]()
    for _ in range(3):
        for _ in range(2000):
            assert G722Encoder().silence(2)
            assert G726Decoder().decode(b"1").size
        resident.append(int(Path("/proc/self/statm").read_text().split()[1]))

    assert resident[2] - resident[1] < 100  # pages; what was kept would take 1000


@pytest.mark.parametrize("codec", [G722, G726_32], ids=["G722", "G726-32"])
@pytest.mark.parametrize("lost_ms", [20, 60, 200])
def test_after_a_gap_nothing_cracks(codec: Codec, lost_ms: int) -> None:
    """What was learnt before it would make the first 10 ms up to 20 dB too loud."""
    ms = codec.sample_rate // 1000
    voice = speech_like(codec.sample_rate, 2.0)
    louder: dict[bool, float] = {}
    for told in (False, True):
        gains = list[float]()
        for gap in range(200, 1400, 60):
            encoder, decoder = codec.encoder(""), codec.decoder()
            decoder.decode(encoder.encode(voice[: gap * ms]))
            encoder.encode(voice[gap * ms : (gap + lost_ms) * ms])
            if told:
                assert isinstance(decoder, Learning)
                decoder.miss(lost_ms * ms)
            after = voice[(gap + lost_ms) * ms :][: 10 * ms]
            gains.append(level_db(decoder.decode(encoder.encode(after))) - level_db(after))
        louder[told] = max(gains)

    assert louder[False] > 6
    assert louder[True] < 5
