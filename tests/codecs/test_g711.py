"""G.711 as in the recommendation and the reference code of G.191."""

import subprocess
from collections.abc import Callable

import numpy as np
import pytest

from sipstrobe.codecs.g711 import AlawDecoder, AlawEncoder, UlawDecoder, UlawEncoder
from sipstrobe.codecs.pcm import from_pcm, to_pcm

CODES = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)


def ulaw_compress(sample: int) -> int:
    """ulaw_compress of ITU-T G.191, step by step."""
    magnitude = min((~sample >> 2 if sample < 0 else sample >> 2) + 33, 0x1FFF)
    segment, rest = 1, magnitude >> 6
    while rest:
        segment, rest = segment + 1, rest >> 1
    code = (8 - segment) << 4 | 15 - (magnitude >> segment & 15)
    return code | 0x80 if sample >= 0 else code


def alaw_compress(sample: int) -> int:
    """alaw_compress of ITU-T G.191, step by step."""
    code = ~sample >> 4 if sample < 0 else sample >> 4
    if code > 15:
        exponent = 1
        while code > 31:
            code, exponent = code >> 1, exponent + 1
        code += (exponent << 4) - 16
    return (code | 0x80 if sample >= 0 else code) ^ 0x55


@pytest.mark.parametrize(
    ("encoder", "reference"),
    [(UlawEncoder, ulaw_compress), (AlawEncoder, alaw_compress)],
)
def test_every_sample_has_the_code_of_the_reference(
    encoder: type[UlawEncoder | AlawEncoder], reference: Callable[[int], int]
) -> None:
    codes = encoder().encode(from_pcm(EVERY_SAMPLE))

    assert list(codes) == [reference(int(sample)) for sample in EVERY_SAMPLE]


def test_the_decision_values_of_the_tables() -> None:
    """G.711 tables 1 and 2: the first, the last and the joints of the segments."""
    ulaw, alaw = UlawDecoder(), AlawDecoder()

    assert list(to_pcm(ulaw.decode(bytes([0xFF, 0x7F, 0xFE, 0xEF, 0x80, 0x00])))) == [
        0, 0, 8, 132, 32124, -32124,
    ]  # fmt: skip
    assert list(to_pcm(alaw.decode(bytes([0xD5, 0x55, 0xD4, 0xC5, 0xAA, 0x2A])))) == [
        8, -8, 24, 264, 32256, -32256,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encoder", "decoder", "zero"),
    [(UlawEncoder, UlawDecoder, 0x7F), (AlawEncoder, AlawDecoder, None)],
)
def test_each_code_survives_a_round_trip(
    encoder: type[UlawEncoder | AlawEncoder],
    decoder: type[UlawDecoder | AlawDecoder],
    zero: int | None,
) -> None:
    """Only the negative zero of µ-law comes back as the positive one."""
    back = encoder().encode(decoder().decode(CODES))

    assert {a: b for a, b in zip(CODES, back, strict=True) if a != b} == (
        {} if zero is None else {zero: 0xFF}
    )


@pytest.mark.parametrize("decoder", [UlawDecoder, AlawDecoder])
def test_larger_samples_have_larger_or_equal_values(
    decoder: type[UlawDecoder | AlawDecoder],
) -> None:
    encoder = UlawEncoder() if decoder is UlawDecoder else AlawEncoder()

    heard = to_pcm(decoder().decode(encoder.encode(from_pcm(EVERY_SAMPLE)))).astype(np.int32)

    assert np.diff(heard).min() >= 0
    sent = EVERY_SAMPLE.astype(np.int32)
    within = np.abs(sent) < 32000  # µ-law ends at 32124
    assert (np.abs(heard - sent) <= np.maximum(16, np.abs(sent) / 24))[within].all()


@pytest.mark.parametrize(
    ("encoder", "payload"), [(UlawEncoder(), b"\xff"), (AlawEncoder(), b"\xd5")]
)
def test_silence_is_the_smallest_code(encoder: UlawEncoder, payload: bytes) -> None:
    assert encoder.silence(160) == 160 * payload
    assert encoder.silence(160) is encoder.silence(160)


def test_beyond_full_scale_is_clipped_and_floats_equal_pcm() -> None:
    loud = np.array([2.0, -2.0, 1.0, -1.0], np.float32)

    heard = UlawDecoder().decode(UlawEncoder().encode(loud))

    assert heard * 32768 == pytest.approx([32124, -32124, 32124, -32124])


@pytest.mark.interop
@pytest.mark.parametrize(("name", "decoder"), [("ul", UlawDecoder()), ("al", AlawDecoder())])
def test_sox_hears_the_same(name: str, decoder: UlawDecoder | AlawDecoder) -> None:
    """All 256 codes, decoded by somebody else."""
    raw, pcm = ["-r", "8000", "-c", "1"], ["-t", "raw", "-e", "signed", "-b", "16", "-L"]
    command = ["sox", "-D", "-t", name, *raw, "-", *pcm, "-"]

    heard = subprocess.run(command, input=CODES, capture_output=True, check=True).stdout

    assert to_pcm(decoder.decode(CODES)).tobytes() == heard
