"""Opus: RFC 6716 and its payloads of RFC 7587."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.codecs.opus import OpusDecoder, OpusEncoder
from sipstrobe.errors import RemoteProtocolError
from tests.codecs.signals import level_db, snr_db, speech_like, tone

RATE = 48000
PACKET = 960  # samples: 20 ms
FEC = "maxplaybackrate=48000; useinbandfec=1"
Sound = NDArray[np.float32]


def packets(sound: Sound, fmtp: str = "", size: int = PACKET) -> list[bytes]:
    encoder = OpusEncoder(fmtp)
    return [encoder.encode(sound[n : n + size]) for n in range(0, sound.size, size)]


def heard_of(payloads: list[bytes], lost: set[int], *, using_fec: bool = False) -> Sound:
    """As a stream plays them: what is lost is made up for."""
    decoder, out = OpusDecoder(), list[Sound]()
    size = decoder.duration(payloads[0])
    for n, payload in enumerate(payloads):
        if n not in lost:
            out.append(decoder.decode(payload))
        elif using_fec and n + 1 not in lost:
            out.append(decoder.recover(payloads[n + 1], size))
        else:
            out.append(decoder.conceal(size))
    return np.concatenate(out)


def test_a_lost_packet_makes_no_click() -> None:
    sound = tone(440, RATE, 1.0)
    payloads = packets(sound)
    steepest = float(np.abs(np.diff(sound)).max())

    heard = heard_of(payloads, {20, 30, 31})

    assert heard.size == sound.size
    assert np.abs(np.diff(heard[RATE // 5 :])).max() < 2.0 * steepest


def test_what_is_lost_for_long_sinks_into_noise_and_that_into_silence() -> None:
    decoder = OpusDecoder()
    blocks = [decoder.decode(payload) for payload in packets(speech_like(RATE, 0.4))]
    loud = level_db(blocks[-1])

    levels = [level_db(decoder.conceal(PACKET)) for _ in range(21)]

    assert levels[0] > loud - 6
    assert all(later < earlier + 3 for earlier, later in pairwise(levels))
    assert max(levels[3:]) < loud - 14  # where the library alone would come up again
    assert levels[20] < -150


@pytest.mark.parametrize("ptime_ms", [20, 40, 60])
def test_a_copy_in_the_next_packet_is_better_than_a_guess(ptime_ms: int) -> None:
    """RFC 7587 §3.3: in-band forward error correction."""
    voice = speech_like(RATE, 3.6)
    payloads = packets(voice, FEC, ptime_ms * RATE // 1000)
    lost = set(range(10, len(payloads) - 1, 7))
    whole = heard_of(payloads, set())

    guessed = heard_of(payloads, lost)
    recovered = heard_of(payloads, lost, using_fec=True)

    assert snr_db(whole, recovered) > snr_db(whole, guessed) + (3 if ptime_ms < 60 else 1)


def test_copies_are_sent_only_to_who_uses_them() -> None:
    """RFC 7587 §6.1: useinbandfec=0 is what holds when nothing is said."""
    voice = speech_like(RATE, 2.0)
    for fmtp in ("", "useinbandfec=0"):
        payloads = packets(voice, fmtp)
        lost = set(range(10, len(payloads) - 1, 7))

        guessed = heard_of(payloads, lost)

        assert np.array_equal(guessed, heard_of(payloads, lost, using_fec=True))


@pytest.mark.parametrize(
    ("fmtp", "most"),
    [("", 5000), ("maxaveragebitrate=16000", 2000), ("maxaveragebitrate=1", 1000)],
)
def test_no_more_bits_are_sent_than_the_other_side_wants(fmtp: str, most: int) -> None:
    """RFC 7587 §6.1: maxaveragebitrate, 6000 at the least."""
    payloads = packets(speech_like(RATE, 1.0), fmtp)

    assert sum(map(len, payloads)) < 1.2 * most


def test_a_constant_rate_for_who_asks_for_it() -> None:
    """RFC 7587 §6.1: cbr=1."""
    voice = speech_like(RATE, 1.0)

    assert len({len(p) for p in packets(voice, "cbr=1")}) == 1
    assert len({len(p) for p in packets(voice)}) > 1


def test_nothing_is_sent_that_the_other_side_cannot_play() -> None:
    """RFC 7587 §6.1: maxplaybackrate."""
    high = tone(6000, RATE, 0.6)

    wide = heard_of(packets(high), set())[RATE // 5 :]
    narrow = heard_of(packets(high, "maxplaybackrate=8000"), set())[RATE // 5 :]

    assert level_db(wide) == pytest.approx(level_db(high), abs=1)
    assert level_db(narrow) < level_db(high) - 25


@pytest.mark.parametrize("fmtp", ["x", ";;=", "maxaveragebitrate=none", "cbr", "stereo=1;sprop=9"])
def test_parameters_that_cannot_be_read_count_as_not_said(fmtp: str) -> None:
    voice = speech_like(RATE, 0.2)

    assert packets(voice, fmtp) == packets(voice)


@pytest.mark.parametrize(
    ("payload", "samples"),
    [
        (b"\x08", 960),  # SILK, narrow band, 20 ms, one frame
        (b"\x18\x00", 2880),  # 60 ms
        (b"\x19\x00", 5760),  # twice
        (b"\x80", 120),  # CELT, 2.5 ms
        (b"\x83\x06", 720),  # six of them: 15 ms
        (b"\x83\x00", 120),  # no packet: none of them
        (b"\x1b\x3f", 2880),  # no packet: more than 120 ms
        (b"\x83", 120),  # no packet: cut off
        (b"", 0),
    ],
)
def test_the_first_octets_say_how_long_it_is(payload: bytes, samples: int) -> None:
    """RFC 6716 §3.1, §3.2."""
    assert OpusDecoder().duration(payload) == samples


@pytest.mark.parametrize(
    "payload", [b"", b"\x83", b"\x83\x00", b"\x1b\x3f" + bytes(63), b"\x09\x01"]
)
def test_what_is_no_packet_is_refused(payload: bytes) -> None:
    """RFC 6716 §3.4."""
    with pytest.raises(RemoteProtocolError):
        OpusDecoder().decode(payload)


def test_a_gap_before_junk_is_filled_all_the_same() -> None:
    decoder = OpusDecoder()
    for payload in packets(tone(440, RATE, 0.2)):
        decoder.decode(payload)

    heard = decoder.recover(b"\x83\x00", PACKET)

    assert heard.size == PACKET
    assert level_db(heard) > -30


@pytest.mark.parametrize("samples", [0, 1, 119, 480, 960, 5761, 9600])
def test_gaps_of_every_length_are_filled(samples: int) -> None:
    decoder = OpusDecoder()
    payloads = packets(tone(440, RATE, 0.2), FEC)
    for payload in payloads[:-1]:
        decoder.decode(payload)

    assert decoder.conceal(samples).size == samples
    assert decoder.recover(payloads[-1], samples).size == samples


def test_a_packet_of_nothing_says_that_silence_follows() -> None:
    """RFC 7587 §3.1.3: discontinuous transmission."""
    decoder = OpusDecoder()

    assert decoder.pauses(b"\x78")
    assert not decoder.pauses(packets(tone(440, RATE, 0.02))[0])


@pytest.mark.parametrize("samples", [480, 960, 1920, 2880])
def test_silence_costs_nothing_and_is_nothing(samples: int) -> None:
    """RFC 6716 §4.3: a frame may say that it is silent."""
    encoder, decoder = OpusEncoder(FEC), OpusDecoder()

    payload = encoder.silence(samples)

    assert encoder.silence(samples) is payload
    assert decoder.duration(payload) == samples
    assert level_db(np.concatenate([decoder.decode(payload) for _ in range(3)])) < -150


@pytest.mark.parametrize("fmtp", ["", FEC])
def test_sound_before_and_after_silence_is_whole(fmtp: str) -> None:
    encoder, decoder = OpusEncoder(fmtp), OpusDecoder()
    sound = tone(440, RATE, 0.6)
    out = list[Sound]()

    for _ in range(3):
        out += [decoder.decode(encoder.encode(piece)) for piece in np.split(sound, 30)]
        out += [decoder.decode(encoder.silence(PACKET)) for _ in range(10)]

    heard = np.concatenate(out)
    assert np.abs(np.diff(heard)).max() < 0.05  # the sine needs 0.015, and begins at once
    for n in range(3):
        start = n * 40 * PACKET
        loud = heard[start + 5 * PACKET : start + 30 * PACKET]
        assert level_db(loud) == pytest.approx(level_db(sound), abs=0.5)
        assert level_db(heard[start + 32 * PACKET : start + 40 * PACKET]) < -90
