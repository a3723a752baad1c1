"""Clips that go out as multicast pages because somebody orders so."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.commands import Command, PageOut, StopPageOut
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import PageOutChanged, PageState, PageStateChanged
from sipstrobe.io.udp import Endpoint
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS
from sipstrobe.lightsiren.sound import Reel
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.packet import Packet
from sipstrobe.services.clip_library import Entry
from sipstrobe.services.group_line import COLLISION, RETRY
from sipstrobe.services.page_out import MAX_PAGES, PATIENCE, PagesOut
from sipstrobe.trace import Cause, Input
from tests.services.relaying import GROUP, PORT, STRANGER, TURN, Air, Line
from tests.support.clock import FakeClock

BEEP = FACTORY_CLIPS["Beep"].sound  # 0.4 s
ONCE = PageOut(clip="Beep", address=GROUP, port=PORT)
AGAIN = PageOut(clip="Beep", address=GROUP, port=PORT, repeat=None)


class Nothing:
    """The sound of a clip whose file is gone."""

    seconds = 1.0

    def open(self) -> Reel:
        raise MediaError("its sound cannot be read")


@dataclass
class Bench:
    """A device that pages, and a group that hears it."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(100.0))

    def __post_init__(self) -> None:
        self.context = Context(self.clock)
        self.air = Air(cast("Any", self))  # which asks it for the time
        self.lines: list[Line] = []
        self.refusal = ""  # why the group cannot be joined
        self.mute = ""  # why nobody can speak to it
        self.told: list[tuple[str, str]] = []
        self.causes: list[Cause | None] = []
        self.context.bus.subscribe(PageOutChanged, self._note)
        self.pages = PagesOut(self.context, _find, self._line)

    def do(self, command: Command) -> Any:
        return self.context.dispatcher.execute(command)

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.clock.advance(0.005)

    def stranger(self, number: int, ssrc: int = 77) -> None:
        """Somebody else says something."""
        said = bytes(Packet(0, False, number, 160 * number, ssrc, b"\xff" * 160))
        self.air.spread(said, STRANGER)

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self.told]

    def _line(self) -> Line:
        line = Line(self.air)
        line.refusal, line.mute = self.refusal, self.mute
        self.lines.append(line)
        return line

    def _note(self, event: PageOutChanged) -> None:
        self.told.append((event.state.value, event.problem))
        self.causes.append(self.context.trace.current)


def _find(name: str) -> Entry | None:
    sounds: dict[str, Any] = {"Beep": BEEP, "Gone": Nothing()}
    return Entry(1, name, sounds[name], None, -1.0) if name in sounds else None


def heard(bench: Bench, codec: str) -> Samples:
    """What those hear who hear the group."""
    decoder = CODECS[codec].decoder()
    return np.concatenate([decoder.decode(p.payload) for p in bench.air.packets])


# --- what goes out ------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", usable(CODECS))
def test_a_clip_goes_out_in_every_codec_as_loud_as_it_is(codec: str) -> None:
    bench = Bench()
    bench.pages.apply(codec)

    bench.do(ONCE)
    bench.play(0.8)

    sound, clip = heard(bench, codec).astype(np.float64), BEEP.open().read(0, BEEP.period_samples)
    seconds = sound.size / CODECS[codec].sample_rate
    assert BEEP.seconds <= seconds <= BEEP.seconds + 0.03
    loud = np.mean(sound**2) * seconds / (np.mean(clip.astype(np.float64) ** 2) * BEEP.seconds)
    assert loud == pytest.approx(1.0, abs=0.1)
    assert bench.states == ["waiting", "speaking", "idle"]


def test_it_is_the_clip_sample_by_sample_as_often_as_was_ordered() -> None:
    """No sample is lost at the seams or at the end."""
    bench = Bench()

    bench.do(PageOut(clip="Beep", address=GROUP, port=PORT, codec="L16/48000", repeat=2))
    bench.play(1.6)

    sound, clip = heard(bench, "L16/48000"), BEEP.open().read(0, BEEP.period_samples)
    wanted = np.tile(clip, 3)
    assert sound[: wanted.size] == pytest.approx(wanted, abs=1e-4)
    assert not sound[wanted.size :].any()
    assert sound.size - wanted.size < SAMPLE_RATE // 100


def test_packets_go_out_one_a_turn_on_a_grid_and_a_bye_as_the_last_has_ended() -> None:
    """RFC 3551 §4.2, RFC 3550 §6.6; the marker says where it begins."""
    bench = Bench()

    bench.do(ONCE)
    bench.play(0.8)

    at = [when for when, _, _ in bench.air.sent]
    assert np.diff(at) == pytest.approx(TURN, abs=1e-6)
    assert bench.air.byes == pytest.approx([at[-1] + TURN], abs=1e-6)
    packets = bench.air.packets
    assert len(packets) == BEEP.seconds / TURN + 1  # what the filter still holds is said as well
    assert [p.marker for p in packets] == [True] + [False] * (len(packets) - 1)
    assert {(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(packets)} == {160}


def test_what_a_hold_up_leaves_out_is_a_pause_and_no_hurry() -> None:
    bench = Bench()
    bench.do(AGAIN)
    bench.play(0.5)
    count = len(bench.air.sent)

    bench.clock.time += 1.0  # nothing runs
    bench.play(0.1)

    after = bench.air.packets[count:]
    assert len(after) <= 12
    steps = [(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(bench.air.packets)]
    assert sum(step > 160 for step in steps) == 1


def test_one_without_end_goes_on_until_it_is_stopped() -> None:
    bench = Bench()
    page, other = bench.do(AGAIN), 99
    bench.play(60.0)

    bench.do(StopPageOut(page=other))
    assert bench.states == ["waiting", "speaking"]
    bench.do(StopPageOut(page=page))
    bench.do(StopPageOut(page=page))

    assert bench.states == ["waiting", "speaking", "idle"]
    assert bench.air.byes == pytest.approx([bench.clock.now()])
    count = len(bench.air.sent)
    bench.play(1.0)
    assert len(bench.air.sent) == count
    assert bench.clock.waiting <= 1  # the timer of all that is sent


# --- who else speaks ----------------------------------------------------------------------------


def test_who_speaks_already_is_waited_for() -> None:
    bench = Bench()
    for number in range(3):
        bench.stranger(number)
    bench.do(ONCE)
    for number in range(3, 100):
        bench.stranger(number)
        bench.play(0.02)

    assert bench.air.sent == []
    assert bench.pages.snapshot()[0]["problem"] == f"{STRANGER[0]} speaks to {GROUP}"
    bye = rtcp.Bye((77,), "")
    bench.air.spread(rtcp.compound([bye]), (STRANGER[0], STRANGER[1] + 1), is_rtcp=True)
    bench.play(0.04)

    assert bench.states == ["waiting", "speaking"]
    assert bench.pages.snapshot()[0]["problem"] == ""


def test_one_with_an_end_is_given_up_after_a_while_and_one_without_is_not() -> None:
    bench = Bench()
    bench.do(ONCE)
    bench.do(AGAIN)

    for number in range(round((PATIENCE + 1.0) / 0.1)):
        bench.stranger(number)
        bench.play(0.1)

    assert bench.air.sent == []
    assert bench.told[2:] == [("idle", f"{STRANGER[0]} speaks to {GROUP}")]
    assert [page["state"] for page in bench.pages.snapshot()] == ["waiting"]


def test_whoever_begins_later_is_not_waited_for() -> None:
    bench = Bench()
    bench.do(AGAIN)
    bench.play(COLLISION + 0.3)

    for number in range(10):
        bench.stranger(number, ssrc=0)
        bench.play(0.02)

    assert bench.states == ["waiting", "speaking"]
    assert bench.air.byes == []


@pytest.mark.parametrize(("ssrc", "byes"), [(0, 1), ((1 << 32) - 1, 0)])
def test_of_two_who_begin_at_once_the_one_with_the_larger_ssrc_ends(ssrc: int, byes: int) -> None:
    bench = Bench()
    bench.do(AGAIN)
    bench.play(COLLISION + 0.03)
    assert bench.air.sent

    bench.stranger(1, ssrc)

    assert len(bench.air.byes) == byes
    assert bench.states[-1] == ("waiting" if byes else "speaking")


def test_two_pages_of_ours_to_a_group_are_said_one_after_the_other() -> None:
    bench = Bench()

    bench.do(ONCE)
    bench.do(ONCE)
    bench.play(2.0)

    assert bench.states.count("idle") == 2
    ports = {port for _, _, port in bench.air.sent}
    spans = [[at for at, _, port in bench.air.sent if port == p] for p in ports]
    whole = [span for span in spans if len(span) >= BEEP.seconds / TURN]
    first, second = sorted((span[0], span[-1]) for span in whole)
    assert first[1] < second[0]
    assert sum(map(len, spans)) <= sum(map(len, whole)) + 2  # of the one that gave way


# --- what keeps it from going out ---------------------------------------------------------------


def test_a_group_that_cannot_be_joined_is_tried_again_until_it_can_be() -> None:
    bench = Bench()
    bench.refusal = "No such device"
    bench.do(AGAIN)
    assert bench.pages.snapshot()[0]["problem"] == f"{GROUP} cannot be joined: No such device"

    bench.play(2.5 * RETRY)
    bench.lines[0].refusal = ""
    bench.play(RETRY + COLLISION + TURN)

    assert bench.states == ["waiting", "speaking"]


def test_a_group_that_cannot_be_spoken_to_is_tried_again_too() -> None:
    bench = Bench()
    bench.mute = "eth9 cannot be used"
    bench.do(AGAIN)

    bench.play(COLLISION + TURN)
    assert bench.pages.snapshot()[0]["problem"] == "eth9 cannot be used"
    bench.lines[0].mute = ""
    bench.play(RETRY + COLLISION + TURN)

    assert bench.states == ["waiting", "speaking"]


def test_one_that_breaks_off_late_is_not_begun_anew() -> None:
    """It has an end, and its time to begin is over."""
    bench = Bench()
    bench.do(PageOut(clip="Beep", address=GROUP, port=PORT, repeat=200))
    bench.play(PATIENCE + 1.0)
    assert bench.states == ["waiting", "speaking"]

    bench.air.refusal = "Network is unreachable"
    bench.play(0.3)

    state, problem = bench.told[-1]
    assert state == "idle"
    assert problem.endswith("Network is unreachable")


def test_a_network_that_is_gone_breaks_a_page_off_and_it_begins_anew() -> None:
    bench = Bench()
    bench.do(AGAIN)
    bench.play(0.5)

    bench.air.refusal = "Network is unreachable"
    bench.play(0.2)
    assert bench.states == ["waiting", "speaking", "waiting"]
    assert "Network is unreachable" in bench.pages.snapshot()[0]["problem"]
    bench.air.refusal = ""
    bench.play(RETRY + 0.3)

    assert bench.states[-1] == "speaking"


def test_one_that_has_an_end_is_not_tried_for_ever() -> None:
    bench = Bench()
    bench.refusal = "No such device"
    bench.do(ONCE)

    bench.play(PATIENCE + 1.0)

    assert bench.told == [
        ("waiting", ""),
        ("idle", f"{GROUP} cannot be joined: No such device"),
    ]
    assert bench.clock.waiting == 0


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (PageOut(clip="None", address=GROUP), "unknown_clip"),
        (PageOut(clip="Gone", address=GROUP), "clip_missing"),
        (PageOut(clip="Beep", address="192.0.2.1"), "address"),
        (PageOut(clip="Beep", address="everybody"), "address"),
        (PageOut(clip="Beep", address=""), "address"),
        (PageOut(clip="Beep", address=GROUP, port=80), "port"),
        (PageOut(clip="Beep", address=GROUP, ttl=0), "ttl"),
        (PageOut(clip="Beep", address=GROUP, interface="a/b"), "interface"),
        (PageOut(clip="Beep", address=GROUP, repeat=-1), "repeat"),
        (PageOut(clip="Beep", address=GROUP, codec=cast("Any", "GSM")), "codec"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(order: PageOut, code: str) -> None:
    bench = Bench()

    with pytest.raises(CommandRefused) as refused:
        bench.do(order)

    assert refused.value.code == code
    assert bench.told == []


def test_there_are_only_so_many_at_once() -> None:
    bench = Bench()
    for _ in range(MAX_PAGES):
        bench.do(AGAIN)

    with pytest.raises(CommandRefused) as refused:
        bench.do(ONCE)

    assert refused.value.code == "too_many_pages"
    bench.pages.close()
    assert bench.pages.snapshot() == []
    assert bench.do(ONCE)


def test_what_a_page_has_led_to_is_no_page() -> None:
    """Else two devices would call each other without end."""
    bench = Bench()
    refused: list[str] = []

    def answer(_: PageStateChanged) -> None:
        try:
            bench.do(ONCE)
        except CommandRefused as refusal:
            refused.append(refusal.code)

    bench.context.bus.subscribe(PageStateChanged, answer)
    active = PageStateChanged(page="Hall", state=PageState.ACTIVE, sender="192.0.2.9")
    bench.context.bus.publish(active)

    assert refused == ["follows_from_page"]
    assert bench.told == []


# --- what is known of it ------------------------------------------------------------------------


def test_nothing_of_it_is_heard_here() -> None:
    bench = Bench()
    found: list[bool] = []

    def listen(data: bytes, source: Endpoint, _: float) -> None:
        found.append((data, source) in bench.pages.own)

    bench.do(ONCE)
    ear = Line(bench.air)
    ear.rtp = ear.rtcp = listen
    bench.play(0.8)

    assert found
    assert all(found)


def test_the_order_is_the_cause_of_all_that_comes_of_it() -> None:
    """The end has come after a while, which begins a chain that a rule may follow without end."""
    bench = Bench()
    with bench.context.trace.input("http", "POST", bench.clock.now()):
        bench.do(ONCE)
    bench.play(0.8)

    for cause in bench.causes:
        assert cause is not None
        whats = [link.what for link in cause.chain()]
        assert any(isinstance(what, PageOut) for what in whats)
        assert whats[-1] == Input("http", "POST")
    last = bench.causes[-1]
    assert last is not None
    assert last.root.what == Input("page out", "Beep")
