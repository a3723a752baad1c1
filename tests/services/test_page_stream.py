"""Pages by multicast, from the packets of their groups to the card."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.policy import Places
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import SourceKind
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, PageState, PageStateChanged
from sipstrobe.multicast.fields import SUITES, Cipher
from sipstrobe.multicast.settings import PageSource
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.secret import Secret
from sipstrobe.services.page_stream import STATIC, PageStream
from tests.services.test_sound import Bench
from tests.support.hear import Samples, tone_db

DESK, DOOR = ("192.0.2.1", 40_000), ("192.0.2.2", 40_000)
PACKET_TIME = 0.020
DYNAMIC = 97
NO_KEY = Secret("")
NUMBERS = {name: number for number, name in STATIC.items()}
OPERATION = OperationId(Function.SIGNALING_LED, 3)


class Talker:
    """Says a tone to a group."""

    def __init__(self, stream: PageStream, codec: str = "PCMU", hertz: float = 500.0) -> None:
        self.stream = stream
        self.codec = CODECS[codec]
        self.number = NUMBERS.get(codec, DYNAMIC)
        self.hertz = hertz
        self.source = DESK
        self.ssrc = 7
        self.sequence = 65_530
        self.timestamp = 0xFFFFFE00
        self.protect: Callable[[bytes], bytes] = bytes
        self.protect_rtcp: Callable[[bytes], bytes] = bytes
        self._encoder = self.codec.encoder("")
        self._said = 0

    def say(self, now: float) -> None:
        """The next 20 ms."""
        count = round(PACKET_TIME * self.codec.sample_rate)
        at = (self._said + np.arange(count)) / self.codec.sample_rate
        self._said += count
        tone = (0.5 * np.sin(2 * np.pi * self.hertz * at)).astype(np.float32)
        payload = self._encoder.encode(tone)
        data = rtp.build(self.number, False, self.sequence, self.timestamp, self.ssrc, payload)
        self.sequence = (self.sequence + 1) % 65_536
        units = round(PACKET_TIME * self.codec.clock_rate)
        self.timestamp = (self.timestamp + units) % (1 << 32)
        self.stream.receive(self.protect(data), self.source, now)

    def bye(self, now: float) -> None:
        report = rtcp.Report(self.ssrc)
        data = rtcp.compound([report, rtcp.Bye((self.ssrc,))])
        source = (self.source[0], self.source[1] + 1)
        self.stream.receive_rtcp(self.protect_rtcp(data), source, now)


class Hall:
    """A speaker whose list has calls in the second place and clips in the third."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.bench.sound.apply_places(Places(calls=2, clips=3))
        self.states: list[tuple[str, str, str]] = []
        self.bench.context.bus.subscribe(PageStateChanged, self._note)

    def page(
        self,
        label: str,
        rank: int,
        codec: str = "PCMU",
        *,
        profile: str = "",
        srtp_key: Secret = NO_KEY,
        cipher: Cipher = "AES_CM_HMAC_SHA1_80",
    ) -> PageStream:
        source = PageSource(
            label=label,
            address="239.1.1.1",
            port=5004,
            profile=profile,
            srtp_key=srtp_key,
            cipher=cipher,
        )
        return PageStream(self.bench.context, source, rank, codec)

    def play(self, seconds: float, *talkers: Talker) -> Samples:
        """What is heard while they talk."""
        pieces: list[Samples] = []
        for _ in range(round(seconds / PACKET_TIME)):
            for talker in talkers:
                talker.say(self.bench.clock.now())
            pieces.append(self.bench.play(PACKET_TIME).astype(np.float64))
        return np.concatenate(pieces)

    def _note(self, event: PageStateChanged) -> None:
        self.states.append((event.page, event.state.value, event.sender))


@pytest.mark.parametrize("codec", usable(CODECS))
def test_a_page_is_heard_in_every_codec(codec: str) -> None:
    """MCC-02."""
    hall = Hall()
    talker = Talker(hall.page("Fire", 1, codec), codec)

    sound = hall.play(0.6, talker)

    assert tone_db(sound[len(sound) // 2 :], 500.0) == pytest.approx(-9.0, abs=1.0)
    assert hall.states == [("Fire", "active", DESK[0])]


def test_nothing_of_the_first_packet_is_lost_nor_of_the_last() -> None:
    """The page ends with its BYE, when what has come until then has been played."""
    hall = Hall()
    page = hall.page("Fire", 1, "L16/48000")
    talker = Talker(page, "L16/48000")
    heard = [hall.play(0.2, talker)]
    talker.bye(hall.bench.clock.now())
    heard.append(hall.play(0.2))

    sound = np.concatenate(heard)
    at = np.flatnonzero(np.abs(sound) > 0.01)
    assert (at[-1] - at[0]) / SAMPLE_RATE == pytest.approx(0.2, abs=0.007)
    assert hall.states == [("Fire", "active", DESK[0]), ("Fire", "idle", DESK[0])]


def test_who_stops_in_the_middle_of_a_word_is_told_apart_from_who_says_good_bye() -> None:
    """And whether he had gone on meanwhile: RFC 3550 §5.1, sequence numbers."""
    hall = Hall()
    page = hall.page("Fire", 1)
    talker = Talker(page)
    hall.play(0.2, talker)
    assert page.parted

    hall.play(0.5)
    assert not page.parted
    talker.sequence += 9
    hall.play(0.2, talker)
    missed, parted = page.missed, page.parted
    talker.bye(hall.bench.clock.now())
    hall.play(0.2)

    assert (missed, parted) == (9, True)
    assert page.parted


def test_a_packet_that_is_read_after_the_bye_is_still_part_of_the_page() -> None:
    """RTP and RTCP come by two sockets, whichever is read first."""
    hall = Hall()
    talker = Talker(hall.page("Fire", 1))
    hall.play(0.2, talker)

    talker.bye(hall.bench.clock.now())
    talker.say(hall.bench.clock.now())
    hall.play(0.15)

    assert [state for _, state, _ in hall.states] == ["active", "idle"]


def test_the_higher_rank_is_heard_and_the_lower_returns_at_once() -> None:
    """MCC-08."""
    hall = Hall()
    fire = Talker(hall.page("Fire", 1), hertz=500.0)
    music = Talker(hall.page("Music", 4), hertz=900.0)

    assert tone_db(hall.play(0.4, music)[-4800:], 900.0) > -10.0
    during = hall.play(0.4, music, fire)[-4800:]
    assert tone_db(during, 500.0) > -10.0
    assert tone_db(during, 900.0) < -50.0
    fire.bye(hall.bench.clock.now())
    waiting = 0.080  # of what fire has said, and 20 ms
    hall.play(waiting, music)
    assert tone_db(hall.play(0.1, music)[-2400:], 900.0) > -10.0

    assert [state[:2] for state in hall.states] == [
        ("Music", "active"),
        ("Music", "hidden"),
        ("Fire", "active"),
        ("Music", "active"),
        ("Fire", "idle"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_at_no_instant_anything_is_heard_but_the_highest_that_speaks(seed: int) -> None:
    """MCC-08: five sources that begin and end, with a BYE or without, at random."""
    hall, chance = Hall(), random.Random(seed)
    talkers = [Talker(hall.page(f"Page {rank}", rank)) for rank in (1, 4, 5, 6, 7)]
    speaking: set[Talker] = set()
    heard: set[str] = set()

    for _ in range(200):
        talker = chance.choice(talkers)
        if talker not in speaking and chance.random() < 0.1:
            speaking.add(talker)
        elif talker in speaking and chance.random() < 0.4:
            speaking.remove(talker)
            if chance.random() < 0.5:
                talker.bye(hall.bench.clock.now())
        for one in [t for t in talkers if t in speaking]:
            one.say(hall.bench.clock.now())
        hall.bench.play(0.005)
        live = [t.stream for t in talkers if t.stream.state is not PageState.IDLE]
        sources = hall.bench.sound.snapshot()["sources"]
        audible = {s["owner"] for s in sources if s["gain"] > 0.0}
        assert audible == {f"page {page.source.label}" for page in live[:1]}
        assert {t.stream for t in speaking} <= set(live)
        heard |= audible
        hall.bench.play(0.015)

    assert len(heard) >= 4


def test_a_call_is_heard_in_its_place_between_two_pages() -> None:
    """GAP-16: calls take part in the ranking, whatever their priority."""
    hall = Hall()
    music, fire = Talker(hall.page("Music", 4)), Talker(hall.page("Fire", 1))
    ring = SampleRing(10 * SAMPLE_RATE)
    ring.write(np.full(ring.capacity, 0.25, np.float32))
    gains: list[float] = []

    def look() -> None:
        sources = hall.bench.sound.snapshot()["sources"]
        gains.append(next(s["gain"] for s in sources if s["owner"] == "call"))

    hall.play(0.1, music)
    hall.bench.add("call", ring, SourceKind.CALL, rank=1)
    hall.play(0.1, music)
    look()
    hall.play(0.1, music, fire)
    look()
    fire.bye(hall.bench.clock.now())
    hall.play(0.2, music)
    look()

    assert gains == [1.0, 0.0, 1.0]
    assert [state for label, state, _ in hall.states if label == "Music"] == ["active", "hidden"]


def test_two_senders_in_a_group_are_not_mixed() -> None:
    hall = Hall()
    page = hall.page("Fire", 1)
    first, second = Talker(page, hertz=500.0), Talker(page, hertz=900.0)
    second.source, second.ssrc = DOOR, 8

    sound = hall.play(0.6, first, second)[-9600:]
    assert tone_db(sound, 500.0) > -10.0
    assert tone_db(sound, 900.0) < -50.0
    sound = hall.play(0.6, second)[-9600:]

    assert tone_db(sound, 900.0) > -10.0
    assert hall.states[-1] == ("Fire", "active", DOOR[0])
    assert page.snapshot()["strangers"] >= 30


def test_a_restart_of_the_sender_is_heard_without_a_gap() -> None:
    hall = Hall()
    talker = Talker(hall.page("Fire", 1))
    hall.play(0.4, talker)

    talker.ssrc, talker.sequence, talker.timestamp = 99, 12, 4_000_000
    sound = hall.play(0.4, talker)

    loud = [tone_db(piece, 500.0) > -20.0 for piece in np.split(sound, 20)]
    assert loud.count(False) <= 4  # the new rhythm begins with the wait of the old one, 60 ms
    assert hall.states == [("Fire", "active", DESK[0])]


def test_the_profile_runs_while_the_page_is_heard_and_not_while_it_is_hidden() -> None:
    """AMB-04."""
    hall = Hall()
    orders: list[object] = []

    def start(command: StartProfile) -> tuple[OperationId, ...]:
        orders.append(command)
        return (OPERATION,)

    hall.bench.context.dispatcher.serve(StartProfile, start)
    hall.bench.context.dispatcher.serve(StopOperations, orders.append)
    music, fire = Talker(hall.page("Music", 4, profile="Notice")), Talker(hall.page("Fire", 1))

    hall.play(0.1, music)
    started = StartProfile(profile="Notice")
    assert orders == [started]
    hall.play(0.1, music, fire)
    stopped = StopOperations(operations=(OPERATION,), tolerant=True)
    assert orders == [started, stopped]
    hall.play(0.4, music)
    assert orders == [started, stopped, started]
    music.stream.close()

    assert orders == [started, stopped, started, stopped]


def test_a_profile_that_is_refused_does_not_keep_the_page_from_being_heard() -> None:
    hall = Hall()

    def refuse(_: StartProfile) -> None:
        raise CommandRefused("unknown_profile", "there is none")

    hall.bench.context.dispatcher.serve(StartProfile, refuse)
    hall.play(0.1, Talker(hall.page("Fire", 1, profile="Notice")))

    assert hall.states == [("Fire", "active", DESK[0])]


@pytest.mark.parametrize(("cipher", "size"), [("AES_CM_HMAC_SHA1_80", 60), ("AES_GCM", 88)])
def test_an_encrypted_page_is_heard_and_ended_by_who_has_the_key(cipher: Cipher, size: int) -> None:
    """MCC-06, GAP-33; a wrong key is told apart from silence."""
    hall, key = Hall(), Secret("0a" * (size // 2))
    page = hall.page("Fire", 1, srtp_key=key, cipher=cipher)
    suite = SUITES[cipher][size]
    right, wrong = GroupSrtp(suite, key), GroupSrtp(suite, Secret("0b" * (size // 2)))
    talker, stranger = Talker(page), Talker(page)
    talker.protect, talker.protect_rtcp = right.protect, right.protect_rtcp
    stranger.protect, stranger.protect_rtcp = wrong.protect, wrong.protect_rtcp

    hall.play(0.6, stranger)
    assert hall.states == []
    told = page.snapshot()
    assert (told["packets"], told["undecipherable"]) == (0, 30)
    assert "another key" in page.problem
    sound = hall.play(0.4, talker)
    assert tone_db(sound[-9600:], 500.0) > -10.0
    assert page.problem == ""
    stranger.ssrc = talker.ssrc
    stranger.bye(hall.bench.clock.now())
    hall.play(0.02, talker)
    assert hall.states[-1][1] == "active"
    talker.bye(hall.bench.clock.now())
    hall.play(0.1)

    assert hall.states[-1][1] == "idle"


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\x0b" + bytes(10), b"\x80\xc8", bytes(200)])
def test_what_is_no_sound_that_we_know_is_counted_and_starts_nothing(data: bytes) -> None:
    """Payload type 11 is stereo or mono L16 at 44.1 kHz (RFC 3551 §6)."""
    hall = Hall()
    page = hall.page("Fire", 1)

    page.receive(data, DESK, hall.bench.clock.now())

    told = page.snapshot()
    assert told["invalid"] + told["unknown_codec"] == 1
    assert hall.states == []


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40), st.floats(0.0, 0.1)), max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_to_a_group_does_no_harm(said: list[tuple[bool, bytes, float]]) -> None:
    hall = Hall()
    page = hall.page("Fire", 1, "opus")

    for is_rtp, data, later in said:
        hall.bench.clock.advance(later)
        now = hall.bench.clock.now()
        if is_rtp:
            page.receive(b"\x80" + data, DESK, now)
        else:
            page.receive_rtcp(data, DESK, now)
    hall.bench.clock.advance(0.5)

    assert page.state is PageState.IDLE
