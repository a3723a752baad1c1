"""What is hidden is not decoded and is back at once; what has ended ends when it has been heard."""

from dataclasses import dataclass

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.registry import CODECS
from sipstrobe.events import PageState, SoundPlayed
from sipstrobe.measure import Histogram
from sipstrobe.multicast.alignment import Alignment
from sipstrobe.services.page_playout import MAX_KEPT, SLICE, WARM_UP, PagePacket, PagePlayout
from tests.services.test_page_stream import PACKET_TIME, Hall, Talker
from tests.services.test_sound import PERIOD
from tests.support.clock import FakeClock
from tests.support.hear import Samples, tone_db

WAIT = 0.060


@dataclass
class Counting:
    """A decoder that counts."""

    decoded: int = 0

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        self.decoded += 1
        return np.zeros(len(payload), np.float32)

    def duration(self, payload: bytes) -> int:
        return len(payload)


class Desk:
    """A playout, and somebody who sends packets of 20 ms to it."""

    def __init__(self, alignment: Alignment | None = None) -> None:
        self.clock = FakeClock(100.0)
        self.playout = PagePlayout(self.clock, WAIT, Histogram(), alignment)
        self.decoder = Counting()
        self.codec: Codec = replace(CODECS["PCMU"], decoder=lambda: self.decoder)
        self.sent = 0
        self.earlier = 0  # timestamp units

    def send(self, count: int = 1) -> None:
        for _ in range(count):
            now, n = self.clock.now(), self.sent
            timestamp = (160 * n - self.earlier) % (1 << 32)
            self.playout.push(PagePacket(self.codec, 0, n, timestamp, bytes(160), now))
            self.sent += 1
            self.clock.advance(PACKET_TIME)


def test_what_is_hidden_is_not_decoded() -> None:
    desk = Desk()
    desk.playout.hear(False)

    desk.send(100)

    assert desk.decoder.decoded == 0
    assert desk.playout.ring.written == 0
    assert desk.playout.level_db is None
    assert desk.playout.due(desk.clock.now()) is None


def test_on_its_return_only_what_is_still_to_be_heard_is_decoded() -> None:
    desk = Desk()
    desk.playout.hear(False)
    desk.send(100)

    desk.playout.hear(True)

    most = round((WAIT + WARM_UP) / PACKET_TIME) + 1
    assert 0 < desk.decoder.decoded <= most
    # The newest packet has come 20 ms ago, so that of all that waits so much is left.
    assert desk.playout.ring.fill / SAMPLE_RATE == pytest.approx(WAIT, abs=0.001)


def test_a_long_backlog_is_worked_off_in_slices() -> None:
    """As it is with a common clock and a long delay: nothing holds up the loop."""
    desk = Desk(Alignment(2.0))
    desk.playout.hear(False)
    desk.send(120)

    desk.playout.hear(True)
    assert desk.decoder.decoded == SLICE
    while (due := desk.playout.due(desk.clock.now())) is not None and due <= desk.clock.now():
        before = desk.decoder.decoded
        desk.playout.play(desk.clock.now())
        assert desk.decoder.decoded <= before + SLICE

    assert desk.decoder.decoded > 90


@pytest.mark.parametrize("ptime_ms", [5, 10])
def test_however_short_the_packets_are_nothing_is_put_between_them(ptime_ms: int) -> None:
    """More than a slice of them is there for the decoder to find its state."""
    desk = Desk()
    desk.playout.hear(False)
    units = 8 * ptime_ms
    for n in range(100):
        now = desk.clock.now()
        desk.playout.push(PagePacket(desk.codec, 0, n, units * n, bytes(units), now))
        desk.clock.advance(ptime_ms / 1000)

    desk.playout.hear(True)
    for _ in range(10):
        desk.playout.play(desk.clock.now())

    ends = desk.playout.ring.fill / SAMPLE_RATE
    assert ends == pytest.approx(WAIT, abs=0.001)


def test_so_many_packets_are_kept_and_no_more() -> None:
    """However many come at once."""
    desk = Desk(Alignment(2.0))
    desk.playout.hear(False)
    for n in range(2 * MAX_KEPT):
        desk.playout.push(PagePacket(desk.codec, 0, n, 160 * n, bytes(160), 100.0))
    desk.playout.hear(True)
    for _ in range(2 * MAX_KEPT):
        desk.playout.play(desk.clock.now())

    assert desk.decoder.decoded <= MAX_KEPT


@pytest.mark.parametrize("codec", ["PCMU", "G722", "L16/48000"])
@pytest.mark.parametrize("hidden", [0.04, 0.1, 1.0, 10.0])
def test_who_was_hidden_goes_on_where_he_would_be(codec: str, hidden: float) -> None:
    """The same samples at the same instants as in a hall in which nobody came between."""
    sounds: list[Samples] = []
    for interrupted in (False, True):
        hall = Hall()
        music, fire = Talker(hall.page("Music", 4, codec), codec), Talker(hall.page("Fire", 1))
        hall.play(0.5, music)
        if interrupted:
            hall.play(hidden, music, fire)
            fire.stream.close()
        else:
            hall.play(hidden, music)
        sounds.append(hall.play(0.5, music))

    after = slice(round(0.012 * SAMPLE_RATE), None)  # a period, and the fade
    alone, returned = (sound[after] for sound in sounds)
    lag = _lag(alone, returned)
    assert abs(lag) <= 0.0055 * SAMPLE_RATE  # what the card takes at a time is not known better
    assert tone_db(returned[:2400], 500.0) == pytest.approx(-9.0, abs=1.0)
    assert np.abs(np.diff(sounds[1])).max() < 0.06  # no click; the tone's own steps are 0.033


def test_the_page_below_is_heard_within_two_periods_of_the_end_of_the_one_above() -> None:
    """By an end packet, as soon as what it has said is over."""
    hall = Hall()
    fire = Talker(hall.page("Fire", 1, "L16/48000"), "L16/48000")
    music = Talker(hall.page("Music", 4))
    hall.play(0.5, fire, music)

    fire.bye(hall.bench.clock.now())
    sound = hall.play(0.2, music)

    loud = np.abs(sound) > 0.05
    silent = np.flatnonzero(~loud)
    gap = _longest_run(silent)
    assert gap / SAMPLE_RATE < 0.020
    assert fire.stream.state is PageState.IDLE


def _longest_run(positions: NDArray[np.int64]) -> int:
    if not positions.size:
        return 0
    runs = np.split(positions, np.flatnonzero(np.diff(positions) > 1) + 1)
    return max(len(run) for run in runs)


def _lag(one: Samples, other: Samples) -> int:
    """By how many samples the other is late, modulo the period of the tone."""
    period = SAMPLE_RATE // 500
    window = one[period * 20 : period * 60]
    fits = [
        float(window @ other[period * 20 + lag : period * 60 + lag])
        for lag in range(-period // 2, period // 2)
    ]
    return int(np.argmax(fits)) - period // 2


@pytest.mark.parametrize("heard_before", [False, True])
def test_who_began_anew_while_he_was_hidden_waits_no_longer_than_others(
    heard_before: bool,
) -> None:
    """His timestamps would mean that all packets come 0.8 s later from then on."""
    desk = Desk()
    desk.playout.hear(heard_before)
    desk.send(20)
    desk.playout.hear(False)
    desk.send(3)

    desk.playout.renew()
    desk.sent += 4000
    desk.earlier = 160 * 4000 + 6400
    desk.send(5)
    desk.playout.ring.skip(desk.playout.ring.fill)  # the card has let it pass unheard
    desk.playout.hear(True)

    assert desk.playout.ring.fill / SAMPLE_RATE == pytest.approx(WAIT, abs=0.001)


def test_who_follows_in_the_middle_of_a_long_backlog_is_heard() -> None:
    """Whatever his numbers are: those of the one before, who has said that he ended, are others."""
    desk = Desk(Alignment(2.0))
    desk.playout.hear(False)
    desk.sent = 30_000
    desk.send(120)
    desk.playout.hear(True)
    desk.playout.end()
    before = desk.decoder.decoded

    desk.playout.renew()
    desk.sent = 100
    desk.send(20)

    assert desk.decoder.decoded == before + 20


@pytest.mark.no_cover
def test_of_many_that_have_fallen_silent_unheard_none_comes_between() -> None:
    """That somebody hidden has stopped is noticed when his turn would come, at the latest."""
    hall = Hall()
    fire, music = Talker(hall.page("Fire", 1)), Talker(hall.page("Music", 900))
    others = [Talker(hall.page(f"Page {n}", n)) for n in range(10, 310)]
    hall.play(0.06, fire, music, *others)
    hall.play(0.16, fire, music)

    fire.bye(hall.bench.clock.now())
    hall.play(0.1, music)

    assert music.stream.state is PageState.ACTIVE
    assert {state for label, state, _ in hall.states if label.startswith("Page")} <= {
        "hidden",
        "idle",
    }


def test_it_is_told_how_long_a_page_was_hidden() -> None:
    hall = Hall()
    told: list[SoundPlayed] = []
    hall.bench.context.bus.subscribe(SoundPlayed, told.append)
    music, fire = Talker(hall.page("Music", 4)), Talker(hall.page("Fire", 1))
    hall.play(1.0, music)
    hall.play(2.0, music, fire)
    fire.stream.close()
    hall.play(1.0, music)

    music.bye(hall.bench.clock.now())
    hall.play(0.5)

    (played,) = [sound for sound in told if sound.owner == "page Music"]
    assert played.hidden_seconds == pytest.approx(2.0, abs=0.05)
    assert played.heard_seconds == pytest.approx(2.0, abs=0.15)


def test_the_end_of_a_page_is_no_underrun() -> None:
    hall = Hall()
    talker = Talker(hall.page("Fire", 1))
    hall.play(0.5, talker)

    talker.bye(hall.bench.clock.now())
    hall.play(0.5)

    assert talker.stream.state is PageState.IDLE
    assert hall.bench.sound.underruns == 0


def test_a_packet_that_is_missing_at_the_end_does_not_keep_the_last_from_being_heard() -> None:
    hall = Hall()
    page = hall.page("Fire", 1, "L16/48000")
    talker = Talker(page, "L16/48000")
    hall.play(0.2, talker)

    talker.sequence += 1  # one gets lost, of 20 ms
    talker.timestamp += 960
    before = hall.bench.clock.now()
    talker.say(before)
    talker.bye(before)
    sound = hall.play(0.3)

    assert np.flatnonzero(np.abs(sound) > 0.01)[-1] * PERIOD / 240 >= 0.060 + 0.015
    assert page.state is PageState.IDLE
