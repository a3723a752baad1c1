"""What a caller says arrives in the sound that is played: whole, clean and as loud as it was said.

The extensions here have no rule, so that nothing else is to be heard.
"""

import time
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.device import RATE, Device
from tests.interop.sipp import sipp
from tests.interop.tones import TONE_DB, write_tone, write_ulaw
from tests.interop.witness import SILENCE_DB, on_time
from tests.support.hear import Samples, largest_step, level_db, loud_spans, residual_db, tone_db

pytestmark = pytest.mark.interop

SECONDS = 1.6  # of each call
SETTLED = 0.3  # seconds at the edges that may hold the first packet's jump and the fade
SNR_DB = 30.0  # 1020 Hz as in ITU-T O.132: µ-law has about 37 dB for a sine
GAP = 0.05  # seconds in which the jitter buffer finds its depth; none may follow
PIECE = 0.05  # seconds
BENT_DB, BENT_SHARE = 15.0, 0.1  # where the jitter buffer finds its depth it bends the sound
EXPECTED = pytest.approx(TONE_DB, abs=0.5)  # after G.711


def settled(sound: Samples) -> Samples:
    """The one span in which something is heard, without its edges."""
    spans = [span for span in loud_spans(sound) if span[1] - span[0] > GAP]
    assert len(spans) == 1, f"gaps between {spans}"
    start, end = spans[0]
    assert end - start > SECONDS - 0.4
    return sound[round((start + SETTLED) * RATE) : round((end - SETTLED) * RATE)]


def pitch(piece: Samples, hertz: float) -> float:
    """The frequency of a tone that is nearly `hertz`, by how far its phase turns."""
    turning = piece * np.exp(-2j * np.pi * hertz * np.arange(len(piece)) / RATE)
    half = len(piece) // 2
    window = np.hanning(half)
    before, after = (np.sum(part * window) for part in (turning[:half], turning[half : 2 * half]))
    return hertz + float(np.angle(after * np.conj(before))) / (2 * np.pi * half / RATE)


def pieces(sound: Samples) -> list[Samples]:
    """The drift correction bends the pitch by some cents, so a tone is judged piece by piece."""
    size = round(PIECE * RATE)
    return list(sound[: len(sound) // size * size].reshape(-1, size))


def levels_db(sound: Samples, hertz: float) -> list[float]:
    return [tone_db(piece, hertz) for piece in pieces(sound)]


def snrs_db(sound: Samples, hertz: float) -> list[float]:
    """The tone against all else, from the worst piece to the best."""
    return sorted(-residual_db(piece, pitch(piece, hertz)) for piece in pieces(sound))


def assert_clean(recording: Samples, hertz: float) -> str:
    """One tone without a gap, as loud as it was said, without a click; the figures in words."""
    sound = settled(recording)
    levels, snrs = levels_db(sound, hertz), snrs_db(sound, hertz)
    assert [min(levels), max(levels)] == [EXPECTED, EXPECTED]
    assert snrs[0] > BENT_DB
    assert snrs[round(BENT_SHARE * len(snrs))] > SNR_DB
    assert largest_step(sound) < 1.25 * slope(hertz)
    return f"{min(levels):.2f} … {max(levels):.2f} dB, SNR {np.median(snrs):.1f} dB"


def slope(*hertz: float) -> float:
    """The largest step that tones of TONE_DB need."""
    return sum(10 ** (TONE_DB / 20) * np.sqrt(2) * 2 * np.sin(np.pi * f / RATE) for f in hertz)


@pytest.mark.parametrize(("host", "transport"), [("127.0.0.1", "udp"), ("::1", "tcp")])
def test_a_tone_from_baresip(
    demo: Device, tmp_path: Path, figures: dict[str, str], host: str, transport: str
) -> None:
    tone = write_tone(tmp_path / "tone.wav", [1020.0])
    with baresip(tmp_path / "phone", source=tone, host=host, transport=transport) as phone:

        def story() -> str:
            began = time.monotonic()
            phone.dial(demo.uri("1099", host))
            time.sleep(SECONDS)
            phone.hang_up()
            return assert_clean(demo.heard(began, time.monotonic() + 0.2), 1020.0)

        words = on_time(demo, story)

    figures[f"baresip, {host}, 1020 Hz at {TONE_DB:g} dB"] = words


def test_a_tone_from_sipp(demo: Device, tmp_path: Path, figures: dict[str, str]) -> None:
    write_ulaw(write_tone(tmp_path / "tone.wav", [1000.0]), tmp_path / "tone.ulaw")

    def story() -> str:
        began = time.monotonic()
        sipp("uac-media", demo.port, tmp_path, "-d", f"{SECONDS * 1000:.0f}", extension="1098")
        return assert_clean(demo.heard(began, time.monotonic() + 0.2), 1000.0)

    figures[f"SIPp, 1000 Hz at {TONE_DB:g} dB"] = on_time(demo, story)


def test_two_callers_are_heard_together(demo: Device, tmp_path: Path) -> None:
    low = write_tone(tmp_path / "low.wav", [620.0])
    high = write_tone(tmp_path / "high.wav", [1020.0])
    with (
        baresip(tmp_path / "a", source=low) as one,
        baresip(tmp_path / "b", source=high, codecs="pcma", transport="tcp") as other,
    ):

        def story() -> None:
            one.dial(demo.uri("1099"))
            other.dial(demo.uri("1098"))
            both = time.monotonic() + SETTLED
            time.sleep(2 * SETTLED)
            assert {call["codec"] for call in demo.calls} == {"PCMU", "PCMA"}
            one.hang_up()
            time.sleep(2 * SETTLED)
            other.hang_up()
            assert_mixed(demo.heard(both, both + SETTLED))
            alone = demo.heard(both + 2 * SETTLED, both + 3 * SETTLED)
            assert min(levels_db(alone, 1020.0)) == EXPECTED
            assert max(levels_db(alone, 620.0)) < TONE_DB - 30

        on_time(demo, story)


def assert_mixed(sound: Samples) -> None:
    for hertz in (620.0, 1020.0):
        levels = levels_db(sound, hertz)
        assert [min(levels), max(levels)] == [EXPECTED, EXPECTED]
    assert largest_step(sound) < 1.25 * slope(620.0, 1020.0)


def test_a_caller_on_hold_is_not_heard(demo: Device, tmp_path: Path) -> None:
    """Hold and resume by re-INVITE (RFC 3264 §8.4): heard, silent, heard again."""
    tone = write_tone(tmp_path / "tone.wav", [1020.0])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            phone.dial(demo.uri("1099"))
            time.sleep(2 * SETTLED)
            instants = [time.monotonic()]
            for command in ("hold", "resume"):
                phone.command(command)
                time.sleep(2 * SETTLED)
                instants.append(time.monotonic())
            phone.hang_up()
            before, held, after = (demo.heard(at - SETTLED, at) for at in instants)
            assert min(levels_db(before, 1020.0)) == EXPECTED
            assert level_db(held) < SILENCE_DB
            assert min(levels_db(after, 1020.0)) == EXPECTED

        on_time(demo, story)


def test_the_caller_hears_the_greeting(demo: Device, silence: Path, tmp_path: Path) -> None:
    """A WAV from the settings, from its beginning, as loud as it is there."""
    greeting = write_tone(tmp_path / "greeting.wav", [600.0], seconds=0.5)
    with (
        demo.having("/audio/greeting", str(greeting), otherwise=""),
        baresip(tmp_path / "phone", source=silence, record=True) as phone,
    ):
        phone.dial(demo.uri("1099"))
        time.sleep(1.0)
        phone.hang_up()
        heard = phone.heard()

    ((start, end),) = [s for s in loud_spans(heard, 8000) if s[1] - s[0] > GAP]
    middle = heard[round((start + 0.1) * 8000) : round((end - 0.1) * 8000)]
    assert end - start == pytest.approx(0.5, abs=0.1)
    assert tone_db(middle, 600.0, 8000) == EXPECTED


def test_the_caller_hears_silence(demo: Device, silence: Path, tmp_path: Path) -> None:
    """With nothing to say, the device sends silence and no noise."""
    with baresip(tmp_path / "phone", source=silence, record=True) as phone:
        phone.dial(demo.uri("1099"))
        time.sleep(0.5)
        phone.hang_up()

    heard = phone.heard()

    assert len(heard) > 0.2 * 8000
    assert level_db(heard) < -70  # µ-law's smallest step is at −72 dB
