"""Who is heard with whom, and how loud: in the sound that leaves the device."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.lightsiren.sound import SirenSource
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.services.siren import LEVELS_DB
from tests.interop.baresip import baresip
from tests.interop.device import RATE, Device, device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import SILENCE_DB, match_siren, on_time
from tests.support.hear import Samples, largest_step, level_db, tone_db

pytestmark = pytest.mark.interop

SIREN, INTENSITY = "Siren: Alternate", 4  # it has no pauses
PIECE = RATE // 10  # samples
HERTZ = 1020.0
EMERGENCY = 8  # and above


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """Sirens of priority 8 and above are emergencies, 6 dB softer than all others can be."""
    emergency = f'/audio/emergency={{"priority": {EMERGENCY}, "volume_db": -6}}'
    with device(tmp_path_factory.mktemp("speaker"), "--set", emergency) as running:
        yield running


def sound_siren(device: Device, priority: int) -> None:
    device.command(
        "start-operation",
        function="AudioSpeaker",
        pattern=SIREN,
        intensity=INTENSITY,
        priority=priority,
    )


def stop_siren(device: Device) -> None:
    device.command("stop-all", functions=["AudioSpeaker"])
    time.sleep(0.2)


def gains_db(sound: Samples) -> list[float]:
    """How loud the siren is in each 0.1 s against what is configured, whatever sounds besides.

    In the first half of a second it is alone, so that it is found; it goes on in step.
    """
    begun = int(np.argmax(np.abs(sound) > 1e-3)) + RATE // 20
    sound = sound[begun:]
    phase = match_siren(sound[: RATE // 2], SIREN, INTENSITY).phase
    source = SirenSource(SOUNDS[SIREN], round(phase * RATE))
    ours = np.asarray(source.next(len(sound)), np.float64) * 10 ** (LEVELS_DB[INTENSITY] / 20)
    count = len(sound) // PIECE
    heard, expected = (whole[: count * PIECE].reshape(count, PIECE) for whole in (sound, ours))
    found = (heard * expected).sum(axis=1) / (expected * expected).sum(axis=1)
    return list(20 * np.log10(np.maximum(found, 1e-6)))


def test_a_caller_makes_the_siren_softer_by_the_table_s_12_db(
    speaker: Device, tmp_path: Path, figures: dict[str, str]
) -> None:
    tone = write_tone(tmp_path / "tone.wav", [HERTZ])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> tuple[list[float], Samples]:
            began = time.monotonic()
            sound_siren(speaker, priority=3)
            time.sleep(0.6)
            phone.dial(speaker.uri("1099"))
            time.sleep(0.8)
            phone.hang_up()
            time.sleep(1.5)  # a second without speech, and 0.2 for the way back
            sound = speaker.heard(began, time.monotonic())
            stop_siren(speaker)
            gains = gains_db(sound)
            assert gains[:3] == pytest.approx([0.0] * 3, abs=0.3)
            assert sorted(gains)[5] == pytest.approx(-12.0, abs=0.3)
            assert gains[-2:] == pytest.approx([0.0] * 2, abs=0.3)
            assert largest_step(sound) < steepest()
            return gains, sound

        gains, sound = on_time(speaker, story)

    assert max(tone_db(piece, HERTZ) for piece in np.array_split(sound, 10)) > TONE_DB - 3
    figures["a siren under a caller"] = f"{np.median([g for g in gains if g < -6.0]):.2f} dB"


def steepest() -> float:
    """The largest step that the siren and the tone make of themselves, and a little more."""
    siren = np.asarray(SirenSource(SOUNDS[SIREN]).next(2 * RATE), np.float64)
    tone = 10 ** (TONE_DB / 20) * np.sqrt(2) * 2 * np.sin(np.pi * HERTZ / RATE)
    return 1.1 * (largest_step(siren) * 10 ** (LEVELS_DB[INTENSITY] / 20) + tone)


def test_an_emergency_sounds_on_a_muted_device(speaker: Device) -> None:
    """And what was played is told as it was heard."""
    speaker.api("PATCH", "settings/audio", muted=True)

    def story() -> None:
        began = time.monotonic()
        sound_siren(speaker, priority=EMERGENCY - 1)
        time.sleep(0.4)
        muted = speaker.heard(began, time.monotonic())
        stop_siren(speaker)
        began = time.monotonic()
        sound_siren(speaker, priority=EMERGENCY)
        time.sleep(0.8)
        sounding = speaker.heard(began, time.monotonic())
        stop_siren(speaker)
        assert level_db(muted) < SILENCE_DB
        assert np.median(gains_db(sounding)) == pytest.approx(-6.0, abs=0.3)

    on_time(speaker, story)
    speaker.api("PATCH", "settings/audio", muted=False)

    emergency, other = speaker.api("GET", "sound/played")["played"][:2]
    assert (emergency["owner"], emergency["rank"]) == ("siren", EMERGENCY)
    assert emergency["heard_seconds"] > 0.7
    assert 0.0 <= emergency["delay_ms"] < 1000.0
    assert (other["rank"], other["heard_seconds"], other["first"]) == (EMERGENCY - 1, 0.0, None)
    assert other["hidden_seconds"] > 0.3


def test_the_health_check_hears_its_tone(speaker: Device) -> None:
    """HCK-01, HCK-02."""
    speaker.command("run-health-check")

    wait_until(lambda: speaker.status()["health"], limit=15.0)

    assert speaker.status()["health"]["errors"] == []
    assert "the test tone at the output wav:" in speaker.log
