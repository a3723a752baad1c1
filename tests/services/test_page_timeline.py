"""Ten minutes of twenty sources that begin and end at random, heard period by period (MCC-08).

Each source has a tone of its own, three lines apart in the spectrum of a period of the card: that
says who is in it, also where one begins or ends in its middle. What is heard is laid beside a model
that knows nothing but when who speaks.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from heapq import merge
from typing import Final, Literal, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.policy import Places
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.codecs.registry import CODECS
from sipstrobe.multicast.ranking import ranking
from sipstrobe.multicast.settings import (
    InternalSource,
    Latency,
    MulticastSettings,
    PageSource,
    Source,
)
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp
from sipstrobe.services.page_stream import PageStream
from tests.services.test_sound import PERIOD, Bench

InternalSound = Literal["sip", "stream", "clip"]

SECONDS: Final = 600.0
BEGAN: Final = 100.0  # on the clock of the bench
LAST_END: Final = 1.0  # seconds before the end, at which everybody has fallen silent
PERIODS: Final = round(SECONDS / PERIOD)
PERIODS_PER_SECOND: Final = round(1 / PERIOD)
SOURCES: Final = 20
OWN: Final[dict[int, tuple[InternalSound, SourceKind]]] = {
    6: ("sip", SourceKind.CALL),
    13: ("clip", SourceKind.CLIP),
    16: ("stream", SourceKind.PAGE),
}  # by their place in the list; all others are pages by multicast
TONES: Final = 600.0 * np.arange(1, SOURCES + 1)  # hertz
LEVEL: Final = 0.2
HEARD: Final = 0.25 * LEVEL
NARROW: Final = 10  # places whose tones L16/16000 has as well
PTIMES: Final = (0.010, 0.020, 0.030, 0.060)  # seconds
PROFILES: Final[tuple[Latency, ...]] = ("normal", "low", "ultra_low")
LATE: Final = 0.004  # seconds that a packet is late at the most
PAYLOAD_TYPE: Final = 97

# What is granted, in seconds. A change is heard with the next period and fades for one.
CHANGE_PERIODS: Final = 2
CHANGE: Final = CHANGE_PERIODS * PERIOD
BEGINNING: Final = LATE + CHANGE  # until it is heard, with what the latency profile waits
SAID: Final = 2 * LATE + CHANGE  # the same after BYE, which is late as well, until it is silent
UNSAID: Final = 0.2 + CHANGE  # the same after the last packet, without BYE

Action = tuple[float, Callable[[], object]]
Marks = NDArray[np.bool_]  # [source, period]


class Span(NamedTuple):
    """Somebody speaks. last: when the last packet is sent; end: when its sound ends; said: by BYE
    or, of what is no page, by the order to be silent."""

    start: float
    last: float
    end: float
    said: bool


class Voice:
    """One source of the list: a tone that begins and ends at random.

    Those below speak more often, so that each is heard now and then.
    """

    def __init__(self, place: int, seed: int) -> None:
        self.place = place
        self.chance = random.Random(seed * SOURCES + place)
        self.ptime = self.chance.choice(PTIMES)
        self.wait = 0.0  # of sound before the card takes it
        self.spans: list[Span] = []
        at = BEGAN + self.chance.uniform(0.0, 10.0)
        while True:
            packets = 1 + min(round(self.chance.expovariate(0.5) / self.ptime), 200)
            end = at + packets * self.ptime
            if end > BEGAN + SECONDS - LAST_END:
                return
            self.spans.append(Span(at, end - self.ptime, end, self.chance.random() < 0.5))
            at = end + 0.3 + self.chance.expovariate((1 + place) / 250.0)

    def tone(self, rate: int, seconds: float) -> NDArray[np.float32]:
        at = np.arange(round(rate * seconds)) / rate
        return (LEVEL * np.sin(2 * np.pi * TONES[self.place] * at)).astype(np.float32)


def page(voice: Voice, bench: Bench, source: PageSource, rank: int) -> Iterator[Action]:
    """What its packets and its BYE do, each at its instant."""
    voice.wait = LATENCIES[source.latency].wait + PERIOD  # that the card takes at a time
    codec = CODECS[str(source.codec)]
    stream = PageStream(bench.context, source, rank, codec.name)
    desk = ("192.0.2.1", 40_000)
    payload = codec.encoder("").encode(voice.tone(codec.sample_rate, voice.ptime))
    units = round(voice.ptime * codec.clock_rate)
    number = 0
    for ssrc, span in enumerate(voice.spans):
        for n in range(round((span.end - span.start) / voice.ptime)):
            at = span.start + n * voice.ptime + voice.chance.uniform(0.0, LATE)
            data = rtp.build(PAYLOAD_TYPE, not n, number, n * units, ssrc, payload)
            number = (number + 1) % 65_536
            yield at, partial(stream.receive, data, desk, at)
        if span.said:
            data = rtcp.compound([rtcp.Report(ssrc), rtcp.Bye((ssrc,))])
            at = span.end + LATE
            yield at, partial(stream.receive_rtcp, data, desk, at)


def own_sound(voice: Voice, bench: Bench) -> Iterator[Action]:
    """A call, a clip or an audio stream: there from one instant to the other."""
    name, kind = OWN[voice.place]
    wave = voice.tone(SAMPLE_RATE, PERIOD)
    execute = bench.context.dispatcher.execute
    voice.spans = [span._replace(said=True) for span in voice.spans]
    for span in voice.spans:
        ring = SampleRing(SAMPLE_RATE)
        write = partial(_fill, ring, wave)
        order = AddSource(
            owner=name, kind=kind, ring=ring, rank=1, refill=write, streamed=name == "stream"
        )
        yield span.start, partial(execute, order)
        yield span.end, partial(execute, RemoveSource(owner=name))


def _fill(ring: SampleRing, wave: NDArray[np.float32], lacking: int) -> None:
    for _ in range(lacking // wave.size):
        ring.write(wave)


def the_list(voices: list[Voice]) -> MulticastSettings:
    sources: list[Source] = []
    for voice in voices:
        if voice.place in OWN:
            sources.append(InternalSource(sound=OWN[voice.place][0]))
        else:
            sources.append(
                PageSource(
                    label=str(voice.place),
                    address=f"239.1.1.{voice.place}",
                    port=5004,
                    codec="L16/16000" if voice.place % 2 and voice.place < NARROW else "L16/48000",
                    latency=voice.chance.choice(PROFILES),
                )
            )
    return MulticastSettings(enabled=True, sources=tuple(sources))


def heard_by_period(bench: Bench, actions: Iterator[Action]) -> Marks:
    """Let it all happen; who is in each period that the card plays."""
    bins = np.rint(TONES * PERIOD).astype(int)
    found = np.zeros((SOURCES, PERIODS), np.bool_)
    second = np.zeros((PERIODS_PER_SECOND, round(PERIOD * SAMPLE_RATE)))
    upcoming = next(actions, None)
    for n in range(PERIODS):
        at = BEGAN + n * PERIOD
        while upcoming is not None and upcoming[0] <= at:
            bench.clock.advance_to(upcoming[0])
            upcoming[1]()
            upcoming = next(actions, None)
        bench.clock.advance_to(at)
        place = n % PERIODS_PER_SECOND
        second[place] = bench.cards[-1].period_played()
        if place == PERIODS_PER_SECOND - 1:
            levels = np.abs(np.fft.rfft(second)[:, bins]) * 2 / second.shape[1]
            found[:, n - place : n + 1] = levels.T > HEARD
    assert upcoming is None
    return found


def marked(voices: list[Voice], between: Callable[[Voice, Span], tuple[float, float]]) -> Marks:
    """The periods that begin between two instants of each span."""
    found = np.zeros((SOURCES, PERIODS), np.bool_)
    for voice in voices:
        for span in voice.spans:
            since, until = (np.ceil((at - BEGAN) / PERIOD) for at in between(voice, span))
            found[voice.place, max(int(since), 0) : max(int(until), 0)] = True
    return found


def anyone_above(marks: Marks) -> Marks:
    """Of each source, whether one of a higher rank is marked."""
    found = np.zeros_like(marks)
    found[1:] = np.logical_or.accumulate(marks, axis=0)[:-1]
    return found


class Judged(NamedTuple):
    """Periods. wrong_rank: in which somebody is heard who must not be; missing: in which he who
    must be is not; due: in which somebody waits for one above him."""

    heard: Marks
    wrong_rank: Marks
    missing: Marks
    due: Marks


def judged(seed: int) -> Judged:
    """Let them speak for SECONDS, and lay what is heard beside the model."""
    bench = Bench()
    voices = [Voice(place, seed) for place in range(SOURCES)]
    places = ranking(the_list(voices))
    bench.sound.apply_places(Places(places.sip, places.clip, places.stream))
    actions = [
        *(own_sound(voices[place], bench) for place in OWN),
        *(
            page(voices[int(source.label)], bench, source, rank)
            for rank, source in places.pages
            if isinstance(source, PageSource)
        ),
    ]
    heard = heard_by_period(bench, merge(*actions, key=lambda action: action[0]))

    speaks = marked(voices, lambda _, span: (span.start + BEGINNING, span.end))
    wanted = marked(voices, lambda voice, span: (span.start + voice.wait + BEGINNING, span.end))
    lingers = marked(  # it may still be heard, or already
        voices,
        lambda voice, span: (
            span.start,
            span.end + voice.wait + SAID if span.said else span.last + UNSAID,
        ),
    )
    above = anyone_above(lingers)
    returning = above | np.pad(above, ((0, 0), (CHANGE_PERIODS, 0)))[:, :PERIODS]
    return Judged(
        heard=heard,
        wrong_rank=heard & (anyone_above(speaks) | ~lingers),
        missing=wanted & ~returning & ~heard,
        due=wanted & above,
    )


@pytest.mark.no_cover
def test_for_ten_minutes_nobody_is_heard_out_of_turn() -> None:
    """MCC-08: no millisecond of a wrong rank, but those in which a change is made."""
    found = judged(seed=1)

    assert not found.wrong_rank.any(), told(found.wrong_rank)
    assert not found.missing.any(), told(found.missing)
    assert (found.heard.sum(axis=1) * PERIOD > 0.2).all()  # everybody had his turn
    assert found.due.sum() * PERIOD > 100.0  # and many had to wait for it


def told(marks: Marks) -> str:
    """How long, and the first of them: at which second, from which place."""
    first = sorted((round(n * PERIOD, 3), place) for place, n in np.argwhere(marks).tolist())
    return f"{len(first) * PERIOD * 1e3:.0f} ms: {first[:20]}"
