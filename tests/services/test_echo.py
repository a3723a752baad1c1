"""Who speaks through the speaker does not hear himself: AUD-02."""

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.io import speexdsp
from sipstrobe.services.echo import AHEAD, FRAME, Echo, Reference, make_echo
from tests.services.room import Played, echo_of, speech
from tests.support.hear import level_db, tone_db

needs_library = pytest.mark.skipif(speexdsp.library() is None, reason="no libspeexdsp")


def tone(hertz: float, seconds: float, level: float = -15.0) -> Samples:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


def through(echo: Echo, heard: Samples, played: Played, jitter: float = 0.0) -> Samples:
    """What is left of it, frame by frame. jitter: of the instants of frames, in seconds."""
    rng = np.random.default_rng(3)
    out: list[Samples] = []
    for start in range(0, heard.size - FRAME + 1, FRAME):
        at = start / SAMPLE_RATE
        played.until(at + FRAME / SAMPLE_RATE)
        instant = at + float(rng.uniform(-jitter, jitter))
        out.append(echo.process(heard[start : start + FRAME].copy(), instant))
    return np.concatenate(out)


def reduction_db(before: Samples, after: Samples, since: float, until: float) -> float:
    """Echo return loss enhancement: ITU-T G.167."""
    first, last = (round(at * SAMPLE_RATE) for at in (since, until))
    pieces = (sound[first:last].astype(np.float64) for sound in (before, after))
    loud, left = (level_db(piece) for piece in pieces)
    return loud - left


@needs_library
@pytest.mark.parametrize(("delay", "jitter"), [(0.0, 0.0), (0.010, 0.006), (0.060, 0.0)])
def test_the_echo_of_a_room_is_cancelled(delay: float, jitter: float) -> None:
    """Near or far, and however the instants of the card's blocks jitter."""
    far = speech(6.0)
    back, played = echo_of(far, delay), Played(far)

    out = through(make_echo(Reference(played.tap, lambda: None)), back, played, jitter)

    assert reduction_db(back, out, 0.0, 1.0) > 1.5
    assert reduction_db(back, out, 2.0, 3.0) > 15.0
    assert reduction_db(back, out, 5.0, 6.0) > 25.0


@needs_library
def test_whoever_speaks_in_the_room_is_heard() -> None:
    """Also while the far end speaks, when the echo is known."""
    far, near = speech(7.0), np.zeros(7 * SAMPLE_RATE, np.float32)
    near[5 * SAMPLE_RATE :] = speech(2.0, -20.0, seed=5)
    played = Played(far)

    out = through(make_echo(Reference(played.tap, lambda: None)), echo_of(far) + near, played)

    spoken = near[round(5.5 * SAMPLE_RATE) :].astype(np.float64)
    heard = out[round(5.5 * SAMPLE_RATE) :].astype(np.float64)
    spectra = (np.fft.rfft(sound) for sound in (heard, spoken))
    together = np.fft.irfft(next(spectra) * np.conj(next(spectra)))
    likeness = together[:FRAME].max() / np.sqrt((heard @ heard) * (spoken @ spoken))
    assert likeness > 0.7
    assert level_db(heard) == pytest.approx(level_db(spoken), abs=4.0)


@needs_library
def test_nothing_is_taken_away_while_the_speaker_is_silent() -> None:
    near, played = speech(3.0), Played(np.zeros(0, np.float32))

    out = through(make_echo(Reference(played.tap, lambda: None)), near, played)

    after = reduction_db(near, out, 1.0, 3.0)
    assert after == pytest.approx(0.0, abs=0.5)


@needs_library
@pytest.mark.parametrize("shift", [0, 97, 291])
def test_what_is_no_echo_does_not_become_louder(shift: int) -> None:
    """Somebody whistles, and none of the tone in the speaker comes back: the filter, which is new
    when the microphone is opened, takes the one for an echo of the other (by itself: +1.8 dB)."""
    whistle, caller = tone(600.0, 3.0), tone(1020.0, 3.1)
    played = Played(caller[shift:])

    out = through(make_echo(Reference(played.tap, lambda: None)), whistle, played)

    pieces = out[FRAME : FRAME + 29 * 4800].astype(np.float64).reshape(29, -1)
    levels = [tone_db(piece, 600.0, SAMPLE_RATE) for piece in pieces]
    assert [min(levels), max(levels)] == [pytest.approx(-15.0, abs=0.5)] * 2


def test_without_the_library_the_microphone_goes_down() -> None:
    far = speech(2.0)
    back, played = echo_of(far), Played(far)

    out = through(Echo(Reference(played.tap, lambda: None), None), back, played)

    assert reduction_db(back, out, 0.5, 2.0) > 20.0


def test_the_reference_keeps_in_step_and_is_put_right_when_it_is_astray() -> None:
    """So many samples after another, whatever the instants say; half a second is no jitter."""
    tap = Played(np.arange(SAMPLE_RATE * 3, dtype=np.float32) + 1.0)
    reference = Reference(tap.tap, lambda: None)

    taken: list[float] = []
    for n in range(60):
        tap.until(n * 0.010 + 0.6)
        jitter = 0.005 if n % 2 else -0.005
        heard_at = n * 0.010 + (0.5 if n >= 20 else 0.1 + jitter * (n > 0))
        taken.append(float(reference.take(heard_at)[0]))

    start = 0.1 * SAMPLE_RATE + AHEAD + 1.0
    assert taken[:20] == [start + FRAME * n for n in range(20)]
    assert taken[-1] == pytest.approx(1.09 * SAMPLE_RATE + AHEAD + 1.0)


def test_a_speaker_that_rests_has_played_silence() -> None:
    """The tap stands still while it does, and goes on later."""
    played = Played(np.ones(SAMPLE_RATE, np.float32))
    reference = Reference(played.tap, lambda: None)
    played.until(0.2)

    assert not reference.take(5.0).any()
    played.tap.write(np.full(FRAME * 4, 0.5, np.float32), 6.0)
    block = reference.take(6.0 - AHEAD / SAMPLE_RATE)

    assert block.tolist() == [0.5] * FRAME
