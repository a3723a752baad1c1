"""Pages by multicast: ffmpeg and baresip speak to groups, and the WAV shows who is heard when."""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.device import LATE, RATE, Device, wait_until
from tests.interop.pages import (
    L16,
    PIECE,
    PORT,
    exchange,
    heard,
    seconds_heard,
    silent,
    speak,
    speaker_of,
    speaking,
    state,
    stop,
    told,
    turns,
)
from tests.interop.tones import write_tone
from tests.interop.witness import on_time

pytestmark = pytest.mark.interop

FIRE, MUSIC, CALL = 500.0, 900.0, 1300.0  # hertz
KEY, OTHER = bytes(range(30)), bytes(range(1, 31))  # of 16 octets, and 14 of salt
GROUPS = {
    "Fire": "239.1.1.1",
    "Music": "239.1.1.2",
    "Secret": "239.1.1.3",
    "Gong": "239.1.1.4",
    "Radio": "239.1.1.5",
    "Tour": "239.1.1.6",
}
SOURCES: list[dict[str, str]] = [
    {"label": "Fire", "profile": "Notice"},
    {"kind": "internal", "sound": "sip"},
    {"label": "Music", "codec": "L16/16000", "latency": "low"},
    {"label": "Secret", "srtp_key": KEY.hex()},
    {"label": "Gong"},
    {"label": "Radio", "latency": "ultra_low"},
    {"label": "Tour", "latency": "low"},
]
TURN = 0.25  # seconds for which somebody is heard at the least


def described(source: dict[str, str]) -> dict[str, object]:
    if source.get("kind") == "internal":
        return dict(source)
    return {"kind": "multicast", "address": GROUPS[source["label"]], "port": PORT, **source}


def multicast(**otherwise: str) -> dict[str, object]:
    """The settings; otherwise: of the source that is secret."""
    sources = [s | otherwise if s.get("label") == "Secret" else s for s in SOURCES]
    return {"enabled": True, "sources": [described(source) for source in sources]}


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    folder = tmp_path_factory.mktemp("speaker")
    with speaker_of(folder, "--set", f"/multicast={json.dumps(multicast())}") as running:
        yield running


def test_fire_pre_empts_music_which_returns(speaker: Device) -> None:
    """MCC-04, MCC-08; the light shows the profile of what is heard."""

    def story() -> None:
        wait_until(lambda: silent(speaker))  # of an attempt before this one
        began = time.monotonic()
        with speaking(GROUPS["Music"], MUSIC, *L16):
            wait_until(lambda: state(speaker, "Music") == "active")
            time.sleep(TURN)
            with speaking(GROUPS["Fire"], FIRE):
                wait_until(lambda: state(speaker, "Fire") == "active")
                assert state(speaker, "Music") == "hidden"
                assert [o["profile"] for o in speaker.operations()] == ["Notice"]
                time.sleep(TURN)
            wait_until(lambda: state(speaker, "Fire") == "idle")
            assert speaker.operations() == []
            time.sleep(TURN)
        wait_until(lambda: state(speaker, "Music") == "idle")
        sound = speaker.heard(began, time.monotonic())
        music_heard, fire_heard = heard(sound, MUSIC), heard(sound, FIRE)
        first, last = np.flatnonzero(fire_heard)[[0, -1]]
        assert (last - first) * PIECE / RATE > TURN / 2
        assert not music_heard[first + 1 : last].any()
        assert music_heard[:first].sum() * PIECE / RATE > TURN / 2
        assert music_heard[last + 1 :].sum() * PIECE / RATE > TURN / 2

    on_time(speaker, story)


def test_five_who_begin_and_end_as_they_like_are_heard_by_rank(speaker: Device) -> None:
    """MCC-08: at each step the first in the list of those who speak, and nobody else."""
    tones = {"F": FIRE, "M": MUSIC, "G": CALL, "R": 1700.0, "T": 2100.0}  # the highest first
    labels = {label[0]: label for label in GROUPS}

    def story() -> None:
        wait_until(lambda: silent(speaker))
        speak_now: dict[str, subprocess.Popen[bytes]] = {}
        began = time.monotonic()
        with ExitStack() as stack:
            for order, who in ("+T", "+G", "+R", "+F", "+M", "-F", "-G", "-M", "-R", "-T"):
                label = labels[who]
                if order == "+":
                    codec = L16 if who == "M" else ()
                    sender = speaking(GROUPS[label], tones[who], *codec)
                    speak_now[who] = stack.enter_context(sender)
                    wait_until(lambda label=label: state(speaker, label) != "idle")
                else:
                    stop(speak_now.pop(who))
                    wait_until(lambda label=label: state(speaker, label) == "idle")
                first = [letter for letter in tones if letter in speak_now][:1]
                states = {letter: state(speaker, labels[letter]) for letter in speak_now}
                assert [letter for letter in states if states[letter] == "active"] == first
                time.sleep(TURN)
        found = turns(speaker.heard(began, time.monotonic()), tones)
        assert "".join(who for who, _ in found) == "TGFMRT"
        assert min(seconds for _, seconds in found) > TURN / 2

    on_time(speaker, story)


def test_a_call_is_heard_by_its_place_in_the_list(speaker: Device, tmp_path: Path) -> None:
    """GAP-16: below one page and above the other."""
    tone = write_tone(tmp_path / "tone.wav", [CALL])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            wait_until(lambda: silent(speaker))  # of an attempt before this one
            began = time.monotonic()
            with speaking(GROUPS["Music"], MUSIC, *L16):
                wait_until(lambda: state(speaker, "Music") == "active")
                time.sleep(TURN)
                phone.dial(speaker.uri("1099"))
                wait_until(lambda: state(speaker, "Music") == "hidden")
                time.sleep(TURN)
                assert speak(GROUPS["Fire"], FIRE, 0.6).wait(LATE) == 0
                wait_until(lambda: state(speaker, "Fire") == "idle")
                time.sleep(TURN)
                phone.hang_up()
                wait_until(lambda: state(speaker, "Music") == "active")
                time.sleep(TURN)
            sound = speaker.heard(began, time.monotonic())
            found = turns(sound, {"F": FIRE, "C": CALL, "M": MUSIC})
            assert "".join(who for who, _ in found) == "MCFCM"

        on_time(speaker, story)
    speaker.wait_idle()


def test_baresip_speaks_to_a_group_and_its_end_is_heard_as_well(
    speaker: Device, tmp_path: Path
) -> None:
    """Its call is answered by a group; when it hangs up, it says RTCP BYE or nothing more."""
    tone = write_tone(tmp_path / "tone.wav", [CALL])
    with (
        exchange(GROUPS["Tour"]) as everybody,
        baresip(tmp_path / "phone", source=tone) as phone,
    ):

        def story() -> None:
            wait_until(lambda: silent(speaker))
            began = time.monotonic()
            phone.dial(everybody)
            wait_until(lambda: state(speaker, "Tour") == "active")
            time.sleep(0.5)
            phone.hang_up()
            wait_until(lambda: state(speaker, "Tour") == "idle")
            assert seconds_heard(speaker.heard(began, time.monotonic()), CALL) > 0.4

        on_time(speaker, story)


def test_two_who_speak_to_one_group_are_heard_one_after_the_other(speaker: Device) -> None:
    """Who came second is not mixed in, but counted; his turn comes when the first has ended."""

    def story() -> None:
        wait_until(lambda: silent(speaker))
        before = told(speaker, "Gong")["strangers"]
        began = time.monotonic()
        with speaking(GROUPS["Gong"], FIRE) as first:
            wait_until(lambda: state(speaker, "Gong") == "active")
            with speaking(GROUPS["Gong"], MUSIC):
                wait_until(lambda: told(speaker, "Gong")["strangers"] > before + 10)
                stop(first)
                time.sleep(2 * TURN)
        wait_until(lambda: state(speaker, "Gong") == "idle")
        found = turns(speaker.heard(began, time.monotonic()), {"1": FIRE, "2": MUSIC})
        assert "".join(who for who, _ in found) == "12"
        assert min(seconds for _, seconds in found) > TURN / 2

    on_time(speaker, story)


def test_a_sender_may_lose_its_beginning_and_change_all_its_numbers(speaker: Device) -> None:
    """RFC 3550 §8.2: another SSRC, other sequence numbers, timestamps that jump; one page."""

    def story() -> None:
        wait_until(lambda: silent(speaker))
        began = time.monotonic()
        runs = [(7, 65_520, 0), (8, 3, 90_000), (8, 28, 4_000_000_000)]  # SSRC, first numbers
        say_in_runs(GROUPS["Music"], MUSIC, runs, lost=(1, 2))
        wait_until(lambda: state(speaker, "Music") == "idle")
        sound = speaker.heard(began, time.monotonic())
        assert seconds_heard(sound, MUSIC) > 1.2  # of 1.5
        played = speaker.api("GET", "sound/played")["played"][0]
        assert (played["owner"], played["heard_seconds"] > 1.2) == ("page Music", True)

    on_time(speaker, story)


def say_in_runs(
    group: str, hertz: float, runs: list[tuple[int, int, int]], *, lost: tuple[int, ...]
) -> None:
    """L16 at 16 kHz, 25 packets of 20 ms in each run; lost: of the first."""
    began, said, size = time.monotonic(), 0, 320
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for ssrc, number, timestamp in runs:
            for n in range(25):
                tone = 8000 * np.sin(2 * np.pi * hertz * np.arange(said, said + size) / 16_000)
                header = struct.pack(
                    ">BBHII", 0x80, 97, (number + n) % 65_536, timestamp + n * size, ssrc
                )
                time.sleep(max(0.0, began + said / 16_000 - time.monotonic()))
                if said // size not in lost:
                    sender.sendto(header + tone.astype(">i2").tobytes(), (group, PORT))
                said += size


def test_who_has_the_key_is_heard_and_who_has_another_is_told_apart_from_silence(
    speaker: Device,
) -> None:
    """MCC-06, GAP-18."""
    assert speak(GROUPS["Secret"], FIRE, 0.8, key=OTHER).wait(LATE) == 0
    wait_until(lambda: "another key" in told(speaker, "Secret")["problem"])
    assert told(speaker, "Secret")["packets"] == 0

    def story() -> None:
        began = time.monotonic()
        assert speak(GROUPS["Secret"], FIRE, 0.8, key=KEY).wait(LATE) == 0
        wait_until(lambda: state(speaker, "Secret") == "idle")
        sound = speaker.heard(began, time.monotonic())
        assert seconds_heard(sound, FIRE) == pytest.approx(0.8, abs=0.1)

    on_time(speaker, story)
    assert told(speaker, "Secret")["problem"] == ""


def test_a_key_that_is_changed_while_somebody_speaks_counts_at_once(speaker: Device) -> None:
    """MCC-06, MCC-07: silence with words, then sound in the middle of the page; others stay."""

    def have(key: bytes) -> None:
        speaker.api("PATCH", "settings/multicast", **multicast(srtp_key=key.hex()))

    def story() -> None:
        wait_until(lambda: silent(speaker))
        began = time.monotonic()
        with speaking(GROUPS["Secret"], FIRE, key=OTHER):
            wait_until(lambda: "another key" in told(speaker, "Secret")["problem"])
            changed = time.monotonic()
            have(OTHER)
            wait_until(lambda: state(speaker, "Secret") == "active")
            time.sleep(0.4)
            have(KEY)
            wait_until(lambda: "another key" in told(speaker, "Secret")["problem"])
        assert not heard(speaker.heard(began, changed), FIRE).any()
        assert seconds_heard(speaker.heard(changed, time.monotonic()), FIRE) > 0.2

    try:
        on_time(speaker, story)
    finally:
        have(KEY)


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
