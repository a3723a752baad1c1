"""Pages by multicast: ffmpeg speaks to groups, and the WAV shows who is heard when."""

import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.interop.baresip import baresip
from tests.interop.device import LATE, RATE, Device, device, wait_until
from tests.interop.tones import write_tone
from tests.interop.witness import on_time
from tests.support.hear import Samples, tone_db
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

FIRE, MUSIC, CALL = 500.0, 900.0, 1300.0  # hertz
PORT = 5004
GROUPS = {"Fire": "239.1.1.1", "Music": "239.1.1.2", "Secret": "239.1.1.3"}
KEY, OTHER = bytes(range(30)), bytes(range(1, 31))  # of 16 octets, and 14 of salt
PIECE = RATE // 50  # samples of 20 ms
HEARD_DB = -30.0
L16 = ("-c:a", "pcm_s16be", "-ar", "16000", "-payload_type", "97")
QUIET = "/profiles/0/siren=null"  # a profile of light only
SETTINGS = {
    "enabled": True,
    "sources": [
        {
            "kind": "multicast",
            "label": "Fire",
            "address": GROUPS["Fire"],
            "port": PORT,
            "profile": "Notice",
        },
        {"kind": "internal", "sound": "sip"},
        {
            "kind": "multicast",
            "label": "Music",
            "address": GROUPS["Music"],
            "port": PORT,
            "codec": "L16/16000",
            "latency": "low",
        },
        {
            "kind": "multicast",
            "label": "Secret",
            "address": GROUPS["Secret"],
            "port": PORT,
            "srtp_key": KEY.hex(),
        },
    ],
}


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device in a network of its own, as is everything that a test starts."""
    settings = f"/multicast={json.dumps(SETTINGS)}"
    with namespace() as network:
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        folder = tmp_path_factory.mktemp("speaker")
        with network.inside(), device(folder, "--set", QUIET, "--set", settings) as running:
            yield running


def speak(
    label: str, hertz: float, seconds: float, *more: str, key: bytes = b""
) -> "subprocess.Popen[bytes]":
    """ffmpeg says a tone to a group, and good-bye at the end."""
    codec = more or ("-c:a", "pcm_mulaw", "-ar", "8000")
    suite = ("-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80")
    secret = (*suite, "-srtp_out_params", b64encode(key).decode()) if key else ()
    target = f"{'srtp' if key else 'rtp'}://{GROUPS[label]}:{PORT}?localaddr=127.0.0.1"
    return subprocess.Popen(
        [
            *("ffmpeg", "-v", "error", "-re", "-f", "lavfi"),
            *("-i", f"sine=frequency={hertz}:duration={seconds}", "-ac", "1", *codec),
            *("-packetsize", "172", "-rtpflags", "send_bye", *secret, "-f", "rtp", target),
        ],
        stdout=subprocess.DEVNULL,
    )


def heard(sound: Samples, hertz: float) -> NDArray[np.bool_]:
    """Whether the tone can be heard, in pieces of 20 ms."""
    count = len(sound) // PIECE
    pieces = sound[: count * PIECE].reshape(count, PIECE)
    return np.array([tone_db(piece, hertz) > HEARD_DB for piece in pieces])


def test_fire_pre_empts_music_which_returns(speaker: Device) -> None:
    """MCC-04, MCC-08; the light shows the profile of what is heard."""

    def story() -> None:
        wait_until(lambda: silent(speaker))  # of an attempt before this one
        began = time.monotonic()
        music = speak("Music", MUSIC, 3.0, *L16)
        time.sleep(1.0)
        fire = speak("Fire", FIRE, 1.0)
        wait_until(lambda: state(speaker, "Fire") == "active")
        assert state(speaker, "Music") == "hidden"
        assert [o["profile"] for o in speaker.operations()] == ["Notice"]
        for sender in (fire, music):
            assert sender.wait(LATE) == 0
        wait_until(lambda: state(speaker, "Music") == "idle")
        assert speaker.operations() == []
        sound = speaker.heard(began, time.monotonic())
        music_heard, fire_heard = heard(sound, MUSIC), heard(sound, FIRE)
        assert fire_heard.any()
        first, last = np.flatnonzero(fire_heard)[[0, -1]]
        assert not music_heard[first + 1 : last].any()
        assert music_heard[:first].sum() > 10
        assert music_heard[last + 1 :].sum() > 10
        assert fire_heard.sum() * PIECE / RATE == pytest.approx(1.0, abs=0.1)

    on_time(speaker, story)


def test_a_call_is_heard_by_its_place_in_the_list(speaker: Device, tmp_path: Path) -> None:
    """GAP-16: below one page and above the other."""
    tone = write_tone(tmp_path / "tone.wav", [CALL])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            wait_until(lambda: silent(speaker))  # of an attempt before this one
            began = time.monotonic()
            music = speak("Music", MUSIC, 4.0, *L16)
            time.sleep(0.6)
            phone.dial(speaker.uri("1099"))
            time.sleep(0.6)
            fire = speak("Fire", FIRE, 0.6)
            assert fire.wait(LATE) == 0
            time.sleep(0.5)
            phone.hang_up()
            assert music.wait(LATE) == 0
            sound = speaker.heard(began, time.monotonic())
            order = [heard(sound, hertz) for hertz in (FIRE, CALL, MUSIC)]
            found = "".join(letter(*piece) for piece in zip(*order, strict=True))
            runs = "".join(key for key, _ in groupby(found.replace("?", ".")) if key != ".")
            assert "".join(key for key, _ in groupby(runs)) == "MCFCM"

        on_time(speaker, story)
    speaker.wait_idle()


def test_who_has_the_key_is_heard_and_who_has_another_is_told_apart_from_silence(
    speaker: Device,
) -> None:
    """MCC-06, GAP-18."""
    assert speak("Secret", FIRE, 0.8, key=OTHER).wait(LATE) == 0
    wait_until(lambda: "another key" in told(speaker, "Secret")["problem"])
    assert told(speaker, "Secret")["packets"] == 0

    def story() -> None:
        began = time.monotonic()
        assert speak("Secret", FIRE, 0.8, key=KEY).wait(LATE) == 0
        wait_until(lambda: state(speaker, "Secret") == "idle")
        sound = speaker.heard(began, time.monotonic())
        assert heard(sound, FIRE).sum() * PIECE / RATE == pytest.approx(0.8, abs=0.1)

    on_time(speaker, story)
    assert told(speaker, "Secret")["problem"] == ""


def test_one_of_ours_pages_another(speaker: Device, tmp_path: Path) -> None:
    """Encrypted; its end is told by a BYE, also where it is ended by hand."""
    tone = write_tone(tmp_path / "tone.wav", [FIRE])
    command = [sys.executable, "-m", "sipstrobe", "page", str(tone), "--codec", "G722"]
    target = ["--to", f"{GROUPS['Secret']}:{PORT}", "--srtp-key", KEY.hex()]
    sender = subprocess.Popen([*command, *target], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: state(speaker, "Secret") == "active")
        time.sleep(0.2)  # its first sound has waited by then
        began = time.monotonic()
        time.sleep(0.4)
    finally:
        sender.terminate()
        _, words = sender.communicate(timeout=LATE)
    assert not words, words

    wait_until(lambda: state(speaker, "Secret") == "idle")
    assert heard(speaker.heard(began, began + 0.3), FIRE).mean() > 0.5


def letter(fire: bool, call: bool, music: bool) -> str:
    """Who alone is heard in a piece; "." nobody, "?" more than one."""
    who = [name for name, one in zip("FCM", (fire, call, music), strict=True) if one]
    return who[0] if len(who) == 1 else "?" if who else "."


def silent(speaker: Device) -> bool:
    return all(s["state"] == "idle" for s in speaker.status()["multicast"]["told"])


def state(speaker: Device, label: str) -> str:
    return str(told(speaker, label)["state"])


def told(speaker: Device, label: str) -> dict[str, Any]:
    sources = speaker.status()["multicast"]["told"]
    return next(source for source in sources if source["label"] == label)
