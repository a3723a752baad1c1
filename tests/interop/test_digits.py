"""Digits that phones of others press: each is one event, whichever way it comes (DTM-01…05)."""

import json
import re
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sipstrobe.dtmf.inband import ToneReceiver
from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.live import events_so_far
from tests.interop.sipp import sipp
from tests.interop.tones import RATE
from tests.support.voices import Samples, key, music, silence, speech

pytestmark = pytest.mark.interop

DIGITS = "4711"
ACCOUNTS = [  # those by address share one set of ways; the others need no registrar to call
    {"name": "all", "user_id": "all", "default": True, "dtmf_inband": True},
    {"name": "events", "user_id": "e", "kind": "registered", "dtmf_info": False},
    {"name": "info", "user_id": "i", "kind": "registered", "dtmf_rtp": False},
    {
        "name": "tones",
        "user_id": "t",
        "kind": "registered",
        "dtmf_rtp": False,
        "dtmf_info": False,
        "dtmf_inband": True,
    },
]
SEQUENCES = [{"sequence": DIGITS, "name": "All clear"}, {"sequence": "47", "name": "Too early"}]
PACE = 0.2  # seconds from one key to the next


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with sequences, whose account knows all ways of pressing keys."""
    sequences = f"/dtmf/sequences={json.dumps(SEQUENCES)}"
    accounts = f"/sip/accounts={json.dumps(ACCOUNTS)}"
    folder = tmp_path_factory.mktemp("digits")
    with device(folder, "--set", sequences, "--set", accounts, sound="null") as running:
        yield running


def write(path: Path, *parts: Samples) -> Path:
    """A microphone before these sounds, and a minute of silence."""
    sound = np.concatenate((*parts, silence(60.0)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    return path


def keys(digits: str) -> Samples:
    return np.concatenate([part for d in digits for part in (key(d, 0.08), silence(0.08))])


def events(running: Device, name: str, call: str) -> list[list[dict[str, Any]]]:
    """The chains of this call's events of a name."""
    chains = [event["chain"] for event in events_so_far(running)]
    return [c for c in chains if c[0]["name"] == name and c[0]["items"]["call"] == call]


def call_of(running: Device) -> str:
    [call] = running.calls
    return str(call["id"])


def last_call(running: Device) -> str:
    """The newest of which a digit was told."""
    chains = [event["chain"] for event in events_so_far(running)]
    return str([c for c in chains if c[0]["name"] == "call/digit"][-1][0]["items"]["call"])


def told(running: Device, call: str, way: str) -> None:
    """Each digit was told once, and the sequence; both because of what came in this way."""
    wait_until(lambda: bool(events(running, "call/dtmf", call)), words=f"{DIGITS} by {way}")
    digits = events(running, "call/digit", call)
    [sequence] = events(running, "call/dtmf", call)
    assert "".join(chain[0]["items"]["digit"] for chain in digits) == DIGITS
    assert sequence[0]["items"]["name"] == "All clear"
    assert all(way in json.dumps(chain[1:], ensure_ascii=False) for chain in [*digits, sequence])


def test_keys_in_rtp(listening: Device, silence: Path, tmp_path: Path) -> None:
    """RFC 4733."""
    with baresip(tmp_path / "phone", source=silence) as phone:
        phone.dial(listening.uri("2000"))
        call = call_of(listening)
        for digit in DIGITS:
            phone.command("sndcode", digit)
            time.sleep(PACE)

        told(listening, call, "a telephone event in call")


def test_keys_in_info(listening: Device, tmp_path: Path) -> None:
    sipp("uac-pin-in-info", listening.port, tmp_path, "-d", "100", extension="2000")

    told(listening, last_call(listening), "INFO sip:")


def test_keys_that_are_only_heard_after_voices_and_music_that_are_none(
    listening: Device, tmp_path: Path
) -> None:
    """ITU-T Q.24: receivers must not take speech for signals."""
    sound = write(tmp_path / "all.wav", speech(1.5, 21), music(1.5, 22), keys(DIGITS))

    with baresip(tmp_path / "phone", source=sound) as phone:
        phone.dial(listening.uri("2000"))

        told(listening, call_of(listening), "a tone in call")


@pytest.mark.parametrize("account", ["events", "info", "tones"])
def test_keys_that_we_press(listening: Device, silence: Path, tmp_path: Path, account: str) -> None:
    """They go the way that the account has, and baresip says what it has heard."""
    with baresip(tmp_path / "phone", source=silence, record=account == "tones") as phone:
        call = listening.command("dial", uri=phone.uri, account=account)
        wait_until(lambda: [c["state"] for c in listening.calls] == ["active"], words="a call")

        listening.api("POST", f"calls/{call}/digits", digits=DIGITS)

        if account == "tones":
            time.sleep(len(DIGITS) * 0.16 + 0.3)
            phone.hang_up()
            signs = ToneReceiver(RATE).hear(phone.heard().astype(np.float32))
            assert "".join(sign.digit for sign in signs if sign.begins) == DIGITS
        else:
            misses = account == "events" and phone.misses_ends_of_events
            heard = DIGITS.replace("11", "1") if misses else DIGITS
            wait_until(lambda: bool(phone.command("about")) and len(phone.digits) >= len(heard))
            assert phone.digits == heard
            told_of_info = re.search(r"call: received (SIP INFO )?DTMF", phone.log)
            assert bool(told_of_info) == (account == "info")
