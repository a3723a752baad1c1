"""Two devices in one network: what one is told by SIP, the other hears by multicast."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import on_time
from tests.support.hear import level_db, tone_db
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

GROUP, SECRET, PORT = "239.1.2.3", "239.1.2.4", 5004
KEY = "0a" * 44  # of 32 octets, and 12 of salt
HERTZ = 1020.0
QUIETER_DB = -20.0  # the volume of the speaker that relays
BLOCK = 480  # samples in which there is no gap
PAGE = [{"number": "2001", "role": "page"}]


def source(label: str, address: str = GROUP, **more: str) -> dict[str, Any]:
    return {"kind": "multicast", "label": label, "address": address, "port": PORT, **more}


RECEPTION = {  # it hears the group to which it speaks, twice, as does all of the building
    "enabled": True,
    "sources": [source("Building"), source("Building again")],
    "relay": {"enabled": True, "address": GROUP, "port": PORT},
}
HALL = {
    "enabled": True,
    "sources": [source("Building"), source("Secret", SECRET, srtp_key=KEY, cipher="AES_GCM")],
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, Device]]:
    """The one with the account, and the one that only hears multicast."""
    folder = tmp_path_factory.mktemp("building")
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(namespace())
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        stack.enter_context(network.inside())
        extensions = f"/extensions={json.dumps(PAGE)}"
        quieter = f"/audio/volume_db={QUIETER_DB}"
        settings = [f"/multicast={json.dumps(m)}" for m in (RECEPTION, HALL)]
        first = device(
            *(folder / "reception", "--set", extensions, "--set", quieter, "--set", settings[0])
        )
        second = device(folder / "hall", "--set", settings[1])
        yield stack.enter_context(first), stack.enter_context(second)


def relay(of: Device) -> dict[str, Any]:
    found: dict[str, Any] = of.status()["multicast"]["relay"]
    return found


def told(of: Device, label: str) -> dict[str, Any]:
    return next(s for s in of.status()["multicast"]["told"] if s["label"] == label)


def test_a_page_that_is_called_here_is_heard_there(
    pair: tuple[Device, Device], tmp_path: Path
) -> None:
    """As loud as it came, without a gap, until the call is over; and here once, not thrice."""
    reception, hall = pair
    tone = write_tone(tmp_path / "tone.wav", [HERTZ])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            phone.dial(reception.uri("2001"))
            wait_until(lambda: told(hall, "Building")["state"] == "active", words="heard there")
            began = time.monotonic() + 0.3
            there = hall.heard(began, began + 0.5)
            here = reception.heard(began, began + 0.5)
            shown = relay(reception)
            phone.hang_up()
            wait_until(lambda: told(hall, "Building")["state"] == "idle", words="BYE")
            assert (shown["state"], shown["problem"]) == ("sending", "")
            assert tone_db(there, HERTZ) == pytest.approx(TONE_DB, abs=0.5)
            assert tone_db(here, HERTZ) == pytest.approx(TONE_DB + QUIETER_DB, abs=0.5)
            blocks = there[: there.size // BLOCK * BLOCK].reshape(-1, BLOCK)
            assert np.min([level_db(block) for block in blocks]) > TONE_DB - 1.0

        on_time(hall, story)
    reception.wait_idle()
    wait_until(lambda: relay(reception)["state"] == "idle", words="the relay rests")
    for own in ("Building", "Building again"):
        shown = told(reception, own)
        assert (shown["state"], shown["packets"]) == ("idle", 0)


def test_a_clip_goes_out_encrypted(pair: tuple[Device, Device], tmp_path: Path) -> None:
    """To another group from now on, until it is stopped."""
    reception, hall = pair
    tone = write_tone(tmp_path / "tone.wav", [HERTZ], 0.5, rate=48000)
    added = subprocess.run(
        [
            *("curl", "-s", "--fail", "--max-time", "20", "--digest", "-o", str(tmp_path / "told")),
            *("-u", f"admin:{reception.password}", "--data-binary", f"@{tone}"),
            f"http://127.0.0.1:{reception.http}/api/v1/clips?name=Gong",
        ],
        check=False,
    )
    assert added.returncode == 0
    wanted = {"address": SECRET, "sounds": ["clips"], "srtp_key": KEY, "cipher": "AES_GCM"}
    shown = reception.api("PATCH", "settings/multicast", relay=wanted)
    assert KEY not in json.dumps(shown)

    def story() -> None:
        reception.command("play-clip", clip="Gong", repeat=None)
        wait_until(lambda: told(hall, "Secret")["state"] == "active", words="heard there")
        began = time.monotonic() + 0.2
        there = hall.heard(began, began + 0.3)
        here = reception.heard(began, began + 0.3)
        reception.command("stop-clip")
        wait_until(lambda: told(hall, "Secret")["state"] == "idle", words="BYE")
        level = tone_db(there, HERTZ)
        assert tone_db(here, HERTZ) == pytest.approx(level + QUIETER_DB, abs=0.5)
        assert level_db(there) == pytest.approx(level, abs=0.3)

    on_time(hall, story)
    assert relay(reception)["state"] == "idle"
    assert told(hall, "Secret")["undecipherable"] == 0
    assert told(hall, "Building")["state"] == "idle"


def test_a_rule_pages_a_clip_for_as_long_as_something_holds(pair: tuple[Device, Device]) -> None:
    """Again and again, without a gap between the rounds; not heard here, and not relayed there."""
    reception, hall = pair
    sent = told(hall, "Building")["packets"]
    rule = {
        "conditions": [{"event": "input/virtual", "match": {"input": "7", "active": "true"}}],
        "action": {"do": "page_while", "clip": "Beep", "address": GROUP, "port": PORT},
    }
    assert reception.api("PUT", "rules/Fire", **rule)["warnings"] == []

    def story() -> None:
        reception.command("set-virtual-input", input=7, active=True)
        wait_until(lambda: told(hall, "Building")["state"] == "active", words="heard there")
        began = time.monotonic() + 0.2
        there = hall.heard(began, began + 0.8)
        (shown,) = reception.status()["multicast"]["pages_out"]
        reception.command("set-virtual-input", input=7, active=False)
        wait_until(lambda: told(hall, "Building")["state"] == "idle", words="BYE")
        assert (shown["state"], shown["clip"], shown["problem"]) == ("speaking", "Beep", "")
        assert level_db(there) > QUIETER_DB - 10.0

    on_time(hall, story)
    assert reception.status()["multicast"]["pages_out"] == []
    assert told(hall, "Building")["packets"] > sent
    assert told(reception, "Building")["packets"] == 0
