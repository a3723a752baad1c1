"""What holds for every codec there is: level, delay, durations, silence, and junk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.codecs.base import Codec, SelfConcealing
from sipstrobe.codecs.noise import ComfortNoise
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.errors import RemoteProtocolError
from tests.codecs.signals import delay_of, level_db, snr_db, speech_like, tone

DELAYS = {"opus": 312, "G722": 22}  # samples; none for the others
SNR_DB = {"PCMU": 33, "PCMA": 33, "G726-32": 16, "G722": 18, "opus": 5}  # of a voice; L16: 60
EVERY = pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))


def through(codec: Codec, sound: np.ndarray, ptime_ms: int = 20) -> np.ndarray:
    """What is heard of a sound in packets of that length."""
    encoder, decoder = codec.encoder(""), codec.decoder()
    size = codec.sample_rate * ptime_ms // 1000
    payloads = [encoder.encode(sound[n : n + size]) for n in range(0, sound.size, size)]
    units = codec.clock_rate * ptime_ms // 1000
    assert {decoder.duration(payload) for payload in payloads} == {units}
    return np.concatenate([decoder.decode(payload) for payload in payloads])


def test_the_registry_knows_each_codec_by_its_name() -> None:
    assert set(CODECS) == {
        *("opus", "L16/48000", "L16/16000", "L16/8000", "G722", "G726-32", "PCMU", "PCMA")
    }
    assert all(codec.name == name for name, codec in CODECS.items())
    assert usable(["PCMA", "opus", "G722"]) == ("PCMA", "opus", "G722")


def test_a_codec_without_its_library_is_left_out() -> None:
    missing = Codec("x", 8000, 8000, CODECS["PCMU"].encoder, CODECS["PCMU"].decoder, "libno.so.9")

    assert not missing.usable


@EVERY
@pytest.mark.parametrize("peak", [0.5, 0.05])
def test_a_tone_is_as_loud_as_it_was(codec: Codec, peak: float) -> None:
    sound = tone(1000, codec.sample_rate, 1.2, peak)

    heard = through(codec, sound)[codec.sample_rate // 5 :]

    assert level_db(heard) == pytest.approx(level_db(sound), abs=0.5)


@EVERY
def test_a_voice_is_as_late_as_stated_and_otherwise_the_same(codec: Codec) -> None:
    voice = speech_like(codec.sample_rate, 1.0)

    heard = through(codec, voice)

    delay = DELAYS.get(codec.name, 0)
    assert delay_of(heard, voice, 1000) == pytest.approx(delay, abs=5)
    assert snr_db(voice, heard[delay:]) > SNR_DB.get(codec.name, 60)


@EVERY
@pytest.mark.parametrize("ptime_ms", [10, 20, 40, 60])
def test_packets_of_every_length(codec: Codec, ptime_ms: int) -> None:
    sound = tone(440, codec.sample_rate, 0.6)

    heard = through(codec, sound, ptime_ms)

    assert heard.size == sound.size
    assert level_db(heard[sound.size // 2 :]) == pytest.approx(level_db(sound), abs=0.5)


@EVERY
def test_beyond_full_scale_is_clipped(codec: Codec) -> None:
    """A sine of twice full scale has its peaks cut; it must not wrap around."""
    heard = through(codec, tone(500, codec.sample_rate, 0.4, 2.0))

    assert np.abs(heard).max() < 1.3  # filters swing over the edges
    assert level_db(heard[heard.size // 2 :]) == pytest.approx(-1.1, abs=0.6)


@EVERY
def test_silence_is_silent_and_lasts_as_long_as_sound(codec: Codec) -> None:
    encoder, decoder = codec.encoder(""), codec.decoder()

    payloads = [encoder.silence(codec.sample_rate // 50) for _ in range(20)]
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])

    assert {decoder.duration(payload) for payload in payloads} == {codec.clock_rate // 50}
    assert level_db(heard) < -65


def test_who_conceals_for_himself() -> None:
    found = {name for name, codec in CODECS.items() if isinstance(codec.decoder(), SelfConcealing)}

    assert found == {"opus"}
    assert isinstance(ComfortNoise(8000, 8000), SelfConcealing)


@EVERY
@settings(max_examples=60, deadline=None)
@given(payloads=st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_junk_is_refused_or_heard_as_finite_samples(codec: Codec, payloads: list[bytes]) -> None:
    decoder = codec.decoder()

    for payload in payloads:
        assert 0 <= decoder.duration(payload) <= max(5760, 2 * len(payload))
        try:
            heard = decoder.decode(payload)
        except RemoteProtocolError:
            continue
        assert np.isfinite(heard).all()
        assert heard.size * codec.clock_rate == decoder.duration(payload) * codec.sample_rate
