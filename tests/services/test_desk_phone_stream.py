"""Pages of desk phones, from the packets of their channel to the card."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.policy import Places
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.events import Function, PageState, PageStateChanged
from sipstrobe.multicast import group_paging
from sipstrobe.multicast.group_paging import ALERTS, ENDS, INTERVAL, Page
from sipstrobe.multicast.settings import DeskPhoneSource
from sipstrobe.services.desk_phone_stream import DeskPhoneStream
from tests.services.test_sound import Bench
from tests.support.hear import Samples, tone_db

DESK, DOOR = ("192.0.2.1", 5001), ("192.0.2.2", 5001)
FRAME_TIME = 0.030
OPERATION = OperationId(Function.SIGNALING_LED, 3)


class Hall:
    """A speaker, and what is said of its pages."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.sound.apply_places(Places(calls=2, clips=3))
        self.states: list[tuple[str, str]] = []
        self.bench.context.bus.subscribe(PageStateChanged, self._note)

    def channel(self, label: str, rank: int, *, profile: str = "") -> DeskPhoneStream:
        source = DeskPhoneSource(label=label, channel=26, profile=profile)
        return DeskPhoneStream(self.bench.context, source, rank)

    def play(self, seconds: float, *phones: "Phone", lost: Sequence[int] = ()) -> Samples:
        """What is heard while they speak, but for the packets that are lost."""
        pieces: list[Samples] = []
        for n in range(round(seconds / FRAME_TIME)):
            for phone in phones:
                phone.say(self.bench.clock.now(), lost=n in lost)
            pieces.append(self.bench.play(FRAME_TIME).astype(np.float64))
        return np.concatenate(pieces)

    def _note(self, event: PageStateChanged) -> None:
        self.states.append((event.page, event.state.value))


class Phone:
    """Says a tone on a channel, 30 ms in a packet."""

    def __init__(self, stream: DeskPhoneStream, codec: str = "G722", hertz: float = 500.0) -> None:
        self.stream = stream
        self.source = DESK
        self.hertz = hertz
        code = next(code for code, name in group_paging.CODECS.items() if name == codec)
        self.page = Page(26, 7, "Reception", code)
        self._codec = CODECS[codec]
        self._encoder = self._codec.encoder("")
        self._said = 0

    def alert(self, now: float) -> None:
        self.stream.receive(self.page.alert(), self.source, now)

    def say(self, now: float, *, lost: bool = False) -> None:
        count = round(FRAME_TIME * self._codec.sample_rate)
        at = (self._said + np.arange(count)) / self._codec.sample_rate
        self._said += count
        tone = (0.5 * np.sin(2 * np.pi * self.hertz * at)).astype(np.float32)
        data = self.page.transmit(self._encoder.encode(tone))
        if not lost:
            self.stream.receive(data, self.source, now)

    def end(self, now: float) -> None:
        self.stream.receive(self.page.end(), self.source, now)


@pytest.mark.parametrize("codec", usable(group_paging.CODECS.values()))
def test_a_page_is_heard_in_both_codecs(codec: str) -> None:
    hall = Hall()

    sound = hall.play(0.6, Phone(hall.channel("Floor", 1), codec))

    assert tone_db(sound[len(sound) // 2 :], 500.0) == pytest.approx(-9.0, abs=1.0)
    assert hall.states == [("Floor", "active")]


def test_the_light_shows_the_page_from_its_first_alert_until_its_end() -> None:
    """And nothing of the sound between is lost, which the speaker has been waiting for."""
    hall, orders = Hall(), list[object]()

    def start(command: StartProfile) -> tuple[OperationId, ...]:
        orders.append(command)
        return (OPERATION,)

    hall.bench.context.dispatcher.serve(StartProfile, start)
    hall.bench.context.dispatcher.serve(StopOperations, orders.append)
    phone = Phone(hall.channel("Floor", 1, profile="Notice"), "PCMU")
    started = StartProfile(profile="Notice")
    stopped = StopOperations(operations=(OPERATION,), tolerant=True)

    heard: list[Samples] = []
    for _ in range(ALERTS):
        phone.alert(hall.bench.clock.now())
        heard.append(hall.bench.play(INTERVAL).astype(np.float64))
        assert orders == [started]
    heard.append(hall.play(0.3, phone))
    phone.end(hall.bench.clock.now())
    heard.append(hall.play(0.09))
    assert orders == [started, stopped]
    for _ in range(ENDS - 4):
        phone.end(hall.bench.clock.now())
        heard.append(hall.bench.play(INTERVAL).astype(np.float64))

    at = np.flatnonzero(np.abs(np.concatenate(heard)) > 0.01)
    assert at[0] / SAMPLE_RATE > ALERTS * INTERVAL
    assert (at[-1] - at[0]) / SAMPLE_RATE == pytest.approx(0.3, abs=0.01)
    assert hall.states == [("Floor", "active"), ("Floor", "idle")]
    assert orders == [started, stopped]


def test_a_page_in_which_nobody_speaks_ends_as_well() -> None:
    """The button was only touched: between the alerts and the end there is nothing."""
    hall = Hall()
    phone = Phone(hall.channel("Floor", 1))
    phone.alert(hall.bench.clock.now())
    hall.play(0.3)

    phone.end(hall.bench.clock.now())
    hall.play(0.06)

    assert hall.states == [("Floor", "active"), ("Floor", "idle")]


def test_single_lost_packets_are_not_heard() -> None:
    """What the next packet repeats comes in time where sound waits as usual."""
    hall = Hall()
    phone = Phone(hall.channel("Floor", 1), "PCMU")

    whole = hall.play(0.3, phone)
    holed = hall.play(0.6, phone, lost=range(1, 20, 3))

    levels = [tone_db(piece, 500.0) for piece in np.split(holed, 40)]
    assert min(levels) == pytest.approx(tone_db(whole[-4800:], 500.0), abs=0.5)


def test_the_higher_rank_is_heard_and_two_phones_on_a_channel_are_not_mixed() -> None:
    """MCC-08."""
    hall = Hall()
    fire, floor = hall.channel("Fire", 1), hall.channel("Floor", 5)
    one, other = Phone(floor, hertz=500.0), Phone(floor, hertz=900.0)
    other.source = DOOR

    sound = hall.play(0.6, one, other)[-9600:]
    assert tone_db(sound, 500.0) > -10.0
    assert tone_db(sound, 900.0) < -50.0
    sound = hall.play(0.6, one, Phone(fire, hertz=1300.0))[-9600:]
    assert tone_db(sound, 1300.0) > -10.0
    assert tone_db(sound, 500.0) < -50.0

    assert hall.states == [("Floor", "active"), ("Floor", "hidden"), ("Fire", "active")]
    told = floor.snapshot()
    assert (told["kind"], told["channel"], told["caller_id"]) == ("desk_phones", 26, "Reception")
    assert told["strangers"] == 20


def test_an_unknown_codec_is_counted_and_not_played() -> None:
    """G.726QI; its alerts open the page nevertheless."""
    hall = Hall()
    stream = hall.channel("Floor", 1)
    page = Page(26, 7, "Reception", 0xFF)

    stream.receive(page.alert(), DESK, hall.bench.clock.now())
    for _ in range(5):
        stream.receive(page.transmit(bytes(90)), DESK, hall.bench.clock.now())
        sound = hall.bench.play(FRAME_TIME)
        assert not sound.any()
    hall.bench.play(1.0)

    assert stream.snapshot()["unknown_codec"] == 5
    assert hall.states == [("Floor", "active"), ("Floor", "idle")]


@given(st.lists(st.tuples(st.binary(max_size=40), st.floats(0.0, 0.1)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_to_a_channel_does_no_harm(said: list[tuple[bytes, float]]) -> None:
    hall = Hall()
    stream = hall.channel("Floor", 1)
    chance = random.Random(len(said))
    header = Page(26, 7, "Reception", 9).transmit(b"\1")[:20]

    for data, later in said:
        hall.bench.clock.advance(later)
        before = chance.choice((b"", header))
        stream.receive(before + data, DESK, hall.bench.clock.now())
    hall.bench.clock.advance(2.0)

    assert stream.state is PageState.IDLE
