"""Live sound over HTTP: ffmpeg makes it, curl sends it, and the WAV shows what was heard of it."""

import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tests.interop.device import LATE, RATE, Device, device, wait_until
from tests.interop.witness import on_time
from tests.support.hear import Samples, loud_spans, tone_db
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

SPEECH, FIRE = 500.0, 900.0  # hertz
FFMPEG = ("ffmpeg", "-v", "error")
GROUP, PORT = "239.1.1.1", 5004
PAGES = {
    "enabled": True,
    "sources": [
        {"kind": "multicast", "label": "Fire", "address": GROUP, "port": PORT},
        {"kind": "internal", "sound": "stream"},
    ],
}


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device in a network of its own, whose list has streams in the last place."""
    with namespace() as network:
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        folder = tmp_path_factory.mktemp("speaker")
        with network.inside(), device(folder, "--set", f"/multicast={json.dumps(PAGES)}") as found:
            yield found


def sine(hertz: float, seconds: float, rate: int = 8000) -> tuple[str, ...]:
    """ffmpeg's tone: 21 dB below full scale."""
    return ("-f", "lavfi", "-i", f"sine={hertz}:duration={seconds}:sample_rate={rate}")


def curl(device: Device, media_type: str, content: str, *more: str) -> list[str]:
    """The command that transmits a file, or "-": what it is given."""
    url = f"http://127.0.0.1:{device.http}/axis-cgi/audio/transmit.cgi"
    account = ("--digest", "-u", f"admin:{device.password}")
    kind = ("-H", f"Content-Type: {media_type}")
    return ["curl", "-sS", *account, *kind, *more, "-X", "POST", "-T", content, url]


@contextmanager
def speaking(device: Device, seconds: float) -> Generator["subprocess.Popen[str]"]:
    """Somebody speaks, as fast as it is taken, so that no machine without time cuts him short."""
    mulaw = ("-af", "volume=4", "-c:a", "pcm_mulaw", "-f", "mulaw", "-")
    with (
        subprocess.Popen((*FFMPEG, *sine(SPEECH, seconds), *mulaw), stdout=subprocess.PIPE) as made,
        subprocess.Popen(
            curl(device, "audio/basic", "-"), stdin=made.stdout, stdout=subprocess.PIPE, text=True
        ) as sender,
    ):
        try:
            yield sender
        finally:
            sender.terminate()
            made.terminate()


@contextmanager
def paging() -> Generator["subprocess.Popen[bytes]"]:
    """Somebody says a short page to the group, by multicast."""
    rtp = (
        "-af",
        "arealtime",
        "-c:a",
        "pcm_mulaw",
        "-packetsize",
        "172",
        "-rtpflags",
        "send_bye",
        "-f",
        "rtp",
    )
    command = (*FFMPEG, *sine(FIRE, 0.6), *rtp, f"rtp://{GROUP}:{PORT}?localaddr=127.0.0.1")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as page:
        try:
            yield page
        finally:
            page.terminate()


def state(device: Device) -> str:
    return str(device.status()["stream"]["state"])


def is_heard(device: Device, hertz: float) -> bool:
    """Whether the last tenth of a second has this tone."""
    now = time.monotonic()
    sound = device.heard(now - 0.1, now)
    return sound.size > 0 and tone_db(sound, hertz) > -30


def runs(sound: Samples) -> str:
    """Who was heard one after the other: S and F, each alone; what is in between is left out."""
    piece = RATE // 50
    pieces = sound[: len(sound) // piece * piece].reshape(-1, piece)
    found = ""
    for each in pieces:
        heard = [name for name, hz in (("S", SPEECH), ("F", FIRE)) if tone_db(each, hz) > -30]
        found += heard[0] if len(heard) == 1 else ""
    return "".join(key for key, _ in groupby(found))


def test_who_speaks_is_heard_by_his_place_and_alone(speaker: Device) -> None:
    """GAP-16, MCC-08: a page of higher rank hides it, and a second sender is refused."""

    def story() -> None:
        wait_until(lambda: state(speaker) == "idle")  # of an attempt before this one
        began = time.monotonic()
        with speaking(speaker, 5.0) as sender:
            wait_until(lambda: is_heard(speaker, SPEECH))  # it waits for 0.12 s
            assert state(speaker) == "active"
            second = subprocess.run(
                curl(speaker, "audio/basic", "/etc/hostname"),
                capture_output=True,
                text=True,
                timeout=LATE,
                check=False,
            )
            words = "503 Service Unavailable\nadmin at 127.0.0.1 transmits already\n"
            assert second.stdout == words
            with paging() as page:
                wait_until(lambda: state(speaker) != "active")
                assert page.wait(LATE) == 0
            assert sender.communicate(timeout=LATE)[0] == "OK\n"
        assert state(speaker) == "idle"

        sound = speaker.heard(began, time.monotonic())
        assert runs(sound) == "SFS"

    on_time(speaker, story)


def test_a_file_takes_as_long_to_send_as_to_hear(speaker: Device, tmp_path: Path) -> None:
    """What is ahead waits in the connection; its level and its pitch are those of the file."""
    file = tmp_path / "speech.ul"
    loud = ("-af", "volume=4", "-c:a", "pcm_mulaw", "-f", "mulaw")
    subprocess.run((*FFMPEG, *sine(SPEECH, 0.6, 16000), *loud, file), check=True, timeout=LATE)

    def story() -> None:
        wait_until(lambda: state(speaker) == "idle")
        began = time.monotonic()
        command = curl(speaker, "audio/axis-mulaw-128", str(file))
        done = subprocess.run(command, capture_output=True, text=True, timeout=LATE, check=True)
        ended = time.monotonic()

        assert done.stdout == "OK\n"
        assert ended - began > 0.6
        sound = speaker.heard(began, ended)
        [(start, end)] = loud_spans(sound)
        assert end - start == pytest.approx(0.6, abs=0.03)
        middle = sound[round((start + 0.1) * RATE) : round((end - 0.1) * RATE)]
        assert tone_db(middle, SPEECH) == pytest.approx(-9.1, abs=0.3)
        assert np.abs(middle).max() < 0.6

    on_time(speaker, story)
