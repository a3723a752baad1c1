"""Outputs: paced by the clock, into a file, or a card that is not there."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.errors import MediaError
from sipstrobe.io.soundcard import Buffering, Null, SoundDevice, Wav, make_output
from sipstrobe.io.wavfile import read_wav
from tests.support.clock import FakeClock

RATE = 48000
SMALL = Buffering(0.005, 0.015)
STEP = np.float32(1 / 32768)


class Counting:
    """Renders 1, 2, 3 … in steps of a 16-bit sample, and remembers when it was asked."""

    def __init__(self) -> None:
        self.samples = 0
        self.asked_at: list[float] = []

    def __call__(self, out: NDArray[np.float32], at: float) -> None:
        self.asked_at.append(at)
        out[:] = (np.arange(self.samples, self.samples + out.size) % 30000 + 1) * STEP
        self.samples += out.size


def _late(clock: FakeClock, seconds: float) -> None:
    """The loop is busy for this long: the clock goes on, nothing is called."""
    clock.time += seconds


def test_the_names_of_the_settings_lead_to_their_outputs(tmp_path: Path) -> None:
    clock = FakeClock()

    names = ("null", f"wav:{tmp_path}/a.wav", "auto", "USB")
    made = [make_output(name, clock, RATE, SMALL) for name in names]

    assert [type(output) for output in made] == [Null, Wav, SoundDevice, SoundDevice]
    assert [output.name for output in made] == ["null", f"wav:{tmp_path}/a.wav", "auto", "USB"]
    assert [output.blocking for output in made] == [False, False, True, True]


def test_null_plays_in_real_time_and_never_drifts_with_25_wake_ups_a_second() -> None:
    clock, sound = FakeClock(5.0), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()

    clock.advance_to(64.985)

    assert sound.samples == round(59.96 * RATE)
    begun = 5.045 + 0.04 * np.arange(
        1498
    )  # one, those up to the next multiple of 40 ms, then eight
    np.testing.assert_allclose(sound.asked_at, [5.005, 5.01, *begun], atol=1e-6)
    assert (output.periods, output.late) == (11992, 0)


def test_what_changes_between_two_wake_ups_is_heard_from_the_next_period_on() -> None:
    """As from a card with periods of 5 ms."""
    clock = FakeClock()
    output = Null(clock, RATE)
    level = np.float32(1.0)
    played: list[NDArray[np.float32]] = []

    def render(out: NDArray[np.float32], at: float) -> None:
        out[:] = level
        played.append(out.copy())

    output.open(render)
    output.run()
    clock.advance_to(0.0323)
    output.catch_up()
    level = np.float32(2.0)
    clock.advance_to(0.1)

    heard = np.concatenate(played)
    began_at = 0.005
    assert int(np.argmax(heard == 2.0)) == round((0.035 - began_at) * RATE)


def test_null_at_rest_needs_no_timer_and_goes_on_at_the_next_line_of_the_grid() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    clock.advance(60.0)
    assert not sound.samples

    clock.advance_to(60.0033)
    output.run()
    clock.advance_to(60.0051)
    assert sound.asked_at == [pytest.approx(60.005)]

    output.rest()
    clock.advance(1.0)
    assert len(sound.asked_at) == 1


def test_after_a_late_loop_null_makes_good_what_is_due() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.0)

    _late(clock, 0.255)
    clock.advance(0.0)

    assert sound.samples == round(0.255 * RATE)
    assert output.late == 51 - Null.BATCH
    assert max(np.diff(sound.asked_at)) < 0.0401
    clock.advance(0.0401)
    assert sound.samples == round(0.28 * RATE)


def test_before_each_forty_milliseconds_that_are_made_good_others_have_their_turn() -> None:
    """Whoever fills the sources was held up as well."""
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.0)
    filled: list[int] = []

    def fill() -> None:
        filled.append(sound.samples)
        clock.call_at(clock.time, fill) if len(filled) < 5 else None

    clock.call_at(0.001, fill)
    _late(clock, 0.1)
    clock.advance(0.0)

    assert max(np.diff(filled)) <= round(0.04 * RATE)
    assert sound.samples == round(0.1 * RATE)


def test_who_catches_up_waits_for_what_is_due_and_not_for_what_begins_meanwhile() -> None:
    """On a machine that makes sound no faster than it is heard, calls are still answered."""
    clock, asked_at = FakeClock(), list[float]()

    def slow(out: NDArray[np.float32], at: float) -> None:
        asked_at.append(at)
        _late(clock, 1.01 * out.size / RATE)

    output = Null(clock, RATE)
    output.open(slow)
    output.run()
    _late(clock, 0.5)
    output.catch_up()

    assert 12 <= len(asked_at) <= 14, "half a second, in pieces of 40 ms"


def test_what_is_behind_by_more_than_a_second_is_left_out() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.0)

    _late(clock, 3600.0)
    clock.advance(0.005)

    assert sound.samples < 0.03 * RATE
    assert output.late > 719_000
    clock.advance(0.1)
    assert sound.asked_at[-1] == pytest.approx(3600.1, abs=0.06)


def test_a_closed_output_asks_for_nothing_more() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.05)

    output.close()
    asked = len(sound.asked_at)
    output.run()
    clock.advance(1.0)

    assert len(sound.asked_at) == asked


def test_a_render_that_rests_or_closes_its_own_output_is_the_last() -> None:
    clock = FakeClock()
    output = Null(clock, RATE)
    asked: list[float] = []

    def render(out: NDArray[np.float32], at: float) -> None:
        asked.append(at)
        output.close()

    output.open(render)
    output.run()
    clock.advance(1.0)

    assert len(asked) == 1


def test_the_file_holds_what_was_played_sample_for_sample(tmp_path: Path) -> None:
    clock, sound = FakeClock(), Counting()
    output = Wav(tmp_path / "a.wav", clock, RATE)
    output.open(sound)
    output.run()

    clock.advance(0.5)
    output.close()

    played = read_wav(tmp_path / "a.wav").samples
    silent = 240  # the period of the opening had begun
    assert played.size - silent == sound.samples == 100 * 240
    assert np.array_equal(played[silent:], np.arange(1, 24001, dtype=np.float32) * STEP)


def test_the_files_time_is_the_clocks_also_when_there_was_nothing_to_hear(tmp_path: Path) -> None:
    clock, sound = FakeClock(), Counting()
    output = Wav(tmp_path / "a.wav", clock, RATE)
    output.open(sound)

    clock.advance_to(2.345)
    output.run()
    clock.advance_to(2.4)
    output.rest()
    clock.advance_to(5.0)
    output.close()

    played = read_wav(tmp_path / "a.wav").samples
    assert played.size == pytest.approx(5.0 * RATE, abs=240)
    [sounding] = np.nonzero(played)
    assert sounding[0] == round(2.345 * RATE) + 240  # the period of that instant had begun
    assert len(sounding) == sound.samples


def test_the_file_can_be_read_while_it_is_played_to(tmp_path: Path) -> None:
    clock = FakeClock()
    output = Wav(tmp_path / "a.wav", clock, RATE)
    output.open(Counting())
    for at in np.arange(0.0, 2.0, 0.037):
        clock.advance_to(float(at))
        if 0.5 < at < 1.0:
            output.run()
        elif at > 1.5:
            output.rest()

        assert at - 0.22 < read_wav(tmp_path / "a.wav").seconds <= at + 0.0051
    output.close()


def test_when_the_file_cannot_be_written_any_more_the_sound_goes_on(tmp_path: Path) -> None:
    clock, sound = FakeClock(), Counting()
    path = tmp_path / "a.wav"
    output = Wav(path, clock, RATE)
    output.open(sound)
    output.run()
    with _file_size_limit(20_000):
        clock.advance(1.0)

    assert output.problem == f"{path} cannot be written any more: File too large"
    assert sound.samples > 0.97 * RATE
    output.close()
    assert read_wav(path).seconds == pytest.approx(0.2)


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"a\.wav cannot be written: No such file or directory"):
        Wav(tmp_path / "missing" / "a.wav", FakeClock(), RATE).open(Counting())


@pytest.mark.parametrize(
    ("name", "words"), [("auto", "No sound card: "), ("Nobody's", "No sound card is called Nobody")]
)
def test_a_machine_without_a_sound_card_is_told_so(name: str, words: str) -> None:
    """With the real PortAudio, if it is here; else with the message that it is not."""
    output = make_output(name, FakeClock(), RATE, SMALL)
    try:
        output.open(Counting())
    except MediaError as error:
        said = str(error)
    else:
        output.close()
        pytest.skip("there is a sound card here")

    assert said.startswith(words) or "libportaudio2" in said


@pytest.mark.skipif(find_library("portaudio") is None, reason="PortAudio is not installed")
def test_a_card_asks_in_the_periods_that_it_was_told_through_the_real_portaudio(
    tmp_path: Path,
) -> None:
    """ALSA's null plugin, to which everything can be played; in a process that knows no other."""
    (tmp_path / "asound.conf").write_text(
        'pcm.silent { type null hint { show on description "Silent card" } }'
        "pcm.!default { type null } ctl.!default { type null }"
    )
    script = (
        "import threading, time\n"
        "from sipstrobe.io.soundcard import Buffering, SoundDevice\n"
        "class Clock: now = staticmethod(time.monotonic)\n"
        "enough, asked = threading.Event(), []\n"
        "def render(out, at):\n"
        "    out[:] = 0.5\n"
        "    asked.append((out.shape, out.dtype.name, abs(at - time.monotonic()) < 1.0))\n"
        "    len(asked) < 5 or enough.set()\n"
        "card = SoundDevice('silent', Clock, 48000, Buffering(0.0025, 0.005))\n"
        "for _ in range(2):\n"
        "    card.open(render)\n"
        "    print(card.name, enough.wait(5), card.problem == '')\n"
        "    card.close()\n"
        "    enough.clear()\n"
        "print(card.periods == len(asked), set(asked))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout.splitlines() == [
        "silent True True",
        "silent True True",
        "True {((120,), 'float32', True)}",
    ], done.stderr


def test_without_the_library_the_message_names_the_package_to_install() -> None:
    """In a process of its own, in which the loader finds no library at all."""
    script = (
        "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
        "from sipstrobe.io.soundcard import Buffering, SoundDevice\n"
        "SoundDevice(None, None, 48000, Buffering(0.005, 0.015)).open(None)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )

    assert "MediaError" in done.stderr
    assert "install the package libportaudio2" in done.stderr


@contextmanager
def _file_size_limit(size_bytes: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
