"""Outputs: paced by the clock, into a file, or a card that is not there."""

import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.errors import MediaError
from sipstrobe.io.soundcard import Null, SoundDevice, Wav, make_output
from sipstrobe.io.wavfile import read_wav
from tests.support.clock import FakeClock

RATE = 48000
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

    made = [make_output(n, clock, RATE) for n in ("null", f"wav:{tmp_path}/a.wav", "auto", "USB")]

    assert [type(output) for output in made] == [Null, Wav, SoundDevice, SoundDevice]
    assert [output.name for output in made] == ["null", f"wav:{tmp_path}/a.wav", "auto", "USB"]
    assert [output.blocking for output in made] == [False, False, True, True]


def test_null_asks_for_10_ms_every_10_ms_and_never_drifts() -> None:
    clock, sound = FakeClock(5.0), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()

    clock.advance_to(65.005)

    assert sound.samples == 6001 * 480
    np.testing.assert_allclose(sound.asked_at, 5.0 + 0.01 * np.arange(6001), atol=1e-5)
    assert output.late == 0


def test_null_at_rest_needs_no_timer_and_wakes_at_once() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    clock.advance(60.0)
    assert not sound.samples

    clock.advance_to(60.0033)
    output.run()
    clock.advance(0.0)
    assert sound.asked_at == [60.0033]

    output.rest()
    clock.advance(1.0)
    assert len(sound.asked_at) == 1


def test_after_a_late_loop_null_catches_up_in_bounded_steps() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.0)

    _late(clock, 0.255)
    clock.advance(0.0)

    assert len(sound.asked_at) == 26  # in three goes, with room for others between them
    assert output.late == 24
    clock.advance(0.0051)
    assert len(sound.asked_at) == 27


def test_what_is_behind_by_more_than_a_second_is_left_out() -> None:
    clock, sound = FakeClock(), Counting()
    output = Null(clock, RATE)
    output.open(sound)
    output.run()
    clock.advance(0.0)

    _late(clock, 3600.0)
    clock.advance(0.0)

    assert len(sound.asked_at) == 2
    assert output.late > 359_000


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
    assert played.size == sound.samples == 51 * 480
    assert np.array_equal(played, np.arange(1, played.size + 1, dtype=np.float32) * STEP)


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
    assert played.size == pytest.approx(5.0 * RATE, abs=1)
    [sounding] = np.nonzero(played)
    assert sounding[0] == round(2.345 * RATE)
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

        assert at - 0.21 < read_wav(tmp_path / "a.wav").seconds <= at + 0.011
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
    assert sound.samples == 101 * 480
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
    output = make_output(name, FakeClock(), RATE)
    try:
        output.open(Counting())
    except MediaError as error:
        said = str(error)
    else:
        output.close()
        pytest.skip("there is a sound card here")

    assert said.startswith(words) or "libportaudio2" in said


def test_without_the_library_the_message_names_the_package_to_install() -> None:
    """In a process of its own, in which the loader finds no library at all."""
    script = (
        "import ctypes.util; ctypes.util.find_library = lambda name: None\n"
        "from sipstrobe.io.soundcard import SoundDevice\n"
        "SoundDevice(None, None, 48000).open(None)"
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
