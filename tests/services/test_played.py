"""The truth about the output: what was really played of each sound, and whether any is."""

from datetime import timedelta

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import SourceKind
from sipstrobe.commands import SetVolume
from sipstrobe.events import Event, OutputActive, SoundPlayed
from sipstrobe.services.played import PLAYED_MAX
from tests.services.test_sound import Bench as SoundBench

CALL, PAGE, SIREN, CLIP, TONE = SourceKind


class Bench(SoundBench):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[SoundPlayed] = []
        self.active: list[tuple[float, bool]] = []  # seconds since the start
        self.causes: list[object] = []
        self.context.bus.subscribe(SoundPlayed, self._note)
        self.reasons: list[str] = []
        self.context.bus.subscribe(OutputActive, self._note_output)

    def _note_output(self, event: OutputActive) -> None:
        self.active.append((self.clock.now() - 100.0, event.active))
        cause = self.context.trace.current
        assert cause is not None
        self.reasons.append(str(cause.root.what))

    def _note(self, event: Event) -> None:
        assert isinstance(event, SoundPlayed)
        self.told.append(event)
        cause = self.context.trace.current
        assert cause is not None
        self.causes.append(cause.root.what)


def _square(seconds: float, level: float = 0.5) -> SampleRing:
    ring = SampleRing(round(seconds * SAMPLE_RATE))
    ring.write(np.full(ring.capacity, level, np.float32))
    return ring


def test_a_sound_that_has_ended_tells_how_long_and_how_loud_it_was_heard() -> None:
    bench = Bench()
    bench.add("call", _square(5.0), CALL, rank=5)
    bench.play(2.0)

    bench.remove("call")
    bench.play(0.1)

    assert bench.told == [
        SoundPlayed(
            owner="call",
            kind="call",
            rank=5,
            heard_seconds=2.005,  # the fade as well
            hidden_seconds=0.0,
            ducked_seconds=0.0,
            level_db=-6.0,
            underruns=0,
            late_periods=0,
            delay_ms=0.0,
        )
    ]


def test_it_tells_how_long_it_was_silenced_and_how_long_it_was_softer() -> None:
    """2 s as it is, 1 s under a caller, 1 s under a test tone; the volume counts as well."""
    bench = Bench()
    bench.add("siren", _square(10.0), SIREN, rank=3)
    bench.play(2.0)
    bench.add("call", _square(1.0), CALL, rank=5)
    bench.play(1.0)
    bench.remove("call")
    bench.play(0.02)
    bench.add("check", _square(2.0), TONE, rank=13)
    bench.play(1.0)
    bench.remove("check")
    bench.remove("siren")
    bench.play(0.1)

    siren = next(told for told in bench.told if told.owner == "siren")
    assert siren.hidden_seconds == pytest.approx(1.0, abs=0.02)
    assert siren.ducked_seconds == pytest.approx(1.0, abs=0.06)
    assert siren.heard_seconds == pytest.approx(3.0, abs=0.05)
    mean_square = (2 * 0.5**2 + (0.5 * 10 ** (-12 / 20)) ** 2) / 3
    assert siren.level_db == pytest.approx(10 * np.log10(mean_square), abs=0.3)


def test_what_nobody_could_hear_was_not_heard() -> None:
    """On a muted device, and on an output that cannot be opened."""
    bench = Bench()
    bench.context.dispatcher.execute(SetVolume(muted=True))
    bench.add("call", _square(5.0), CALL)
    bench.play(1.0)
    bench.remove("call")
    bench.play(0.1)
    bench.context.dispatcher.execute(SetVolume(muted=False))
    bench.problem = "It is on fire."
    bench.sound.apply(AudioSettings(output="burning"))
    bench.add("page", _square(5.0), PAGE)
    bench.clock.advance(0.5)
    bench.remove("page")
    bench.clock.advance(0.5)

    assert [(told.owner, told.heard_seconds, told.delay_ms) for told in bench.told] == [
        ("call", 0.0, -1.0),
        ("page", 0.0, -1.0),
    ]
    assert [told.level_db for told in bench.told] == [-120.0, -120.0]
    assert [told.hidden_seconds for told in bench.told] == pytest.approx([1.0, 0.5], abs=0.05)


def test_the_way_from_the_input_to_the_first_sample_and_the_reason_of_the_end_are_told() -> None:
    bench = Bench()
    ring = SampleRing(SAMPLE_RATE)
    ring.write(np.concatenate([np.zeros(480, np.float32), np.full(4800, 0.5, np.float32)]))
    with bench.context.trace.input("datagram", "INVITE", bench.clock.now() - 0.002):
        bench.add("call", ring, CALL)
    bench.play(0.1)

    with bench.context.trace.input("datagram", "BYE", bench.clock.now()):
        bench.remove("call")
    bench.play(0.1)

    assert bench.told[0].delay_ms == pytest.approx(12.0, abs=0.1)
    assert "BYE" in str(bench.causes[0])


def test_running_dry_is_counted_with_the_sound() -> None:
    bench = Bench()
    bench.add("call", _square(0.5), CALL)
    bench.play(1.0)

    bench.remove("call")
    bench.play(0.1)

    assert (bench.told[0].underruns, bench.told[0].heard_seconds) == (1, 0.5)


def test_gaps_that_the_card_has_made_are_counted_with_each_sound() -> None:
    bench = Bench()
    bench.cards[-1].late = 5
    bench.add("call", _square(5.0), CALL)
    bench.play(0.5)
    bench.cards[-1].late = 7
    bench.play(0.5)

    bench.remove("call")
    bench.play(0.1)

    assert bench.told[0].late_periods == 2


def test_what_was_played_is_kept_with_its_instants_up_to_a_bound() -> None:
    bench = Bench()
    began = bench.clock.wall()
    bench.add("first", _square(1.0), CALL)
    bench.play(0.5)
    bench.remove("first")
    bench.play(0.1)

    [kept] = bench.sound.played()
    assert kept.first is not None
    assert kept.last is not None
    assert kept.first - began == pytest.approx(timedelta(0), abs=timedelta(milliseconds=1))
    assert kept.last - began == pytest.approx(
        timedelta(seconds=0.505), abs=timedelta(milliseconds=6)
    )

    for n in range(PLAYED_MAX):
        bench.add(f"call {n}", _square(0.01), CALL)
        bench.remove(f"call {n}")
    bench.play(0.1)

    owners = [played.sound.owner for played in bench.sound.played()]
    assert owners == [f"call {n}" for n in range(PLAYED_MAX)]


def test_the_status_shows_the_same_while_it_sounds() -> None:
    bench = Bench()
    bench.add("call", _square(5.0), CALL, rank=5)
    bench.play(1.0)

    [source] = bench.sound.snapshot()["sources"]
    assert (source["heard_seconds"], source["hidden_seconds"]) == (1.0, 0.0)
    assert (source["level_db"], source["delay_ms"], source["ducked"]) == (-6.0, 0.0, False)


def test_the_output_is_active_while_something_is_heard_and_does_not_flap_between_words() -> None:
    bench = Bench()
    word, pause = np.full(9600, 0.25, np.float32), np.zeros(SAMPLE_RATE, np.float32)
    ring = SampleRing(10 * SAMPLE_RATE)
    ring.write(np.concatenate([pause, *[word, pause] * 3]))

    with bench.context.trace.input("datagram", "a call", bench.clock.now()):
        bench.add("call", ring, CALL)
    bench.play(8.0)
    assert [active for _, active in bench.active] == [True, False]
    assert "a call" in bench.reasons[-1]
    began, ended = (at for at, _ in bench.active)
    assert 1.0 < began < 1.2
    assert 3.6 + 2.0 < ended < 3.6 + 2.3
    assert bench.sound.snapshot()["active"] is False


def test_what_is_listed_and_silent_does_not_make_the_output_active() -> None:
    bench = Bench()
    bench.add("call", _square(3.0, level=0.0005), CALL)
    bench.play(1.0)
    bench.context.dispatcher.execute(SetVolume(muted=True))
    bench.add("clip", _square(3.0), CLIP)
    bench.play(1.0)

    assert bench.active == []


def test_when_nothing_is_left_the_loop_is_not_woken_any_more() -> None:
    bench = Bench()
    bench.add("call", _square(5.0), CALL)
    bench.play(1.0)
    bench.remove("call")
    bench.play(3.0)

    assert [active for _, active in bench.active] == [True, False]
    assert bench.clock.waiting == 1  # the speaker's, for its card


def test_a_sound_knows_because_of_what_it_began_and_ended() -> None:
    bench = Bench()
    with bench.context.trace.input("datagram", "INVITE", 0.0) as began:
        bench.add("call", _square(5.0), CALL, rank=5)
    bench.play(1.0)
    with bench.context.trace.input("datagram", "BYE", 1.0) as ended:
        bench.remove("call")
    bench.play(0.1)

    causes = bench.sound.why("call")

    assert causes is not None
    assert [cause.root if cause else None for cause in causes] == [began, ended]
    assert bench.sound.why("nobody") is None
