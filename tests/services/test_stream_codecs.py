"""Streams with every codec: sound both ways, pauses, losses, and digits at another clock."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe.audio.format import Samples
from sipstrobe.audio.latency import NORMAL
from sipstrobe.codecs.opus import OpusEncoder
from sipstrobe.codecs.registry import CODECS
from sipstrobe.dtmf.event import TelephoneEvent
from sipstrobe.rtp import packet
from sipstrobe.sdp.formats import SOUNDS
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.services.speech import Recording
from tests.codecs.signals import level_db, speech_like, tone
from tests.services.test_stream import AGREED, PEER, Bench
from tests.support.hear import largest_step, loud_spans, tone_db

EVERY = pytest.mark.parametrize("name", CODECS)
FEC = "useinbandfec=1"


def agreed(name: str, **changes: object) -> MediaParameters:
    """This codec as payload type 96."""
    settled = replace(AGREED, codec=name, payload_type=96, receive_types={96: name})
    return replace(settled, ptime_ms=ptime_ms_of(name), **changes)


def ptime_ms_of(name: str) -> int:
    return SOUNDS[name].ptimes_ms[:2][-1]  # 20, or 10 where that is the longest


@dataclass
class Listener(Bench):
    """Whoever stands before the speaker: all that is played, in samples at 48 kHz."""

    heard: list[Samples] = field(default_factory=list[Samples])
    timestamp: int = 4_294_900_000  # near the wrap

    def _period(self) -> None:
        block = np.zeros(240, np.float32)
        self.stream.ring.read_into(block)
        self.heard.append(block)
        self.clock.call_at(self.clock.time + 0.005, self._period)

    def say(
        self, payload: bytes, units: int, seconds: float, *, number: int = 96, lost: bool = False
    ) -> None:
        """One packet that lasts so long."""
        self.number += 1
        data = packet.build(number, False, self.number & 0xFFFF, self.timestamp, 7, payload)
        self.timestamp = (self.timestamp + units) % 2**32
        if not lost:
            self.rtp.receive(data, PEER, self.clock.time)
        self.clock.advance(seconds)

    def say_all(self, name: str, sound: Samples, ptime: float = 0.020, *, number: int = 96) -> None:
        codec = CODECS[name]
        encoder, size = codec.encoder(""), round(ptime * codec.sample_rate)
        for at in range(0, sound.size - size + 1, size):
            payload = encoder.encode(sound[at : at + size])
            self.say(payload, round(ptime * codec.clock_rate), ptime, number=number)

    def last(self, seconds: float) -> Samples:
        return np.concatenate(self.heard)[-round(seconds * 48000) :]


@EVERY
def test_what_the_caller_says_is_heard_as_loud_and_without_a_gap(name: str) -> None:
    bench = Listener()
    bench.stream.start(agreed(name))
    sound = tone(1000, CODECS[name].sample_rate, 1.0)

    bench.say_all(name, sound, ptime_ms_of(name) / 1000)

    heard = bench.last(0.5).astype(np.float64)
    assert tone_db(heard, 1000) == pytest.approx(level_db(sound), abs=0.5)
    assert largest_step(heard) < 1.3 * 0.25 * 2 * np.pi * 1000 / 48000
    assert bench.stream.statistics.concealed_ms == 0
    assert bench.stream.statistics.invalid == 0


@EVERY
def test_the_caller_hears_what_we_say_as_loud(name: str) -> None:
    bench, codec = Bench(), CODECS[name]
    sound = tone(1000, 48000, 1.0)
    bench.stream.source = Recording(sound)
    bench.stream.start(agreed(name))

    bench.clock.advance(0.9)

    decoder = codec.decoder()
    heard = np.concatenate([decoder.decode(p.payload) for p in bench.sent])
    assert {p.payload_type for p in bench.sent} == {96}
    assert level_db(heard[heard.size // 2 :]) == pytest.approx(level_db(sound), abs=0.5)
    timestamps = np.array([p.timestamp for p in bench.sent])
    assert set(np.diff(timestamps) % 2**32) == {codec.clock_rate * ptime_ms_of(name) // 1000}


def test_what_the_caller_has_said_about_its_codec_is_heeded() -> None:
    """RFC 7587 §6.1: also when it says something else during the call."""
    bench = Bench()
    bench.stream.source = Recording(speech_like(48000, 1.0), loop=True)
    bench.stream.start(agreed("opus", fmtp="maxaveragebitrate=40000;cbr=1"))
    bench.clock.advance(0.5)
    wide = len(bench.sent[-1].payload)

    bench.stream.update(agreed("opus", fmtp="maxaveragebitrate=12000;cbr=1"))
    bench.clock.advance(0.5)

    assert wide > 2 * len(bench.sent[-1].payload)


@pytest.mark.parametrize("ptime", [0.010, 0.020, 0.040, 0.060])
@pytest.mark.parametrize("name", ["opus", "G722", "G726-32", "PCMU"])
def test_packets_may_have_any_length_whatever_was_agreed(name: str, ptime: float) -> None:
    """RFC 3551 §4.2: a receiver takes what comes."""
    bench = Listener()
    bench.stream.start(agreed(name))
    sound = tone(1000, CODECS[name].sample_rate, 1.2)

    bench.say_all(name, sound, ptime)

    assert tone_db(bench.last(0.4).astype(np.float64), 1000) == pytest.approx(
        level_db(sound), abs=0.8
    )
    assert bench.stream.statistics.concealed_ms < 80  # until the buffer knows their rhythm


def test_the_peer_may_turn_to_another_codec_of_ours_without_a_word() -> None:
    """RFC 3264 §5.1: any format that was offered may come at any time, at whatever rates."""
    names = {96: "opus", 9: "G722", 0: "PCMU", 98: "L16/16000"}
    bench = Listener()
    bench.stream.start(agreed("opus", receive_types=names))

    for number in (96, 0, 9, 98, 0, 96):
        name = names[number]
        sound = tone(1000, CODECS[name].sample_rate, 0.5)
        bench.say_all(name, sound, 0.020, number=number)

        heard = bench.last(0.2).astype(np.float64)
        assert tone_db(heard, 1000) == pytest.approx(level_db(sound), abs=0.5), name
    assert bench.stream.statistics.invalid == 0
    assert bench.stream.statistics.jitter_ms < 1


@pytest.mark.parametrize(("name", "number"), [("PCMU", 13), ("G722", 13), ("L16/16000", 105)])
def test_a_pause_with_comfort_noise_is_noise_and_no_loss(name: str, number: int) -> None:
    """RFC 3389: its level is told, and then nothing comes until somebody speaks again."""
    bench, codec = Listener(), CODECS[name]
    bench.stream.start(agreed(name, comfort_noise_type=number))
    sound = tone(1000, codec.sample_rate, 0.4)
    bench.say_all(name, sound)

    for _ in range(3):
        bench.say(bytes([50]), codec.clock_rate // 2, 0.5, number=number)
    noise = bench.last(1.2)
    bench.say_all(name, sound)

    assert level_db(noise) == pytest.approx(-50, abs=1)
    assert all(level_db(piece) > -54 for piece in np.split(noise, 12))
    heard = bench.last(0.2).astype(np.float64)
    assert tone_db(heard, 1000) == pytest.approx(level_db(sound), abs=0.5)
    statistics = bench.stream.statistics
    assert (statistics.concealed_ms, statistics.lost, statistics.invalid) == (0, 0, 0)


def test_noise_ends_when_nobody_is_there_any_more() -> None:
    """A sender who has said that he is silent and then vanishes."""
    bench = Listener()
    bench.stream.start(agreed("PCMU", comfort_noise_type=13))
    bench.say(bytes([50]), 80, 29.0, number=13)
    assert level_db(bench.last(0.5)) > -54

    bench.clock.advance(2.0)

    assert not bench.last(0.5).any()


def test_a_pause_of_opus_is_no_loss() -> None:
    """RFC 7587 §3.1.3: one octet says that silence follows."""
    bench = Listener()
    bench.stream.start(agreed("opus"))
    sound = tone(1000, 48000, 0.4)
    bench.say_all("opus", sound, 0.020)

    for _ in range(3):
        bench.say(b"\x78", 19200, 0.4)
    bench.say_all("opus", sound, 0.020)

    assert bench.stream.statistics.concealed_ms == 0
    assert tone_db(bench.last(0.1).astype(np.float64), 1000) == pytest.approx(
        level_db(sound), abs=0.5
    )


def test_the_first_packet_of_a_word_is_recovered_from_the_one_that_follows() -> None:
    """RFC 7587 §3.3: where no guess could know that somebody begins to speak."""
    voice = np.concatenate([np.zeros(24000, np.float32), speech_like(48000, 0.5)])

    def began(fmtp: str) -> float:
        bench, encoder = Listener(shortest=NORMAL.wait), OpusEncoder(fmtp)
        bench.stream.start(agreed("opus"))
        for n, at in enumerate(range(0, voice.size, 960)):
            payload = encoder.encode(voice[at : at + 960])
            bench.say(payload, 960, 0.020, lost=n == 25)
        assert bench.stream.statistics.lost == 1
        assert bench.stream.statistics.concealed_ms == 20
        heard = np.concatenate(bench.heard).astype(np.float64)
        return loud_spans(heard, threshold_db=-35.0, block=0.005)[0][0]

    assert began(FEC) == pytest.approx(began("") - 0.020, abs=0.008)


def test_junk_is_counted_and_its_time_filled() -> None:
    bench = Listener()
    bench.stream.start(agreed("opus"))
    sound, encoder = tone(1000, 48000, 1.0), OpusEncoder()
    for n, at in enumerate(range(0, sound.size, 960)):
        payload = encoder.encode(sound[at : at + 960])
        bench.say(b"\x7b\x00" if n in (30, 40) else payload, 960, 0.020)

    assert bench.stream.statistics.invalid == 2
    heard = bench.last(0.6)
    assert largest_step(heard.astype(np.float64)) < 2 * 0.25 * 2 * np.pi * 1000 / 48000
    assert min(level_db(piece) for piece in np.split(heard, 60)) > level_db(sound) - 6


@pytest.mark.parametrize("rate", [48000, 8000])
def test_digits_have_the_clock_that_was_agreed_for_them(rate: int) -> None:
    """RFC 4733 §2.3.5: a duration counts in the clock of the events, which some have at 8 kHz
    beside a codec of 48 kHz; RTP's timestamps are those of the stream."""
    bench = Bench()
    bench.stream.start(agreed("opus", event_clock_rate=rate))
    bench.clock.advance(0.1)

    bench.stream.send_digits("5")
    bench.clock.advance(0.4)

    events = [p for p in bench.sent if p.payload_type == 101]
    durations = [TelephoneEvent.parse(p.payload).duration for p in events]
    assert durations == [round(ms * rate / 1000) for ms in (20, 40, 60, 80, 100, 100, 100)]
    assert len({p.timestamp for p in events}) == 1
    after = next(p for p in reversed(bench.sent) if p.payload_type == 96)
    assert (after.timestamp - events[0].timestamp) % 960 == 0
