"""What a page does to a running call, siren and clip, as the table of the speaker says."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.device import Device, wait_until
from tests.interop.pages import PORT, speaker_of, speaking, state
from tests.interop.tones import write_tone
from tests.interop.witness import on_time
from tests.support.hear import Samples, level_db, tone_db

pytestmark = pytest.mark.interop

GROUP = "239.1.1.1"
PAGE, CALL, CLIP = 500.0, 1300.0, 2200.0  # hertz
SIREN = "Siren: Alternate"  # it has no pauses
SIREN_TONES = (800.0, 970.0)  # hertz, a quarter of a second each
UNDER = ("call", "siren", "clip")
VOLUME_DB = -10.0  # of all kinds
SETTLED = 0.35  # seconds from a change to when it is as it will be, and what the page waits
LOOKED_AT = 0.5  # seconds: a period of the siren
SILENT_DB = -70.0
LIST = [
    {"kind": "multicast", "label": "Fire", "address": GROUP, "port": PORT},
    {"kind": "internal", "sound": "sip"},
    {"kind": "internal", "sound": "clip"},
]


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    multicast = f"/multicast={json.dumps({'enabled': True, 'sources': LIST})}"
    volumes = f"/audio/volumes={json.dumps(dict.fromkeys((*UNDER, 'page'), VOLUME_DB))}"
    folder = tmp_path_factory.mktemp("speaker")
    with speaker_of(folder, "--set", multicast, "--set", volumes) as running:
        yield running


def table(does: str) -> list[dict[str, str]]:
    """Calls, siren and clips leave each other as they are; what pages do to each of them."""
    among = [{"over": o, "under": u, "does": "mix"} for o in UNDER for u in UNDER if o != u]
    return [*among, *({"over": "page", "under": under, "does": does} for under in UNDER)]


def levels(sound: Samples) -> dict[str, float]:
    """In dB, of what sounds at once."""
    siren = np.mean([10 ** (tone_db(sound, hertz) / 10) for hertz in SIREN_TONES])
    found = {"page": PAGE, "call": CALL, "clip": CLIP}
    return {kind: tone_db(sound, hertz) for kind, hertz in found.items()} | {
        "siren": float(10 * np.log10(siren))
    }


def add_clip(speaker: Device, file: Path, name: str) -> None:
    url = f"http://127.0.0.1:{speaker.http}/api/v1/clips?name={name}"
    account = ("--digest", "-u", f"admin:{speaker.password}")
    command = ["curl", "-sf", "--max-time", "60", *account, "--data-binary", f"@{file}", url]
    subprocess.run(command, capture_output=True, check=True, timeout=70)


def be_silent(speaker: Device) -> None:
    speaker.command("stop-all", functions=["AudioSpeaker"])
    speaker.command("stop-clip")


def test_a_page_ignores_softens_or_mutes_what_sounds_or_is_loud_instead_of_it(
    speaker: Device, tmp_path: Path
) -> None:
    """A page during a call, the siren and a clip at once: ignore, duck, mute, mute and full
    volume; and what goes on below it is back when the page has ended."""
    add_clip(speaker, write_tone(tmp_path / "clip.wav", [CLIP], 2.0), "Tone")
    tone = write_tone(tmp_path / "tone.wav", [CALL])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def look() -> dict[str, float]:
            time.sleep(SETTLED)
            now = time.monotonic()
            return levels(speaker.heard(now, now + LOOKED_AT))

        def under(does: str) -> dict[str, float]:
            speaker.api("PATCH", "settings/audio", policy=table(does))
            return look()

        def story() -> None:
            be_silent(speaker)  # after an attempt before this one
            phone.dial(speaker.uri("1099"))
            speaker.command("play-clip", clip="Tone", repeat=None)
            siren: dict[str, Any] = {"pattern": SIREN, "intensity": 3, "priority": 3}
            speaker.command("start-operation", function="AudioSpeaker", **siren)
            before = under("mix")
            with speaking(GROUP, PAGE):
                wait_until(lambda: state(speaker, "Fire") == "active")
                ignored, ducked, muted, full = map(under, ("mix", "duck", "alone", "full"))
            wait_until(lambda: state(speaker, "Fire") == "idle")
            after = look()
            for kind in UNDER:
                assert ignored[kind] == pytest.approx(before[kind], abs=1.5), kind
                assert ducked[kind] == pytest.approx(before[kind] - 12.0, abs=1.5), kind
                assert muted[kind] < SILENT_DB, kind
                assert full[kind] < SILENT_DB, kind
                assert after[kind] == pytest.approx(before[kind], abs=1.5), kind
            assert before["page"] < SILENT_DB
            assert ducked["page"] == pytest.approx(ignored["page"], abs=1.5)
            assert muted["page"] == pytest.approx(ignored["page"], abs=1.5)
            assert full["page"] == pytest.approx(ignored["page"] - VOLUME_DB, abs=1.5)

        try:
            on_time(speaker, story)
        finally:
            be_silent(speaker)
    speaker.wait_idle()
    now = time.monotonic()
    assert level_db(speaker.heard(now + SETTLED, now + 2 * SETTLED)) < SILENT_DB
