"""Sources of pages as control programs make them by curl, and as ffmpeg describes its own."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.device import Device, wait_until
from tests.interop.pages import L16, PORT, speaker_of, speaking, state

pytestmark = pytest.mark.interop

EVAC, LOBBY = "239.1.1.1", "239.1.1.2"
KEY = bytes(range(30))  # of 16 octets, and 14 of salt
API = "/config/rest/audio-multicast-ctrl/v1beta"


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Device]:
    with speaker_of(tmp_path) as running:
        yield running


def curl(device: Device, method: str, path: str, *body: str) -> Any:
    """The JSON of the answer."""
    command = [
        *("curl", "-s", "--max-time", "30", "--digest", "-u", f"admin:{device.password}"),
        *("-X", method, f"http://127.0.0.1:{device.http}{path}", *body),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=40)
    return json.loads(done.stdout)


def order(device: Device, method: str, path: str, data: object) -> Any:
    answer = curl(device, method, API + path, "-d", json.dumps({"data": data}))
    assert answer["status"] == "success", answer
    return answer.get("data")


def test_a_program_makes_a_source_and_decides_who_is_heard(speaker: Device, tmp_path: Path) -> None:
    """MCC-03, MCC-04, MCC-06, GAP-16, GAP-18; RFC 8866."""
    evac = {"label": "Evac", "ipAddress": EVAC, "port": PORT, "prio": 1, "srtpKey": KEY.hex()}
    made = order(speaker, "POST", "/sources", evac)
    order(speaker, "PATCH", "/enabled", True)
    written = tmp_path / "lobby.sdp"

    said = ("-metadata", "title=Lobby", "-sdp_file", str(written))
    with speaking(LOBBY, 900.0, *L16, *said):
        wait_until(lambda: written.exists() and written.read_text().endswith("L16/16000/1\n"))
        path = "/api/v1/multicast/sdp"
        source = curl(speaker, "POST", path, "--data-binary", f"@{written}")["source"]
        assert (source["label"], source["address"], source["codec"]) == (
            "Lobby",
            LOBBY,
            "L16/16000",
        )
        sources = speaker.api("GET", "settings/multicast")["settings"]["sources"]
        speaker.api("PATCH", "settings/multicast", sources=[*sources, source])
        wait_until(lambda: state(speaker, "Lobby") == "active")

        with speaking(EVAC, 500.0, key=KEY):
            wait_until(lambda: state(speaker, "Evac") == "active")
            wait_until(lambda: state(speaker, "Lobby") == "hidden")
            order(speaker, "PATCH", f"/sources/{made['id']}/prio", 99)
            wait_until(lambda: state(speaker, "Lobby") == "active")
            wait_until(lambda: state(speaker, "Evac") == "hidden")

    listed = curl(speaker, "GET", f"{API}/sources")["data"]
    assert [source["label"] for source in listed][-2:] == ["Lobby", "Evac"]
    assert KEY.hex() not in json.dumps(listed)
    assert KEY.hex() not in speaker.log
