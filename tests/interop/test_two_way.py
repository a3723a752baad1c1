"""Talk-back: what a phone hears of the room, and what becomes of what it says meanwhile."""

import json
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import Baresip, baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.sound_server import CARD, sound_server
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import SILENCE_DB, on_time
from tests.support.hear import Samples, level_db, loud_spans, tone_db

pytestmark = pytest.mark.interop

RATE = 8000
ROOM, VOICE, BEEP = 600.0, 1020.0, 880.0  # Hz
EXTENSIONS = [
    {"number": "1101", "role": "page"},
    {"number": "1102", "role": "page", "record_then_play": True},
]
EXPECTED = pytest.approx(TONE_DB, abs=0.7)  # after G.711


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with a microphone, before which somebody whistles."""
    folder = tmp_path_factory.mktemp("room")
    whistle = write_tone(folder / "whistle.wav", [ROOM], seconds=10.0, rate=16_000)
    microphone = ("--set", f"/audio/microphone/input=wav:{whistle}")
    extensions = ("--set", f"/extensions={json.dumps(EXTENSIONS)}")
    with device(folder / "device", *microphone, *extensions) as running:
        yield running
        running.wait_idle()


def tones_db(sound: Samples, hertz: float) -> list[float]:
    """The level of a tone, tenth of a second by tenth of a second."""
    size = RATE // 10
    pieces = sound[: sound.size // size * size].reshape(-1, size)
    return [tone_db(piece, hertz, RATE) for piece in pieces]


def forget(phone: Baresip) -> None:
    """What it has heard in calls before."""
    for file in phone.folder.glob("dump-*"):
        file.unlink()


def call(phone: Baresip, uri: str, seconds: float) -> Samples:
    """What the phone hears in a call of this length."""
    forget(phone)
    phone.dial(uri)
    time.sleep(seconds)
    phone.hang_up()
    return phone.heard()


def test_a_beep_and_then_the_room_as_loud_as_it_is(
    room: Device, silence: Path, tmp_path: Path, figures: dict[str, str]
) -> None:
    with baresip(tmp_path / "phone", source=silence, record=True) as phone:

        def story() -> str:
            heard = call(phone, room.uri("1101"), 1.5)
            whistle = tones_db(heard, ROOM)
            assert max(tones_db(heard[: RATE // 2], BEEP)) > -30.0
            assert [min(whistle[-6:-1]), max(whistle[-6:-1])] == [EXPECTED, EXPECTED]
            return f"{np.median(whistle[-6:-1]):.2f} dB, said at {TONE_DB:g} dB"

        words = on_time(room, story)

    figures["the microphone, heard by baresip"] = words


def test_muted_nothing_of_the_room_gets_out(room: Device, tmp_path: Path) -> None:
    """AUD-03; who calls is heard all the same. The owner changes his mind within a call."""
    voice = write_tone(tmp_path / "voice.wav", [VOICE])
    with baresip(tmp_path / "phone", source=voice, record=True) as phone:

        def story() -> None:
            forget(phone)
            room.api("PATCH", "settings/audio", microphone={"muted": True})
            began = time.monotonic()
            phone.dial(room.uri("1099"))
            time.sleep(0.7)
            room.api("PATCH", "settings/audio", microphone={"muted": False})
            time.sleep(0.7)
            phone.hang_up()
            heard = phone.heard()

            assert level_db(heard[: RATE // 2]) < -65.0
            assert max(tones_db(heard, ROOM)) == EXPECTED
            played = room.heard(began, time.monotonic())
            assert max(end - start for start, end in loud_spans(played)) > 0.7

        on_time(room, story)


def test_the_microphone_of_a_sound_card_hears_its_speaker(tmp_path: Path) -> None:
    """Through PortAudio, both at once; without echo cancellation who calls hears himself."""
    voice = write_tone(tmp_path / "voice.wav", [VOICE])
    microphone = ("--set", f'/audio/microphone={{"input":"{CARD}","echo_cancellation":false}}')
    with (
        sound_server(tmp_path / "server") as server,
        device(
            tmp_path / "device", *microphone, sound=CARD, environment=server.environment
        ) as running,
        baresip(tmp_path / "phone", source=voice, record=True) as phone,
    ):

        def story() -> None:
            heard = call(phone, running.uri("1099"), 1.5)
            assert max(tones_db(heard, VOICE)) == pytest.approx(TONE_DB, abs=2.0)

        on_time(running, story, late=lambda: server.late)
        assert running.status()["microphone"]["working"]


def test_a_page_is_heard_when_its_caller_has_hung_up(room: Device, tmp_path: Path) -> None:
    """Once, and nothing of it before: the phone may stand beside the speaker."""
    voice = write_tone(tmp_path / "voice.wav", [VOICE])
    with baresip(tmp_path / "phone", source=voice) as phone:

        def story() -> None:
            phone.dial(room.uri("1102"))
            began = time.monotonic()
            time.sleep(1.0)
            hung_up = time.monotonic()
            phone.hang_up()
            wait_until(lambda: room.status()["pages"]["playing"] != "", words="the page")
            wait_until(lambda: room.status()["pages"]["playing"] == "", words="its end")
            over = time.monotonic()

            assert level_db(room.heard(began, hung_up)) < SILENCE_DB
            spans = loud_spans(room.heard(hung_up, over))
            assert len(spans) == 1
            assert 0.6 < spans[0][1] - spans[0][0] < 1.5

        on_time(room, story)


def test_a_call_is_recorded_and_had_back(room: Device, tmp_path: Path) -> None:
    """Them on the left, us on the right, as loud as they were (AUD-05)."""
    voice = write_tone(tmp_path / "voice.wav", [VOICE])
    with baresip(tmp_path / "phone", source=voice) as phone:

        def story() -> None:
            phone.dial(room.uri("1099"))
            time.sleep(0.3)
            name = room.command("start-recording", source="call")
            time.sleep(1.2)
            phone.hang_up()
            wait_until(lambda: not room.status()["recordings"], words="the recording has ended")
            left, right = download(room, name, tmp_path / name)
            assert [r["name"] for r in room.api("GET", "recordings")["recordings"]] == [name]
            assert room.api("DELETE", f"recordings/{name}") is None
            assert min(left.size, right.size) > 0.9 * RATE
            middle = slice(RATE // 2, RATE // 2 + 3200)
            assert tone_db(left[middle], VOICE, RATE) == EXPECTED
            assert tone_db(right[middle], ROOM, RATE) == EXPECTED
            assert tone_db(left[middle], ROOM, RATE) < -50

        on_time(room, story)


def download(device: Device, name: str, path: Path) -> tuple[Samples, Samples]:
    """Both channels of a recording."""
    url = f"http://127.0.0.1:{device.http}/api/v1/recordings/{name}"
    who = ("--digest", "-u", f"admin:{device.password}")
    subprocess.run(["curl", "-sf", *who, "-o", path, url], check=True, timeout=30)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    left, right = data.reshape(-1, 2).T / 32768
    return left, right
