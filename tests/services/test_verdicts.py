"""Calls are looked at while they run: what is published, and what remains at the end."""

import pytest
from msgspec.structs import replace

from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.events import CallAudioChanged, Direction
from sipstrobe.io.names import Names
from sipstrobe.rtp.verdict import Verdict
from sipstrobe.sdp.negotiate import Offerable
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.calls import Call
from sipstrobe.services.verdicts import LONGEST_RUN, Verdicts
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.services.test_stream import AGREED, LOUD, PEER, Bench
from tests.support.clock import FakeClock

SILENCE = UlawEncoder().silence(160)


class Scene:
    """One call with a peer that does as it is told."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.context = self.bench.context
        self.told: list[tuple[str, float]] = []
        self.context.bus.subscribe(
            CallAudioChanged, lambda event: self.told.append((event.verdict, event.mos))
        )
        self.verdicts = Verdicts(self.context)
        self.call = call_of(self.bench)
        self.bench.stream.start(AGREED)
        self.verdicts.follow(self.call)

    def talk(self, seconds: float, payload: bytes = LOUD, payload_type: int = 0) -> None:
        self.bench.talk(round(seconds * 50), payload, payload_type=payload_type)

    def rest(self, seconds: float) -> None:
        """Nothing comes; the numbers of the peer go on as if it were sending."""
        self.bench.clock.advance(seconds)

    @property
    def verdict(self) -> Verdict | None:
        return self.call.audio.verdict if self.call.audio is not None else None

    @property
    def story(self) -> list[str]:
        return [verdict for verdict, _ in self.told]


def call_of(bench: Bench, name: str = "in-1") -> Call:
    there = Address(PEER[0], 5060)
    flow = Flow(Transport.UDP, Address("192.0.2.9", 5060), there)
    ours = Offerable(host="192.0.2.9", rtp_port=4000, session_id=7)
    media = CallMedia(bench.context, bench.stream, flow, ours, Names(1))
    media.parameters = AGREED
    return Call(
        id=name,
        direction=Direction.INCOMING,
        account="",
        local_uri="",
        remote_uri="",
        extension="",
        since=0.0,
        media=media,
    )


def test_a_good_call_is_ok_within_a_second_and_that_is_told_once() -> None:
    scene = Scene()

    scene.talk(1.1)
    assert scene.verdict is Verdict.OK
    scene.talk(20.0)

    assert scene.told == [("ok", 4.4)]


def test_nobody_is_accused_before_the_first_packet_had_time_to_come() -> None:
    scene = Scene()
    scene.rest(1.5)
    assert scene.verdict is Verdict.NOT_YET
    assert scene.story == []

    scene.rest(1.0)

    assert scene.verdict is Verdict.NO_RTP_IN
    assert scene.story == ["no_rtp_in"]


def test_who_falls_silent_and_speaks_again_is_followed() -> None:
    scene = Scene()
    scene.talk(10.0)
    scene.rest(7.0)
    scene.talk(10.0, SILENCE)
    scene.talk(10.0)

    assert scene.story == ["ok", "no_rtp_in", "ok", "silent", "ok"]


def test_a_short_hiccup_is_not_worth_a_word() -> None:
    scene = Scene()
    scene.talk(10.0)
    scene.rest(2.0)
    scene.talk(10.0)

    assert scene.story == ["ok"]


def test_what_begins_to_go_wrong_in_the_middle_counts_from_then_on() -> None:
    """Counts are of the last seconds, not of the whole call."""
    scene = Scene()
    scene.talk(30.0)
    scene.talk(8.0, payload_type=18)

    assert scene.verdict is Verdict.CODEC_MISMATCH
    assert scene.call.audio is not None
    assert "18" in scene.call.audio.words


def lose(scene: Scene, seconds: float) -> None:
    """Every third packet is lost on the way."""
    for _ in range(round(seconds * 50 / 3)):
        scene.bench.talk(2)
        scene.bench.number += 1
        scene.rest(0.020)


def test_a_port_that_closes_just_before_the_call_ends_is_no_trouble() -> None:
    """A phone that hangs up may close its socket before its BYE has come (ICMP is faster)."""
    scene = Scene()
    scene.talk(3.1)
    scene.bench.rtp.unreachable = 2
    scene.talk(1.0)
    assert scene.story == ["ok"]

    scene.talk(1.0)
    assert scene.story == ["ok", "blocked_port"], "one that stays closed is"


def test_loss_makes_a_call_poor_and_the_score_says_how_poor() -> None:
    scene = Scene()
    scene.talk(5.0)
    lose(scene, 10.0)

    assert scene.verdict is Verdict.POOR
    assert scene.told[0] == ("ok", 4.4)
    assert scene.told[-1][0] == "poor"
    assert scene.told[-1][1] < 2.5


def test_at_the_end_the_trouble_that_lasted_is_the_verdict_of_the_call() -> None:
    scene = Scene()
    scene.talk(30.0)
    scene.rest(20.0)

    scene.verdicts.conclude(scene.call)

    report = scene.call.audio
    assert report is not None
    assert report.verdict is Verdict.NO_RTP_IN
    assert report.seconds[Verdict.OK] == pytest.approx(34, abs=2)
    assert report.seconds[Verdict.NO_RTP_IN] == pytest.approx(16, abs=2)
    assert scene.story[-1] == "none"


def test_at_the_end_a_moment_of_trouble_is_forgiven_and_the_quality_is_of_the_whole() -> None:
    scene = Scene()
    scene.talk(20.0)
    lose(scene, 1.5)
    scene.talk(60.0)
    live = scene.call.audio

    scene.verdicts.conclude(scene.call)

    report = scene.call.audio
    assert live is not None
    assert live.loss == 0.0
    assert report is not None
    assert report.verdict is Verdict.OK
    assert report.loss == pytest.approx(25 / 4075, rel=0.05)


def test_a_call_that_was_never_heard_is_not_fine_however_short() -> None:
    scene = Scene()
    scene.rest(2.5)

    scene.verdicts.conclude(scene.call)

    assert scene.verdict is Verdict.NO_RTP_IN


def test_silence_counts_from_when_it_began() -> None:
    """It takes a while to be sure, and then it is sure of the while."""
    scene = Scene()
    scene.talk(6.0, SILENCE)

    scene.verdicts.conclude(scene.call)

    assert scene.verdict is Verdict.SILENT
    assert scene.call.audio is not None
    assert scene.call.audio.seconds[Verdict.SILENT] == pytest.approx(6.0, abs=0.5)


def test_a_call_of_a_second_cannot_be_judged() -> None:
    scene = Scene()
    scene.rest(0.9)

    scene.verdicts.conclude(scene.call)

    assert scene.verdict is Verdict.NOT_YET
    assert scene.story == []


def test_after_the_end_nobody_looks_any_more() -> None:
    scene = Scene()
    scene.talk(5.0)
    scene.verdicts.conclude(scene.call)
    scene.verdicts.conclude(scene.call)
    scene.bench.stream.close()
    told = len(scene.told)

    scene.rest(10.0)

    assert len(scene.told) == told


def test_a_call_on_hold_is_on_hold() -> None:
    scene = Scene()
    scene.talk(3.0)
    assert scene.call.media is not None
    held = replace(AGREED, direction=type(AGREED.direction).INACTIVE, on_hold=True)
    scene.call.media.parameters = held
    scene.bench.stream.update(held)

    scene.rest(7.0)

    assert scene.story == ["ok", "on_hold"]


def test_figures_count_calls_by_their_verdict() -> None:
    scene = Scene()
    scene.talk(3.0)
    running = list(scene.context.measures.prometheus())
    scene.verdicts.conclude(scene.call)
    ended = list(scene.context.measures.prometheus())

    assert 'sip_calls_by_verdict{verdict="ok"} 1' in running
    assert 'sip_calls_ended_total{verdict="ok"} 1' in ended
    assert "# TYPE sip_calls_ended_total counter" in ended
    assert 'sip_calls_by_verdict{verdict="ok"} 1' not in ended
    assert "call_mos_count 1" in ended


class Toilsome(FakeClock):
    """A clock on which every question takes a while; `asked` are the questions of each run."""

    toil = 0.0

    def __init__(self) -> None:
        super().__init__(50.0)
        self.asked: list[int] = []

    def now(self) -> float:
        self.time += self.toil
        if self.asked:
            self.asked[-1] += 1
        return self.time

    def begin_run(self) -> None:
        self.asked.append(0)


def test_many_calls_share_a_timer_and_do_not_hold_up_the_loop() -> None:
    clock = Toilsome()
    bench = Bench(clock, card=False)
    looked: list[str] = []
    bench.context.bus.subscribe(CallAudioChanged, lambda event: looked.append(event.call))
    verdicts = Verdicts(bench.context)
    waiting = clock.waiting
    for number in range(100):
        verdicts.follow(call_of(bench, f"in-{number}"))
    assert clock.waiting == waiting + 1
    clock.toil = LONGEST_RUN / 20

    for _ in range(200):
        clock.begin_run()
        clock.advance(0.02)

    assert len(set(looked)) == len(looked) == 100
    assert max(clock.asked) < 80  # to look at all of them in one go would take some hundreds
