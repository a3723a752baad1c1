"""Clips through the real program: curl adds them, links play them, the sound shows it."""

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.device import Device, device, wait_until
from tests.support.hear import level_db, loud_spans, tone_db
from tests.support.sound_files import ENCODERS, make_kind, tone

pytestmark = pytest.mark.interop

HERTZ = dict(zip(ENCODERS, (500.0, 600.0, 700.0, 800.0, 900.0, 1000.0), strict=True))
AMPLITUDE = 0.12  # all six together stay below full scale
TONE_DB = -21.4  # RMS; as many LUFS has a tone of 1 kHz, and up to 0.7 less one of 500 Hz
SLACK = 0.15  # seconds: how exactly a test knows when it was that it did something


def curl(device: Device, path: str, *options: str) -> str:
    """Ask for something, as the administrator."""
    command = ["curl", "-s", "--max-time", "60", "--digest", "-u", f"admin:{device.password}"]
    url = f"http://127.0.0.1:{device.http}{path}"
    return subprocess.run(
        [*command, *options, url], capture_output=True, text=True, check=False, timeout=70
    ).stdout


def add(device: Device, file: Path, name: str) -> Any:
    return json.loads(curl(device, f"/api/v1/clips?name={name}", "--data-binary", f"@{file}"))


def number_in(answer: str) -> list[int]:
    """Of the clip that was added, if anything was answered."""
    return [json.loads(answer)["number"]] if answer else []


def link(device: Device, arguments: str) -> str:
    return curl(device, f"/axis-cgi/playclip.cgi?{arguments}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    return {
        kind: make_kind(folder, kind, tone(hertz, seconds=2.0, amplitude=AMPLITUDE))
        for kind, hertz in HERTZ.items()
    }


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device out of maintenance at which nobody calls. The last story here is its end."""
    with device(tmp_path_factory.mktemp("quiet")) as running:
        yield running


@pytest.fixture(scope="module")
def added(quiet: Device, files: dict[str, Path]) -> dict[str, Any]:
    """What was answered to those who have added a file of each kind, several at once."""
    with ThreadPoolExecutor(3) as people:
        told = people.map(partial(add, quiet), files.values(), files)
        return dict(zip(files, told, strict=True))


def await_silence(device: Device) -> None:
    """Until nothing plays, and nothing of what played is heard any more."""
    wait_until(lambda: not device.status()["sound"]["sources"], words="nothing plays")
    now = time.monotonic()
    assert level_db(device.heard(now + SLACK, now + 2 * SLACK)) < -100


def test_clips_of_all_kinds_are_added_and_heard_as_loud_as_was_measured(
    quiet: Device, added: dict[str, Any]
) -> None:
    """CLP-01…05, MED-01, -02, PRB-05: all six together, told apart by their tones."""
    assert {kind: clip["format"] for kind, clip in added.items()} == {k: k for k in HERTZ}

    for clip in added.values():
        assert link(quiet, f"clip={clip['number']}") == f"OK\nplaying={clip['number']}\n"
    since = time.monotonic()
    heard = quiet.heard(since + 0.2, since + 0.8)
    curl(quiet, "/axis-cgi/stopclip.cgi")

    for kind, clip in added.items():
        assert clip["loudness"] == pytest.approx(TONE_DB, abs=1.1), kind
        assert tone_db(heard, HERTZ[kind]) == pytest.approx(TONE_DB, abs=0.7), kind
    await_silence(quiet)


def test_a_link_plays_as_often_as_it_says_and_stop_stops_at_once(quiet: Device) -> None:
    """CLP-02, CLP-06: repeat=2 is three times."""
    began = time.monotonic()
    link(quiet, "location=beep&repeat=2&volume=50")
    await_silence(quiet)
    heard = quiet.heard(began, time.monotonic())

    beeps = loud_spans(heard)
    assert len(beeps) == 3
    assert [round(end - start, 1) for start, end in beeps] == [0.3] * 3
    starts = np.diff([start for start, _ in beeps])
    assert starts == pytest.approx([0.4, 0.4], abs=0.011)
    first = heard[int(48000 * (beeps[0][0] + 0.05)) :][:9600]
    assert level_db(first) == pytest.approx(-1.0 - 3.01 - 6.02, abs=0.2)

    link(quiet, "clip=35&repeat=-1")
    time.sleep(0.3)
    assert curl(quiet, "/axis-cgi/stopclip.cgi") == "OK\nstopping\n"
    stopped = time.monotonic()
    assert level_db(quiet.heard(stopped + SLACK, stopped + 2 * SLACK)) < -100


def test_a_profile_sounds_a_clip_and_keeps_it_from_being_deleted(
    quiet: Device, added: dict[str, Any]
) -> None:
    """PRF-13, CLP-01."""
    once = {"unit": "repetitions", "value": 1}
    siren = {"pattern": "clip:flac", "intensity": 5, "priority": 4, "duration": once}
    profile = {"name": "Break", "siren": siren}
    order = json.dumps({"apiVersion": "1.0", "method": "addProfile", "params": profile})
    assert '"data"' in curl(quiet, "/axis-cgi/siren_and_light.cgi", "-d", order)

    quiet.command("start-profile", profile="Break")
    since = time.monotonic()
    refused = json.loads(curl(quiet, f"/api/v1/clips/{added['flac']['number']}", "-X", "DELETE"))

    assert refused["detail"] == "the clip 'flac' is needed by profile 'Break'"
    heard = quiet.heard(since + SLACK, since + 0.5)
    assert tone_db(heard, HERTZ["flac"]) == pytest.approx(TONE_DB, abs=0.3)


def test_power_that_fails_during_an_upload_leaves_whole_clips_only(
    quiet: Device, files: dict[str, Path], added: dict[str, Any]
) -> None:
    """CLP-01: what was answered with 201 is there, and nothing is half there."""
    store = quiet.folder / "state" / "clips"
    with ThreadPoolExecutor(1) as somebody:
        late = somebody.submit(curl, quiet, "/api/v1/clips", "--data-binary", f"@{files['mp3']}")
        wait_until(lambda: any(store.glob("incoming-*")), words="a file comes")
        quiet.kill()
        answered = sorted([*(clip["number"] for clip in added.values()), *number_in(late.result())])
    quiet.process.returncode = 0  # as it was meant

    with device(quiet.folder, sound="null", password=quiet.password) as running:
        listed = [c for c in json.loads(curl(running, "/api/v1/clips"))["clips"] if c["file"]]
        numbers = [clip["number"] for clip in listed]
        assert numbers[: len(answered)] == answered
        assert len(numbers) <= len(added) + 1
        wait_until(
            lambda: len(list(store.iterdir())) == 2 * len(listed), words="nothing is left over"
        )
        assert all(not clip["problem"] for clip in listed)
        assert link(running, f"clip={listed[0]['number']}").startswith("OK")
