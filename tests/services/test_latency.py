"""How long sound waits, by the setting: audio.latency."""

import random

import numpy as np
import pytest

from sipstrobe.audio.latency import LATENCIES, NORMAL
from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.rtp import packet
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.codecs.signals import level_db, tone
from tests.services.line import Line
from tests.services.line import tone as said
from tests.services.phones import HOST, Peer
from tests.services.test_stream_codecs import Listener, agreed
from tests.support.hear import largest_step, tone_db
from tests.support.leap import LeapClock
from tests.support.waiting import until

PACKET = packet.build(0, True, 1, 0, 7, bytes(160))
EACH = pytest.mark.parametrize("name", LATENCIES)


def test_the_settings_know_the_same_latencies() -> None:
    assert LATENCIES[Settings().audio.latency] == NORMAL
    assert list(LATENCIES) == ["normal", "low", "ultra_low"]


@EACH
def test_a_packet_is_heard_when_the_setting_says(name: str) -> None:
    """From its receipt to the card; the card's own time comes on top of it."""
    wait = LATENCIES[name].wait
    bench = Listener(shortest=wait)
    bench.stream.start(agreed("PCMU"))

    bench.say_all("PCMU", tone(1000, 8000, 2.0))

    took = bench.context.measures.histogram("packet_to_sound_seconds")
    assert took.count > 20
    assert took.total / took.count == pytest.approx(wait, abs=0.006)  # a card of 5 ms
    heard = bench.last(1.0).astype(np.float64)
    assert tone_db(heard, 1000) == pytest.approx(level_db(tone(1000, 8000, 1.0)), abs=0.2)
    assert largest_step(heard) < 1.1 * 0.25 * 2 * np.pi * 1000 / 48000
    assert bench.stream.statistics.concealed_ms == 0


@EACH
def test_with_a_millisecond_of_jitter_nothing_is_missing(name: str) -> None:
    delays = random.Random(3)
    line = Line(shortest=LATENCIES[name].wait, period=120)

    line.run(said(1000, 20), lambda number: delays.random() * 0.001)

    assert line.dry == 0
    assert line.jitter.concealed <= 0.07 * 8000  # at the end only


@EACH
def test_what_a_hold_up_has_added_is_given_back(name: str) -> None:
    """A network that stands still for 150 ms makes the wait long, and 20 s later it is not."""
    wait = LATENCIES[name].wait
    line = Line(shortest=wait, period=120)

    line.run(said(1000, 40), lambda n: max(0.0, (408 - n) * 0.02) if 400 <= n < 408 else 0.0)

    assert line.jitter.target == wait
    assert abs(line.jitter.slack - wait) < 0.5 * wait


@EACH
async def test_a_new_call_has_the_latency_of_the_settings(name: str) -> None:
    factory, peer = MediaFactory(Context(LeapClock()), 21_200), Peer()
    flow = Flow(Transport.UDP, Address(HOST, 5060), Address(HOST, 5062))

    def called() -> CallMedia:
        media = factory.open(flow, lambda: None)
        media.answer(peer.sdp())
        media.begin(proven=True)
        return media

    before = called()
    factory.latency = LATENCIES[name]
    media = called()

    for call in (before, media):
        peer.rtp.sendto(PACKET, (HOST, call.stream.local_port))
        await until(lambda call=call: call.stream.statistics.target_ms > 0)
    assert before.stream.statistics.target_ms == pytest.approx(60)
    assert media.stream.statistics.target_ms == pytest.approx(1000 * LATENCIES[name].wait)
    for end in (before, media, peer):
        end.close()
