"""Listening to a stream as it comes."""

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.rtp.packet import Packet
from sipstrobe.services.ear import MOST_FILLED, Ear

TYPES = {0: "PCMU", 9: "G722", 99: "L16/8000"}


class Bench:
    def __init__(self) -> None:
        self.told: list[tuple[Samples, int]] = []
        self.ear = Ear(lambda samples, rate: self.told.append((samples, rate)))
        self.encoder = UlawEncoder()

    def say(self, number: int, level: float = 0.0, payload_type: int = 0) -> None:
        payload = self.encoder.encode(np.full(160, level, np.float32))
        packet = Packet(payload_type, False, number & 0xFFFF, 160 * number, 7, payload)
        self.ear.hear(packet, number, TYPES)

    @property
    def levels(self) -> list[float]:
        return [round(float(samples.mean()), 1) for samples, _ in self.told]


def test_what_comes_is_heard_at_once_and_in_order() -> None:
    bench = Bench()

    for number, level in ((10, 0.1), (11, 0.2), (13, 0.4), (12, 0.3), (13, 0.4), (14, 0.5)):
        bench.say(number, level)

    assert bench.levels == [0.1, 0.2, 0.2, 0.4, 0.5]  # the late one was filled already


@pytest.mark.parametrize(("missing", "filled"), [(MOST_FILLED, MOST_FILLED), (MOST_FILLED + 1, 0)])
def test_a_short_gap_is_filled_with_what_came_before(missing: int, filled: int) -> None:
    bench = Bench()

    bench.say(10, 0.1)
    bench.say(11 + missing, 0.2)

    assert bench.levels == [0.1] * (1 + filled) + [0.2]


def test_each_codec_has_its_rate_and_what_is_no_sound_is_passed_over() -> None:
    bench = Bench()

    bench.say(10)
    bench.say(11, payload_type=9)
    bench.say(12, payload_type=101)

    assert [(samples.size, rate) for samples, rate in bench.told] == [(160, 8000), (320, 16000)]


def test_another_sender_counts_from_anywhere() -> None:
    bench = Bench()

    bench.say(1000, 0.1)
    bench.ear.restart()
    bench.say(3, 0.2)

    assert bench.levels == [0.1, 0.2]


def test_a_payload_that_cannot_be_is_passed_over() -> None:
    bench = Bench()

    bench.ear.hear(Packet(99, False, 1, 0, 7, b"odd"), 1, TYPES)
    bench.say(2, 0.1)

    assert bench.levels == [0.1]
