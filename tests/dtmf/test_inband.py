"""Digits out of sound: ITU-T Q.23 and Q.24."""

import numpy as np
import pytest

from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.dtmf.event import DIGITS
from sipstrobe.dtmf.inband import ToneReceiver
from sipstrobe.dtmf.sign import Sign
from tests.support.voices import Samples, key, music, silence, speech

RATES = (8000, 16000, 48000)
OFFSETS = range(0, 160, 20)  # samples at 8 kHz: where in a packet a tone begins
SOME = "1590*D#A"  # every row and column


def signs(sound: Samples, rate: int = 8000, ptime: float = 0.020) -> list[Sign]:
    receiver = ToneReceiver(rate)
    count = round(rate * ptime)
    return [
        sign for at in range(0, sound.size, count) for sign in receiver.hear(sound[at : at + count])
    ]


def heard(sound: Samples, rate: int = 8000, ptime: float = 0.020) -> str:
    return "".join(sign.digit for sign in signs(sound, rate, ptime) if sign.begins)


def share_heard(made: list[tuple[str, Samples]]) -> float:
    return sum(heard(sound) == digit for digit, sound in made) / len(made)


def alone(digit: str, tone: Samples, offset: int) -> tuple[str, Samples]:
    return digit, np.concatenate((silence(offset / 8000), tone, silence(0.1)))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("ptime", [0.010, 0.020, 0.060])
def test_all_sixteen_in_the_shortest_time_that_they_may_take(rate: int, ptime: float) -> None:
    """Q.24: tones of 40 ms, pauses of 40 ms."""
    sound = [part for d in DIGITS for part in (key(d, 0.04, rate), silence(0.04, rate))]

    assert heard(np.concatenate(sound), rate, ptime) == DIGITS


def test_pieces_of_any_length_make_no_difference() -> None:
    """As the jitter buffer cuts them when it catches up."""
    sound = np.concatenate([part for d in "4711" for part in (key(d, 0.05), silence(0.05))])
    random = np.random.default_rng(1)
    receiver, told, at = ToneReceiver(8000), "", 0

    while at < sound.size:
        count = int(random.integers(0, 200))
        told += "".join(s.digit for s in receiver.hear(sound[at : at + count]) if s.begins)
        at += count

    assert told == "4711"


@pytest.mark.parametrize(("seconds", "share"), [(0.020, 0.0), (0.023, 0.0), (0.040, 1.0)])
def test_what_is_too_short_is_no_digit(seconds: float, share: float) -> None:
    """Q.24 table 1: 20 to 24 ms must not be taken, 40 ms must."""
    made = [alone(d, key(d, seconds), offset) for d in SOME for offset in OFFSETS]

    assert share_heard(made) == share


@pytest.mark.parametrize(("off", "share"), [(0.015, 1.0), (0.035, 0.0)])
@pytest.mark.parametrize("which", [(1, 0), (0, 1), (1, 1), (1, -1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_frequencies_may_be_off_a_little(
    off: float, share: float, which: tuple[int, int], sign: int
) -> None:
    """Q.24 table 1: 1.5 % (and 2 Hz) must be taken, 3.5 % must not."""
    low, high = (sign * off * part for part in which)
    made = [
        alone(d, key(d, 0.04, low_off=low, high_off=high), offset)
        for d in SOME
        for offset in OFFSETS[::2]
    ]

    assert share_heard(made) == share


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [
        (-1.0, -1.0, 1.0),
        (-25.0, -25.0, 1.0),
        (-29.0, -29.0, 1.0),
        (-48.0, -48.0, 0.0),
        (-16.0, -8.0, 0.0),
        (-14.0, -10.0, 1.0),
        (-8.0, -16.0, 1.0),
        (-6.0, -20.0, 0.0),
        (-10.0, -90.0, 0.0),
        (-90.0, -10.0, 0.0),
    ],
)
def test_levels_and_twist(low: float, high: float, share: float) -> None:
    """Q.24 table 1, the widest of all administrations: −29 dBm, the high tone up to 4 dB above the
    low one or 8 dB below."""
    made = [alone(d, key(d, 0.05, low_dbm0=low, high_dbm0=high), 30) for d in SOME]

    assert share_heard(made) == share


@pytest.mark.parametrize(("gap", "digits"), [(0.010, "5"), (0.040, "55")])
def test_a_short_gap_divides_no_digit_and_a_pause_does(gap: float, digits: str) -> None:
    """Q.24 §3.4: an interruption of 10 ms is none, a pause of 40 ms is one."""
    for offset in OFFSETS:
        parts = (silence(offset / 8000), key("5", 0.06), silence(gap), key("5", 0.06), silence(0.1))

        assert heard(np.concatenate(parts)) == digits


def test_digits_are_heard_through_noise() -> None:
    """12 dB below them, which MITEL's test cassette (CM7291, test 7) asks of a good receiver."""
    random = np.random.default_rng(2)
    told = 0
    for digit in DIGITS * 4:
        _, sound = alone(digit, key(digit, 0.05), 37)
        power = float(np.square(key(digit, 0.05)).mean()) / 10**1.2
        noise = random.normal(0, power**0.5, sound.size).astype(np.float32)
        told += heard(sound + noise) == digit

    assert told == 64


@pytest.mark.parametrize("name", usable(tuple(CODECS)))
def test_digits_are_heard_through_every_codec(name: str) -> None:
    codec = CODECS[name]
    rate, encoder, decoder = codec.sample_rate, codec.encoder(""), codec.decoder()
    sound = np.concatenate(
        [part for d in DIGITS for part in (key(d, 0.06, rate), silence(0.06, rate))]
    )
    count = rate // (100 if name == "L16/48000" else 50)
    packets = sound[: sound.size // count * count].reshape(-1, count)
    receiver = ToneReceiver(rate)

    told = [s for packet in packets for s in receiver.hear(decoder.decode(encoder.encode(packet)))]

    assert "".join(sign.digit for sign in told if sign.begins) == DIGITS


def test_how_long_a_key_is_held_is_told_while_it_is() -> None:
    told = signs(np.concatenate((silence(0.2), key("7", 1.5), silence(0.2))))

    assert (told[0].begins, told[-1].ended) == (True, True)
    assert [sign.seconds for sign in told] == sorted(sign.seconds for sign in told)
    assert told[-1].seconds == pytest.approx(1.5, abs=0.02)
    assert sum(sign.seconds >= 1.0 for sign in told) > 20


def test_another_key_without_a_pause_is_another_digit() -> None:
    told = signs(np.concatenate((key("1", 0.1), key("2", 0.1), silence(0.1))))

    assert [sign.digit for sign in told if sign.begins] == ["1", "2"]
    assert [sign.digit for sign in told if sign.ended] == ["1", "2"]


# --- talk-off -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_speech_is_no_digit(seed: int) -> None:
    """Q.24 §3.5: signals that imitate. The benchmark listens to hours of it."""
    assert heard(speech(30.0, seed)) == ""


@pytest.mark.parametrize("harmonics", [2, 6])
@pytest.mark.parametrize("seed", range(2))
def test_music_is_no_digit(harmonics: int, seed: int) -> None:
    assert heard(music(30.0, seed, harmonics=harmonics)) == ""


@pytest.mark.parametrize("loud", [0.001, 0.1, 1.0])
def test_noise_is_no_digit(loud: float) -> None:
    noise = np.random.default_rng(3).normal(0, loud, 8000 * 30).astype(np.float32)

    assert heard(np.clip(noise, -1, 1)) == ""


def test_other_tones_of_the_telephone_network_are_no_digits() -> None:
    """ITU-T E.180: dial tones, ringing, busy; and a siren that sweeps through all frequencies."""
    t = np.arange(8000 * 5) / 8000
    for pair in ((350, 440), (440, 480), (480, 620), (425, 425), (941, 941), (1209, 1633)):
        tones = sum(0.2 * np.sin(2 * np.pi * f * t) for f in pair)
        assert heard(np.asarray(tones, np.float32)) == ""
    sweep = 0.5 * np.sin(2 * np.pi * (300 * t + 300 * t * t))
    assert heard(sweep.astype(np.float32)) == ""


def test_two_tones_and_their_harmonics_are_an_instrument() -> None:
    """The second harmonics are what a telephone does not have."""
    t = np.arange(8000) / 8000
    overtones = sum(0.1 * np.sin(2 * np.pi * 2 * f * t) for f in (770, 1336))

    assert heard(key("5", 1.0)) == "5"
    assert heard(key("5", 1.0) + np.asarray(overtones, np.float32)) == ""
