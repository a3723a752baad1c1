"""The speaker: who is heard, from the command to the sample."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import REFILL_SAMPLES, AddSource, HearSource, RemoveSource, SourceKind
from sipstrobe.clock import Clock, LoopClock
from sipstrobe.commands import SetVolume
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import ServiceStateChanged, VolumeChanged
from sipstrobe.io.soundcard import Buffering, Output, Render
from sipstrobe.services.sound import MAX_SOURCES, SOURCES_TOLD, Sound
from tests.support.clock import FakeClock

BLOCK = 240
PERIOD = BLOCK / SAMPLE_RATE


class HandCard:
    """An output whose periods a test plays by hand, 5 ms each."""

    def __init__(self, clock: Clock, problem: str = "", blocking: bool = False) -> None:
        self.blocking = blocking
        self.name = "hand"
        self.period = PERIOD
        self.periods = 0
        self.late = 0
        self.problem = ""
        self.refusal = problem
        self.running = False
        self._next_at = 0.0
        self._clock = clock
        self._render: Render | None = None

    @property
    def next_at(self) -> float | None:
        return max(self._clock.now(), self._next_at)

    def open(self, render: Render) -> None:
        if self.refusal:
            raise MediaError(self.refusal)
        self._render = render

    def close(self) -> None:
        self._render = None

    def run(self) -> None:
        self.running = True

    def rest(self) -> None:
        self.running = False

    def catch_up(self) -> None:
        pass

    def period_played(self) -> Samples:
        out = np.full(BLOCK, 9.0, np.float32)
        assert self._render is not None
        self._render(out, self._clock.now())
        self._next_at = self._clock.now() + PERIOD
        self.periods += 1
        return out


class Bench:
    """A sound service on a fake clock, with a card played by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock(100.0)
        self.context = Context(self.clock)
        self.cards: list[HandCard] = []
        self.names: list[str] = []
        self.bufferings: list[Buffering] = []
        self.problem = ""  # why the next card cannot be opened
        self.states: list[ServiceStateChanged] = []
        self.context.bus.subscribe(ServiceStateChanged, self.states.append)
        self.sound = Sound(self.context, self._make)
        self.sound.apply(AudioSettings(output="hand"))

    def _make(self, name: str, clock: Clock, sample_rate: int, buffering: Buffering) -> Output:
        assert sample_rate == SAMPLE_RATE
        self.names.append(name)
        self.bufferings.append(buffering)
        self.cards.append(HandCard(clock, self.problem))
        return self.cards[-1]

    def add(
        self,
        owner: str,
        ring: SampleRing,
        kind: SourceKind = SourceKind.CALL,
        rank: int = 0,
        refill: Callable[[int], None] | None = None,
        heard: bool = True,
    ) -> None:
        self.context.dispatcher.execute(
            AddSource(owner=owner, kind=kind, ring=ring, rank=rank, refill=refill, heard=heard)
        )

    def hear(self, owner: str, heard: bool) -> None:
        self.context.dispatcher.execute(HearSource(owner=owner, heard=heard))

    def remove(self, owner: str) -> None:
        self.context.dispatcher.execute(RemoveSource(owner=owner))

    def play(self, seconds: float) -> Samples:
        """What the card plays in this time, the loop doing its part meanwhile."""
        heard: list[Samples] = []
        for _ in range(round(seconds / PERIOD)):
            heard.append(self.cards[-1].period_played())
            self.clock.advance(PERIOD)
        return np.concatenate(heard)


def _constant(value: float, seconds: float = 1.0) -> SampleRing:
    ring = SampleRing(round(seconds * SAMPLE_RATE))
    ring.write(np.full(ring.capacity, value, np.float32))
    return ring


def _largest_step(sound: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(sound, prepend=0.0)).max())


def test_what_a_source_writes_is_played_sample_for_sample() -> None:
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    ramp = np.linspace(-0.5, 0.5, 9600, dtype=np.float32)
    ring.write(ramp)

    bench.add("call 1", ring)

    assert np.array_equal(bench.play(0.2)[BLOCK:], ramp[BLOCK:])


def test_two_calls_are_heard_together() -> None:
    bench = Bench()
    bench.add("call 1", _constant(0.25))
    bench.add("call 2", _constant(0.5))

    assert bench.play(0.1)[-1] == 0.75


def test_a_siren_and_a_call_are_heard_together_and_the_health_check_alone() -> None:
    bench = Bench()
    bench.add("siren", _constant(0.25), SourceKind.SIREN, rank=5)
    bench.add("call", _constant(0.25))
    assert bench.play(0.1)[-1] == 0.5

    bench.add("health check", _constant(0.125), SourceKind.TONE, rank=11)
    assert bench.play(0.1)[-1] == 0.125

    bench.remove("health check")
    assert bench.play(0.1)[-1] == 0.5


def test_a_source_that_is_not_heard_goes_on_and_is_joined_where_it_has_got_to() -> None:
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    ring.write(np.linspace(0.0, 0.5, SAMPLE_RATE, dtype=np.float32))
    bench.add("call", ring)
    bench.add("check", _constant(0.1), SourceKind.TONE, rank=11)

    bench.play(0.5)

    assert ring.consumed == SAMPLE_RATE // 2


def test_a_source_waits_silently_for_its_turn_and_is_heard_from_where_it_has_got_to() -> None:
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    ring.write(np.linspace(0.0, 0.5, SAMPLE_RATE, dtype=np.float32))
    bench.add("call 1", _constant(0.25))
    bench.add("call 2", ring, heard=False)
    assert bench.play(0.5)[-1] == 0.25

    bench.hear("call 1", False)
    bench.hear("call 2", True)
    joined = bench.play(0.1)

    assert joined[-1] == pytest.approx(0.3, abs=1e-3)
    assert float(np.abs(np.diff(joined)).max()) < 0.01
    bench.hear("nobody", True)  # has gone meanwhile


def test_who_is_not_to_be_heard_silences_nobody() -> None:
    bench = Bench()
    bench.add("call", _constant(0.25))
    bench.add("health check", _constant(0.125), SourceKind.TONE, rank=11, heard=False)

    assert bench.play(0.1)[-1] == 0.25


def test_a_removed_source_is_silent_within_10_ms_and_nothing_clicks() -> None:
    bench = Bench()
    bench.add("call", _constant(0.5))
    before = bench.play(0.1)

    bench.remove("call")
    after = bench.play(0.1)

    assert not after[round(0.010 * SAMPLE_RATE) :].any()
    assert _largest_step(np.concatenate([before, after])) < 0.005
    assert bench.context.measures.histogram("remove_to_silence_seconds").largest <= 0.010


def test_with_nothing_to_hear_the_card_may_rest_and_wakes_for_the_next() -> None:
    bench = Bench()
    card = bench.cards[-1]
    assert not card.running

    bench.add("call", _constant(0.5))
    assert card.running

    bench.remove("call")
    assert card.running  # it fades first
    bench.play(0.1)
    assert not card.running


def test_a_source_that_makes_its_sound_is_asked_for_it_ahead_of_time() -> None:
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    asked: list[int] = []

    def refill(count: int) -> None:
        asked.append(count)
        ring.write(np.full(count, 0.5, np.float32))

    bench.add("siren", ring, SourceKind.SIREN, refill=refill)
    assert asked == [REFILL_SAMPLES]

    heard = bench.play(1.0)
    assert np.all(heard[BLOCK:] == 0.5)
    assert REFILL_SAMPLES - 2 * 960 < ring.fill <= REFILL_SAMPLES


def test_the_way_from_the_input_to_the_first_sample_is_measured() -> None:
    """The input came 2 ms before the command; the card's next period is 3 ms away."""
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    ring.write(np.concatenate([np.zeros(48, np.float32), np.full(4800, 0.5, np.float32)]))

    with bench.context.trace.input("datagram", "INVITE", bench.clock.now() - 0.002):
        bench.add("siren", ring, SourceKind.SIREN, refill=lambda _: None)
    bench.clock.advance(0.003)
    bench.play(0.1)

    measured = bench.context.measures.histogram("plan_to_sound_seconds")
    assert measured.count == 1
    assert measured.largest == pytest.approx(0.002 + 0.003 + 0.001, abs=0.0001)


def test_adding_an_owner_again_crosses_over_to_the_new_source() -> None:
    bench = Bench()
    bench.add("siren", _constant(0.5))
    before = bench.play(0.1)

    bench.add("siren", _constant(0.25))
    after = bench.play(0.1)

    assert after[-1] == 0.25
    assert _largest_step(np.concatenate([before, after])) < 0.005
    assert len(bench.sound.snapshot()["sources"]) == 1


def test_removing_an_owner_without_a_source_does_nothing() -> None:
    bench = Bench()

    bench.remove("nobody")

    assert not bench.play(0.02).any()


def test_more_sources_than_the_bound_are_refused() -> None:
    bench = Bench()
    ring = SampleRing(480)
    for n in range(MAX_SOURCES):
        bench.add(f"call {n}", ring)

    with pytest.raises(CommandRefused, match="listed already") as refused:
        bench.add("one too many", ring)

    assert refused.value.code == "too_many_sources"
    bench.add("call 0", ring)  # in place of the one it has


def test_no_number_of_calls_keeps_the_siren_out() -> None:
    bench = Bench()
    ring = SampleRing(480)
    for n in range(MAX_SOURCES):
        bench.add(f"call {n}", ring)

    bench.add("siren", ring, kind=SourceKind.SIREN, rank=5)

    status = bench.sound.snapshot()
    assert status["sources"][0]["owner"] == "siren"
    assert (len(status["sources"]), status["sources_total"]) == (SOURCES_TOLD, MAX_SOURCES + 1)


def test_volume_and_mute_act_at_once_and_without_a_click() -> None:
    bench = Bench()
    bench.add("call", _constant(0.5))
    heard = [bench.play(0.05)]

    bench.context.dispatcher.execute(SetVolume(volume_db=-6.0))
    heard.append(bench.play(0.05))
    bench.context.dispatcher.execute(SetVolume(muted=True))
    heard.append(bench.play(0.05))
    bench.sound.apply(AudioSettings(output="hand", volume_db=-20.0))
    bench.context.dispatcher.execute(SetVolume(muted=False))
    heard.append(bench.play(0.05))

    levels = [part[-1] for part in heard]
    assert levels == pytest.approx([0.5, 0.5 * 10 ** (-6 / 20), 0.0, 0.05], abs=1e-6)
    assert _largest_step(np.concatenate(heard)) < 0.005


def test_a_volume_that_changes_is_told_once() -> None:
    bench = Bench()
    told: list[VolumeChanged] = []
    bench.context.bus.subscribe(VolumeChanged, told.append)

    bench.context.dispatcher.execute(SetVolume(volume_db=-6.0))
    bench.context.dispatcher.execute(SetVolume(volume_db=-6.0))
    bench.context.dispatcher.execute(SetVolume(muted=True))

    assert told == [
        VolumeChanged(volume_db=-6.0, muted=False),
        VolumeChanged(volume_db=-6.0, muted=True),
    ]


@pytest.mark.parametrize("volume_db", [0.5, -60.5, float("nan")])
def test_a_volume_out_of_range_is_refused(volume_db: float) -> None:
    with pytest.raises(CommandRefused):
        Bench().context.dispatcher.execute(SetVolume(volume_db=volume_db))


def test_the_status_shows_levels_of_what_is_heard() -> None:
    bench = Bench()
    assert bench.sound.snapshot()["peak_db"] == -120.0

    bench.add("call", _constant(0.5))
    bench.play(0.2)

    status = bench.sound.snapshot()
    assert (status["output"], status["working"], status["peak_db"]) == ("hand", True, -6.0)
    [source] = status["sources"]
    assert (source["owner"], source["kind"], source["gain"]) == ("call", "call", 1.0)
    assert (source["peak_db"], source["rms_db"], source["underruns"]) == (-6.0, -6.0, 0)


def test_a_source_that_runs_dry_is_counted_also_after_it_has_gone() -> None:
    bench = Bench()
    bench.add("call", _constant(0.5, seconds=0.05))
    heard = bench.play(0.1)

    assert _largest_step(heard) < 0.005
    assert bench.sound.underruns == 1

    bench.remove("call")
    bench.play(0.1)
    assert bench.sound.underruns == 1


# --- the output ---


def test_another_output_takes_over_while_it_plays() -> None:
    bench = Bench()
    bench.add("call", _constant(0.5))
    bench.play(0.1)

    bench.sound.apply(AudioSettings(output="another"))
    faded = bench.play(0.03)
    taken_over = bench.play(0.1)

    assert bench.names == ["hand", "another"]
    assert not faded[-1]
    assert taken_over[-1] == 0.5
    assert _largest_step(taken_over) < 0.005


def test_another_latency_opens_the_card_anew() -> None:
    bench = Bench()
    bench.add("call", _constant(0.5))
    bench.play(0.1)

    bench.sound.apply(AudioSettings(output="hand", latency="ultra_low"))
    faded = bench.play(0.03)
    taken_over = bench.play(0.1)

    assert bench.names == ["hand", "hand"]
    assert bench.bufferings == [Buffering(0.010, 0.050), Buffering(0.0025, 0.005)]
    assert not faded[-1]
    assert taken_over[-1] == 0.5


def test_a_file_goes_on_whatever_the_latency(tmp_path: Path) -> None:
    """There is no card that could be asked for less, and opened anew it would be empty."""
    clock, path = FakeClock(), tmp_path / "played.wav"
    sound = Sound(Context(clock))
    sound.apply(AudioSettings(output=f"wav:{path}"))
    clock.advance(0.5)

    sound.apply(AudioSettings(output=f"wav:{path}", latency="low"))
    clock.advance(0.1)

    assert path.stat().st_size > 0.5 * SAMPLE_RATE * 2


def test_a_file_on_a_full_disk_is_reported(tmp_path: Path) -> None:
    clock = FakeClock()
    context = Context(clock)
    states: list[ServiceStateChanged] = []
    context.bus.subscribe(ServiceStateChanged, states.append)
    sound = Sound(context)
    sound.apply(AudioSettings(output=f"wav:{tmp_path}/full.wav"))
    assert [state.working for state in states] == [True]

    (tmp_path / "full.wav").unlink()
    (tmp_path / "full.wav").symlink_to("/dev/full")
    sound.apply(AudioSettings(output="null"))
    sound.apply(AudioSettings(output=f"wav:{tmp_path}/full.wav"))
    clock.advance(2.0)

    assert not states[-1].working
    assert "No space left on device" in states[-1].problem
    assert sound.snapshot()["problem"] == states[-1].problem


def test_an_output_that_cannot_be_opened_is_reported_replaced_and_tried_again() -> None:
    bench = Bench()
    ring = _constant(0.5, seconds=10.0)
    bench.add("call", ring)
    bench.problem = "It is on fire."

    bench.sound.apply(AudioSettings(output="burning"))
    bench.clock.advance(1.0)

    assert bench.states == [
        ServiceStateChanged(service="sound", working=True, problem=""),
        ServiceStateChanged(service="sound", working=False, problem="It is on fire."),
    ]
    assert bench.sound.snapshot()["output"] == "null"
    assert ring.consumed == pytest.approx(0.97 * SAMPLE_RATE, abs=480)  # played to nobody

    bench.clock.advance(2.0)
    assert bench.names[1:] == ["burning"] * 2  # after 1 s, and not yet after 2 more

    bench.problem = ""
    bench.clock.advance(1.0)
    assert bench.states[-1] == ServiceStateChanged(service="sound", working=True, problem="")
    assert bench.sound.snapshot()["output"] == "hand"
    assert bench.play(0.1)[-1] == 0.5


class BrokenRing(SampleRing):
    def read_into(self, out: Samples) -> int:
        raise ValueError("this is broken")


def test_a_fault_of_the_mixing_is_a_silent_period_and_not_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.add("call", _constant(0.5, seconds=3.0))
    bench.play(0.5)

    bench.add("broken", BrokenRing(480))
    assert not bench.play(0.05).any()
    bench.remove("broken")
    assert bench.play(1.0)[-1] == 0.5

    assert "10 periods could not be mixed" in caplog.text
    assert "this is broken" in caplog.text


async def test_a_card_that_hangs_is_replaced() -> None:
    """Opening and closing happen in a thread; the loop goes on, and so does the sound."""
    clock = FakeClock()
    context = Context(clock)
    states: list[ServiceStateChanged] = []
    context.bus.subscribe(ServiceStateChanged, states.append)
    cards: list[HandCard] = []

    def make(name: str, clock: Clock, sample_rate: int, buffering: Buffering) -> Output:
        cards.append(HandCard(clock, blocking=True))
        return cards[-1]

    sound = Sound(context, make)
    sound.apply(AudioSettings(output="card"))
    assert sound.snapshot()["output"] == "null"  # until it is open
    await sound.settled()
    assert sound.snapshot()["output"] == "hand"
    cards[0].period_played()
    clock.advance(1.0)
    assert [state.working for state in states] == [True]

    clock.advance(1.0)
    await _until(lambda: len(states) == 2)
    assert states[-1].problem == "The sound card hand hangs."
    assert sound.snapshot()["output"] == "null"

    clock.advance(1.0)
    await _until(lambda: len(states) == 3)
    assert states[-1].working
    await sound.aclose()


class SlowCard(HandCard):
    """Opens and closes only when it may."""

    def __init__(self, clock: Clock, name: str) -> None:
        super().__init__(clock, blocking=True)
        self.name = name
        self.may_open = threading.Event()
        self.may_close = threading.Event()

    def open(self, render: Render) -> None:
        assert self.may_open.wait(5)
        super().open(render)

    def close(self) -> None:
        assert self.may_close.wait(5)
        super().close()


class SlowBench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.cards: list[SlowCard] = []
        self.sound = Sound(self.context, self._make)

    def _make(self, name: str, clock: Clock, sample_rate: int, buffering: Buffering) -> Output:
        self.cards.append(SlowCard(clock, name))
        return self.cards[-1]

    def want(self, output: str) -> None:
        self.sound.apply(AudioSettings(output=output))

    @property
    def output(self) -> str:
        return str(self.sound.snapshot()["output"])


async def test_who_wants_another_card_while_the_first_still_opens_gets_the_last_named() -> None:
    bench = SlowBench()
    bench.want("first")
    bench.want("second")
    bench.want("third")
    assert [card.name for card in bench.cards] == ["first"]

    bench.cards[0].may_open.set()
    bench.cards[0].may_close.set()
    await _until(lambda: len(bench.cards) == 2)
    bench.cards[1].may_open.set()
    await _until(lambda: bench.output == "third")

    bench.cards[1].may_close.set()
    await bench.sound.aclose()


async def test_the_end_comes_when_what_is_being_opened_is_closed_again() -> None:
    """A process that ends while PortAudio starts in a thread would crash."""
    bench = SlowBench()
    bench.want("slow")

    ending = asyncio.ensure_future(bench.sound.aclose())
    await asyncio.sleep(0.01)
    assert not ending.done()
    bench.cards[0].may_open.set()
    await asyncio.sleep(0.01)
    assert not ending.done()
    bench.cards[0].may_close.set()

    await ending


async def test_a_card_that_neither_opens_nor_closes_does_not_hold_up_the_end() -> None:
    bench = SlowBench()
    bench.want("slow")
    await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await bench.sound.aclose()
    bench.cards[0].may_open.set()
    bench.cards[0].may_close.set()

    bench = SlowBench()
    bench.want("hung")
    bench.cards[0].may_open.set()
    await bench.sound.settled()
    assert bench.output == "hung"
    async with asyncio.timeout(30):
        await bench.sound.aclose()
    bench.cards[0].may_close.set()


async def test_closing_fades_out_first() -> None:
    loop = asyncio.get_running_loop()
    context = Context(LoopClock(loop))
    sound = Sound(context)
    sound.apply(AudioSettings(output="null"))
    context.dispatcher.execute(
        AddSource(owner="call", kind=SourceKind.CALL, ring=_constant(0.5), rank=0)
    )
    await _until(lambda: sound.recent(10)[-1] == 0.5)

    await sound.aclose()
    played = context.measures.gauges["sound_played_seconds"][1]()
    await asyncio.sleep(0.05)

    assert context.measures.gauges["sound_played_seconds"][1]() == played


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  the condition is set by nobody in the loop
            await asyncio.sleep(0.001)
