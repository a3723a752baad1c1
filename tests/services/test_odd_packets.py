"""Packets as some send them: of odd lengths, under other numbers, in ever other codecs."""

from itertools import cycle

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe.audio.latency import NORMAL
from sipstrobe.codecs.registry import CODECS
from tests.codecs.signals import level_db, tone
from tests.services.test_stream_codecs import Listener, agreed
from tests.support.hear import largest_step, tone_db

STEEPEST = 0.25 * 2 * np.pi * 1000 / 48000  # of the tone, between two samples
LOUD = pytest.approx(level_db(tone(1000, 8000, 1.0)), abs=0.8)


@pytest.mark.parametrize(
    "lengths",
    [(104,), (100, 220), (7,), (80, 160, 320, 480), (1, 400)],
    ids=["13 ms", "12.5 and 27.5 ms", "7 samples", "10 to 60 ms", "one sample and 50 ms"],
)
@pytest.mark.parametrize("name", ["PCMU", "L16/8000", "G722"])
def test_packets_of_odd_lengths_are_heard_whole(name: str, lengths: tuple[int, ...]) -> None:
    """RFC 3551 §4.2: a receiver takes what comes; lengths in units of the RTP clock."""
    codec, bench = CODECS[name], Listener(shortest=NORMAL.wait)
    bench.stream.start(agreed(name))
    sound = tone(1000, codec.sample_rate, 1.5)
    encoder, at = codec.encoder(""), 0
    per_unit = codec.sample_rate // codec.clock_rate
    for units in cycle(lengths):
        piece = sound[at : at + units * per_unit]
        at += piece.size
        if piece.size < units * per_unit:
            break
        bench.say(encoder.encode(piece), units, units / codec.clock_rate)

    heard = bench.last(0.6).astype(np.float64)
    assert tone_db(heard, 1000) == LOUD
    assert largest_step(heard) < 1.3 * STEEPEST
    assert (bench.stream.statistics.lost, bench.stream.statistics.invalid) == (0, 0)


def test_numbers_may_differ_in_both_directions_and_change_in_a_call() -> None:
    """RFC 3264 §5.1, §8.3.2: each side is sent to by the numbers that it has named itself."""
    bench, sound = Listener(shortest=NORMAL.wait), tone(1000, 48000, 0.6)
    first = replace(agreed("opus"), payload_type=111, receive_types={96: "opus"})
    bench.stream.start(first)
    bench.say_all("opus", sound)
    assert tone_db(bench.last(0.3).astype(np.float64), 1000) == LOUD
    assert bench.sent[-1].payload_type == 111

    bench.stream.update(replace(first, payload_type=107, receive_types={97: "opus"}))
    bench.say_all("opus", sound, number=97)

    heard = bench.last(0.4).astype(np.float64)
    assert tone_db(heard, 1000) == LOUD
    assert largest_step(heard) < 1.3 * STEEPEST
    assert bench.sent[-1].payload_type == 107
    assert bench.stream.statistics.invalid == 0


def test_a_number_may_mean_another_codec_after_another_offer() -> None:
    """Not as RFC 3264 §8.3.2 wants it; yet some do it."""
    bench = Listener(shortest=NORMAL.wait)
    for name in ("opus", "G722", "L16/16000"):
        bench.stream.start(agreed(name))
        bench.say_all(name, tone(1000, CODECS[name].sample_rate, 0.6))
        assert tone_db(bench.last(0.3).astype(np.float64), 1000) == LOUD


def test_who_changes_the_codec_with_each_packet_is_heard_and_not_followed() -> None:
    """Each change means another buffer and other filters: five a second at the most."""
    numbers = {0: "PCMU", 96: "opus"}
    bench = Listener(shortest=NORMAL.wait)
    bench.stream.start(agreed("opus", receive_types=numbers))
    encoders = {n: CODECS[name].encoder("") for n, name in numbers.items()}
    sounds = {n: tone(1000, CODECS[name].sample_rate, 2.0) for n, name in numbers.items()}
    buffers: list[object] = []
    for count in range(100):
        number = 96 if count % 2 else 0
        codec = CODECS[numbers[number]]
        size = codec.sample_rate // 50
        payload = encoders[number].encode(sounds[number][count * size : (count + 1) * size])
        bench.timestamp = count * codec.clock_rate // 50
        bench.say(payload, 0, 0.020, number=number)
        buffer = bench.stream._playout  # pyright: ignore[reportPrivateUsage]
        if not any(buffer is known for known in buffers):
            buffers.append(buffer)

    assert len(buffers) <= 11
    assert level_db(bench.last(1.0)) > level_db(sounds[0]) - 3
    assert bench.stream.statistics.depth_ms < 250
