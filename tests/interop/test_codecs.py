"""Each codec with somebody else's: what baresip says is heard here, and what we say is heard there;
a voice that FFmpeg has encoded and SIPp sends is compared with what it was.

G.726-32 is not among those of baresip: this one packs its codes as AAL2 does and calls that
G726-32, which RFC 3551 §4.5.4 warns of. FFmpeg packs them as the RFC has it.
"""

import os
import re
import time
import wave
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from sipstrobe.rtp.jitter import PACE
from tests.codecs.signals import as_pcm, speech_like
from tests.interop.baresip import baresip
from tests.interop.device import RATE, Device
from tests.interop.ffmpeg import TYPE, encode, packed
from tests.interop.sipp import SCENARIOS, sipp
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import on_time
from tests.support.hear import (
    Samples,
    largest_step,
    level_db,
    loud_spans,
    residual_db,
    tone_db,
    tone_near,
)

pytestmark = pytest.mark.interop

SECONDS = 1.4  # of each call
SETTLED = 0.4  # seconds at the edges, in which the jitter buffer finds its depth
GAP = 0.05
PIECE = 0.05  # seconds
MOVED = 100  # samples by which the drift correction may move a piece
SAID, GREETING = 1020.0, 600.0  # Hz
EXPECTED = pytest.approx(TONE_DB, abs=0.5)


IN_BAND = 0.8  # of a codec's band: what telephony fills


class Encoded(NamedTuple):
    """What FFmpeg calls it, and SDP."""

    number: int  # the payload type, RFC 3551 §6
    sdp: str
    format: str
    codec: str
    rate: int
    snr_db: float  # of a voice, at the least


ENCODED = {
    "PCMU": Encoded(0, "PCMU/8000", "mulaw", "pcm_mulaw", 8000, 32.0),
    "PCMA": Encoded(8, "PCMA/8000", "alaw", "pcm_alaw", 8000, 32.0),
    "G722": Encoded(9, "G722/8000", "g722", "g722", 16000, 27.0),
}


class Packed(NamedTuple):
    """What FFmpeg also makes packets of, as options; SIPp cannot do that for these."""

    sdp: str
    options: tuple[str, ...]
    rate: int
    clock_rate: int
    octets: int  # of a packet at the most, with its header
    snr_db: float


PACKED = {
    "G726-32": Packed(
        "G726-32/8000", ("-c:a", "adpcm_g726le", "-b:a", "32k"), 8000, 8000, 12 + 80, 18.0
    ),
    "L16/16000": Packed("L16/16000", ("-c:a", "pcm_s16be"), 16000, 16000, 12 + 640, 28.0),
    "opus": Packed("opus/48000/2", ("-c:a", "libopus", "-b:a", "40k"), 48000, 48000, 1400, 15.0),
}


class Spoken(NamedTuple):
    """What baresip calls it."""

    name: str
    module: str
    rate: int
    snr_db: float  # of a tone, at the least
    config: tuple[str, ...] = ()


CODECS = {
    "opus": Spoken(
        "opus/48000/1",
        "opus",
        48000,
        25.0,
        ("opus_stereo no", "opus_sprop_stereo no", "opus_inbandfec yes"),
    ),
    "G722": Spoken("G722/16000/1", "g722", 16000, 35.0),
    "L16/16000": Spoken("L16/16000/1", "l16", 16000, 45.0),
    "L16/8000": Spoken("L16/8000/1", "l16", 8000, 45.0),
}


def steady(sound: Samples, rate: int, margin: float, atleast: float) -> Samples:
    """The one span in which something is heard, without its edges."""
    spans = [span for span in loud_spans(sound, rate) if span[1] - span[0] > GAP]
    assert len(spans) == 1, f"gaps between {spans}"
    start, end = spans[0]
    assert end - start > atleast
    return sound[round((start + margin) * rate) : round((end - margin) * rate)]


def judged(sound: Samples, hertz: float, snr_least: float) -> str:
    """As loud as it was said all along, without clicks, and the tone far above all else.

    A sender that a busy machine holds up is followed by playing faster or slower by PACE, which no
    ear hears: the tone is looked for where that may have moved it, piece by piece.
    """
    size = round(PIECE * RATE)
    pieces = list(sound[: len(sound) // size * size].reshape(-1, size))
    levels = [tone_db(piece, hertz) for piece in pieces]
    tones = [tone_near(piece, hertz) for piece in pieces]
    assert max(abs(tone / hertz - 1) for tone in tones) < 1.1 * PACE
    snr = -float(np.median([residual_db(p, tone) for p, tone in zip(pieces, tones, strict=True)]))
    assert [min(levels), max(levels)] == [EXPECTED, EXPECTED]
    assert snr > snr_least
    steepest = 10 ** (TONE_DB / 20) * np.sqrt(2) * 2 * np.sin(np.pi * hertz / RATE)
    assert largest_step(sound) < 1.25 * steepest
    return f"{min(levels):.2f} … {max(levels):.2f} dB, SNR {snr:.1f} dB"


def test_a_tone_that_is_played_faster_is_found_where_it_is() -> None:
    """What is judged is the noise beside it; at its usual place it would leave 27 dB."""
    at = np.arange(round(PIECE * RATE)) / RATE
    faster = SAID * (1 + PACE)
    piece = np.sin(2 * np.pi * faster * at + 1.0) + 1e-3 * np.sin(2 * np.pi * 3000.0 * at)

    assert residual_db(piece, SAID) == pytest.approx(-27, abs=0.5)
    assert residual_db(piece, tone_near(piece, SAID)) == pytest.approx(-60, abs=0.5)


@pytest.fixture(scope="module")
def talking(demo: Device, tmp_path_factory: pytest.TempPathFactory) -> Device:
    """It knows all of the codecs, and greets each caller."""
    greeting = write_tone(tmp_path_factory.mktemp("said") / "hello.wav", [GREETING], seconds=0.5)
    demo.set("/sip/accounts/0/codecs", [*CODECS, "G726-32", "PCMU", "PCMA"])
    demo.set("/audio/greeting", str(greeting))
    return demo


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_both_ways(
    talking: Device, tmp_path: Path, figures: dict[str, str], name: str
) -> None:
    spoken = CODECS[name]
    said = write_tone(tmp_path / "said.wav", [SAID], seconds=20.0, rate=spoken.rate)

    def story() -> str:
        folder = tmp_path / f"phone-{time.monotonic_ns()}"
        with baresip(
            folder,
            source=said,
            record=True,
            codecs=spoken.name,
            modules=[spoken.module],
            config=spoken.config,
        ) as phone:
            began = time.monotonic()
            phone.dial(talking.uri("1099"))
            time.sleep(SECONDS)
            assert [call["codec"] for call in talking.calls] == [name]
            assert [call["audio"]["verdict"] for call in talking.calls] == ["ok"]
            phone.hang_up()
            ours = talking.heard(began, time.monotonic() + 0.2)
            theirs, rate = phone.heard(), spoken.rate
        words = judged(steady(ours, RATE, SETTLED, SECONDS - 0.4), SAID, spoken.snr_db)
        middle = steady(theirs, rate, 0.1, 0.35)
        assert tone_db(middle, GREETING, rate) == EXPECTED
        return f"{words}; our greeting there {tone_db(middle, GREETING, rate):.2f} dB"

    figures[f"baresip, {name}, both ways at {TONE_DB:g} dB"] = on_time(talking, story)


# --- SIPp sends what FFmpeg has encoded -----------------------------------------------------------


def write_voice(rate: int, path: Path) -> Samples:
    """What is said, in a file and as it is to be heard."""
    spectrum = np.fft.rfft(speech_like(rate, SECONDS + 1.0).astype(np.float64))
    spectrum[round(IN_BAND * spectrum.size) :] = 0.0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(as_pcm(np.fft.irfft(spectrum).astype(np.float32)).tobytes())
    return RATE / rate * np.fft.irfft(spectrum, round(RATE * (SECONDS + 1.0)))


def scenario_of(folder: Path, number: int, sdp: str, action: str) -> str:
    """The usual one, with this codec."""
    text = (SCENARIOS / "uac-media.xml").read_text()
    for usual, ours in (
        ("RTP/AVP 0 101", f"RTP/AVP {number} 101"),
        ("rtpmap:0 PCMU/8000", f"rtpmap:{number} {sdp}"),
        ('rtp_stream="tone.ulaw,-1,0"', action),
        *([("[rtpstream_audio_port]", "[media_port]")] if "pcap" in action else []),
    ):
        assert usual in text
        text = text.replace(usual, ours)
    (folder / "voice.xml").write_text(text)
    return str(folder / "voice")


def acknowledged(messages: Path) -> float:
    """When SIPp sent its ACK, after which it speaks, in monotonic seconds."""
    found = re.search(r"-+ (\S+ \S+)\nUDP message sent.*?\n\nACK ", messages.read_text())
    assert found
    at = datetime.fromisoformat(found[1]).timestamp()
    return at - time.time() + time.monotonic()


class Likeness(NamedTuple):
    """How what was heard compares with what was said."""

    gain_db: float
    snr_db: float
    start: float  # seconds after which what was said first is heard


def compared(heard: Samples, said: Samples) -> Likeness:
    """Piece by piece, each fitted to where in what was said it is most like it, since the drift
    correction moves it by some samples; the median of all."""
    width = 1 << (len(said) + len(heard)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(said, width) * np.conj(np.fft.rfft(heard, width)))
    start = int(np.argmax(likeness[: len(said) - len(heard)]))
    size, found = round(PIECE * RATE), list[Likeness]()
    for at in range(MOVED, len(heard) - size - MOVED, size):
        piece, near = heard[at : at + size], said[start + at - MOVED : start + at + size + MOVED]
        windows = np.lib.stride_tricks.sliding_window_view(near, size)
        best = int(np.argmax(windows @ piece / np.linalg.norm(windows, axis=1)))
        best = min(max(best, 1), len(windows) - 2)
        basis = windows[best - 1 : best + 2].T
        fitted = basis @ np.linalg.lstsq(basis, piece, rcond=None)[0]
        gain = level_db(fitted) - level_db(basis[:, 1])
        noise = level_db(fitted) - level_db(piece - fitted)
        found.append(Likeness(gain, noise, (MOVED - best - start) / RATE))
    return Likeness(*(float(figure) for figure in np.median(np.array(found), axis=0)))


@pytest.mark.parametrize("name", ENCODED)
def test_a_voice_from_sipp(
    talking: Device, tmp_path: Path, figures: dict[str, str], name: str
) -> None:
    """Its level, what noise is added, and when it is heard."""
    codec = ENCODED[name]
    said = write_voice(codec.rate, tmp_path / "voice.wav")
    payloads = encode(tmp_path / "voice.wav", codec.codec, codec.format, tmp_path / "payloads")
    stream = f'rtp_stream="{payloads},-1,{codec.number}"'
    scenario = scenario_of(tmp_path, codec.number, codec.sdp, stream)
    figures[f"SIPp, {name} by FFmpeg, a voice"] = on_time(
        talking, lambda: heard_from_sipp(talking, scenario, tmp_path, said, codec.snr_db)
    )


@pytest.mark.parametrize("name", PACKED)
def test_a_voice_in_packets_of_ffmpeg(
    talking: Device, tmp_path: Path, figures: dict[str, str], name: str
) -> None:
    """The same, where it also decides how samples and codes lie in a packet (RFC 3551 §4.5.4 and
    §4.5.11, RFC 7587). SIPp replays the capture, for which it needs sockets that root only has."""
    if os.geteuid() != 0:
        pytest.skip("raw sockets need root")
    codec, voice = PACKED[name], tmp_path / "voice.wav"
    said = write_voice(codec.rate, voice)
    pcap = packed(voice, codec.options, codec.clock_rate, codec.octets, tmp_path / "voice.pcap")
    scenario = scenario_of(tmp_path, TYPE, codec.sdp, f'play_pcap_audio="{pcap}"')
    figures[f"SIPp, {name} packed by FFmpeg, a voice"] = on_time(
        talking, lambda: heard_from_sipp(talking, scenario, tmp_path, said, codec.snr_db)
    )


def heard_from_sipp(
    talking: Device, scenario: str, folder: Path, said: Samples, snr_db: float
) -> str:
    """Compare what is heard in one call with what is said in it."""
    began, messages = time.monotonic(), folder / f"{time.monotonic_ns()}"
    trace = ("-trace_msg", "-message_file", str(messages))
    wait = ("-d", f"{1e3 * SECONDS:.0f}")
    sipp(scenario, talking.port, folder, *wait, *trace, extension="1098")
    heard = talking.heard(began, time.monotonic() + 0.1)
    start, end = max(loud_spans(heard), key=lambda span: span[1] - span[0])
    piece = heard[round((start + SETTLED) * RATE) : round((end - 0.1) * RATE)]
    found = compared(piece, said)
    spoke = start + SETTLED + found.start + began - acknowledged(messages)
    assert found.gain_db == pytest.approx(0, abs=0.3)
    assert found.snr_db > snr_db
    assert 0.03 < spoke < 0.5  # what a busy machine adds is no fault
    return f"{found.gain_db:+.2f} dB, SNR {found.snr_db:.1f} dB, {1e3 * spoke:.0f} ms after ACK"
