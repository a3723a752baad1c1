"""The health check hears its own tone at the output, or says why it does not (HCK-01, HCK-02)."""

import logging
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, gain_from_db
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.tap import Tap
from sipstrobe.commands import LocateDevice, RunHealthCheck, SetVolume
from sipstrobe.context import Context
from sipstrobe.events import HealthCheckDone
from sipstrobe.lightsiren.settings import LightsSettings, MaintenanceSettings
from sipstrobe.services.signals import Signals
from sipstrobe.services.sound import Sound
from sipstrobe.services.tone_check import tone_problem
from tests.support.clock import FakeClock
from tests.support.signals import FakeLight


class Bench:
    """A device of light and sound, its output one of the real ones."""

    def __init__(self, output: str = "null", volume_db: float = 0.0) -> None:
        self.clock = FakeClock(100.0)
        self.context = Context(self.clock)
        self.done: list[HealthCheckDone] = []
        self.context.bus.subscribe(HealthCheckDone, self.done.append)
        self.sound = Sound(self.context)
        self.sound.apply(AudioSettings(output=output, volume_db=volume_db))
        self.signals = Signals(
            self.context,
            open_light=lambda output, report: FakeLight(),
            tone_problem=self.sound.tone_problem,
        )
        self.signals.apply_lights(LightsSettings(outputs=("virtual",)))
        self.signals.apply_maintenance(MaintenanceSettings(active=False))

    def check(self) -> HealthCheckDone:
        self.context.dispatcher.execute(RunHealthCheck())
        self.clock.advance(4.5)
        return self.done.pop()


def test_a_device_that_works_passes_and_says_in_the_log_what_it_heard(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(f"wav:{tmp_path}/sound.wav")

    with caplog.at_level(logging.INFO):
        assert bench.check() == HealthCheckDone(passed=True, errors="")

    assert "1000.0 Hz at -16.0 dBFS" in caplog.text


@pytest.mark.parametrize("volume_db", [-20.0, -60.0])
def test_a_low_volume_is_no_fault(volume_db: float) -> None:
    assert Bench(volume_db=volume_db).check().passed


def test_a_device_that_is_muted_fails_and_passes_when_it_no_longer_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.context.dispatcher.execute(SetVolume(muted=True))

    assert bench.check() == HealthCheckDone(passed=False, errors="the speaker is muted")
    assert "health check failed, error 102: the speaker is muted" in caplog.text

    bench.context.dispatcher.execute(SetVolume(muted=False))
    assert bench.check().passed


def test_an_output_that_does_not_work_is_the_reason(tmp_path: Path) -> None:
    bench = Bench(f"wav:{tmp_path}/nowhere/sound.wav")

    done = bench.check()

    assert not done.passed
    assert "nowhere/sound.wav cannot be written" in done.errors


def test_a_device_that_is_looked_for_sounds_above_all_that_people_start() -> None:
    """IDN-01, MIX-04: rank 12."""
    bench = Bench()

    bench.context.dispatcher.execute(LocateDevice(seconds=5))
    bench.clock.advance(2.5)

    [source] = bench.sound.snapshot()["sources"]
    assert (source["owner"], source["rank"]) == ("siren", 12)
    assert source["heard_seconds"] > 2.0
    assert bench.sound.snapshot()["active"]


# --- what is found in the tap ---------------------------------------------------------------------


def _tap(frequency: float = 1000.0, level_db: float = -16.0, noise_db: float = -120.0) -> Tap:
    t = np.arange(round(1.5 * SAMPLE_RATE)) / SAMPLE_RATE
    tone = gain_from_db(level_db) * 2**0.5 * np.sin(2 * np.pi * frequency * t)
    noise = np.random.default_rng(1).normal(0.0, gain_from_db(noise_db), t.size)
    tap = Tap()
    tap.write((tone + noise).astype(np.float32), 98.5)
    return tap


def _problem(tap: Tap, now: float = 100.0) -> str:
    return tone_problem(tap, "card", 1000.0, -16.0, now=now)


def test_the_tone_as_it_should_be_is_no_problem() -> None:
    assert _problem(_tap()) == ""


@pytest.mark.parametrize(
    ("tap", "words"),
    [
        (_tap(level_db=-150.0), "did not reach the output card: nothing was heard there"),
        (_tap(440.0), "did not reach the output card alone"),
        (_tap(noise_db=-30.0), "with -30 dBFS of other sound"),
        (_tap(1002.5), "the test tone of 1000 Hz had 1002.5 Hz at the output card"),
        (_tap(level_db=-22.0), "the test tone was 6 dB softer than it should"),
        (_tap(level_db=-10.0), "the test tone was 6 dB louder than it should"),
    ],
)
def test_whatever_else_is_found_is_said_in_words(tap: Tap, words: str) -> None:
    assert words in _problem(tap)


def test_a_card_that_has_stopped_is_found_out() -> None:
    assert _problem(_tap(), now=101.5) == "the output card has taken no sound for 1.5 s"


def test_a_machine_that_was_too_slow_for_a_moment_has_a_working_output() -> None:
    tap = _tap()
    tap.write(np.zeros(SAMPLE_RATE // 2, np.float32), 100.0)

    assert _problem(tap, now=100.5) == ""
