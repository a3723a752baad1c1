"""Two devices on one machine play a page at the same instant, whatever else their settings are."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sipstrobe.io.wavfile import WavWriter
from tests.interop.device import LATE, Device, device, wait_until
from tests.interop.instants import between, lag, opened_at
from tests.interop.witness import on_time
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

GROUP, PORT = "239.1.1.9", 5004
DELAY_MS = 200
SPOKEN = 1.2  # seconds
RATE = 16000


def source(latency: str) -> dict[str, Any]:
    return {
        "kind": "multicast",
        "label": "Fire",
        "address": GROUP,
        "port": PORT,
        "latency": latency,
        "playout_delay": DELAY_MS,
    }


@pytest.fixture(scope="module")
def speakers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, Device]]:
    """One that lets sound wait for 60 ms and one that does for 20, if each is by itself."""
    with namespace() as network:
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        with network.inside():
            near, far = (
                ("--set", f"/multicast={json.dumps({'enabled': True, 'sources': [source(wait)]})}")
                for wait in ("normal", "low")
            )
            with (
                device(tmp_path_factory.mktemp("near"), *near) as one,
                device(tmp_path_factory.mktemp("far"), *far) as other,
            ):
                yield one, other


def test_two_devices_play_a_page_at_the_same_instant(
    speakers: tuple[Device, Device], tmp_path: Path
) -> None:
    """RFC 3550 §6.4.1; each by itself, they would be 40 ms apart. How exact it is: benchmarks."""
    file = tmp_path / "noise.wav"
    writer = WavWriter(file, RATE)
    writer.write(np.random.default_rng(1).normal(0, 0.2, round(SPOKEN * RATE)).astype(np.float32))
    writer.close()
    command = [sys.executable, "-m", "sipstrobe", "page", str(file), "--codec", "G722"]

    def story() -> None:
        opened = opened_at(*speakers)
        sender = subprocess.Popen([*command, "--to", f"{GROUP}:{PORT}"])
        try:
            wait_until(lambda: all(told(s)["state"] == "active" for s in speakers))
            began = time.monotonic() + 0.3
            time.sleep(0.6)
            offsets = [told(speaker)["offset_ms"] for speaker in speakers]
        finally:
            assert sender.wait(LATE) == 0
        one, other = (
            between(speaker, at, began, began + 0.4)
            for speaker, at in zip(speakers, opened, strict=True)
        )
        assert abs(lag(one, other)) < 0.010
        assert all(offset is not None and abs(offset) < 10.0 for offset in offsets)
        assert [told(speaker)["problem"] for speaker in speakers] == ["", ""]

    on_time(speakers[0], story)


def told(speaker: Device) -> dict[str, Any]:
    return speaker.status()["multicast"]["told"][0]
