"""Comfort noise: RFC 3389."""

import numpy as np
import pytest

from sipstrobe.codecs.noise import ComfortNoise
from sipstrobe.errors import RemoteProtocolError
from tests.codecs.signals import level_db

LOW = bytes([40, 14])  # k1 near −1: nearly all of it is low
HIGH = bytes([40, 240])


@pytest.mark.parametrize("rates", [(8000, 8000), (8000, 16000), (16000, 16000)])
@pytest.mark.parametrize("level", [30, 60, 80])
def test_noise_has_the_level_that_was_told(rates: tuple[int, int], level: int) -> None:
    """RFC 3389 §3.1: in −dBov."""
    noise = ComfortNoise(*rates)

    first = noise.decode(bytes([level]))
    more = noise.conceal(rates[1])

    assert noise.duration(bytes([level])) == rates[0] // 100
    assert first.size == rates[1] // 100
    assert level_db(more) == pytest.approx(-level, abs=0.2)


def test_noise_has_the_colour_that_was_told() -> None:
    """RFC 3389 §3.2: reflection coefficients of an all-pole model."""

    def share_below_1_khz(payload: bytes) -> float:
        noise = ComfortNoise(8000, 8000)
        noise.decode(payload)
        power = np.abs(np.fft.rfft(noise.conceal(8000))) ** 2
        return float(power[:1000].sum() / power.sum())

    assert share_below_1_khz(LOW) > 0.9
    assert share_below_1_khz(HIGH) < 0.05
    assert share_below_1_khz(bytes([40])) == pytest.approx(0.25, abs=0.03)


def test_noise_goes_on_without_a_seam() -> None:
    """It repeats itself; where it does, nothing is to be heard."""
    noise = ComfortNoise(8000, 8000)
    noise.decode(LOW)

    heard = noise.conceal(16000)

    steps = np.abs(np.diff(heard))
    assert steps[3900:4000].max() <= steps.max()
    assert np.argmax(steps) == np.argmax(steps[:4000])  # in the first period as in the others


@pytest.mark.parametrize("payload", [b"", bytes([0x80]), bytes([0xFF, 1, 2])])
def test_a_payload_without_a_level_is_refused(payload: bytes) -> None:
    """RFC 3389 §3.1: the most significant bit is 0."""
    with pytest.raises(RemoteProtocolError):
        ComfortNoise(8000, 8000).decode(payload)


def test_no_coefficients_make_it_unstable() -> None:
    noise = ComfortNoise(8000, 8000)
    for octet in (0, 254, 255):
        heard = noise.decode(bytes([20]) + bytes([octet]) * 300)

        assert np.isfinite(heard).all()
        assert np.abs(noise.conceal(4000)).max() < 1.0
