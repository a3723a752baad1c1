"""Desk phones page the device, and `sipstrobe page` pages desk phones.

The phone here is made after the published format (Polycom Engineering Advisory 70568) and shares no
code with the device; its sound is made and heard by FFmpeg.
"""

import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.interop.device import LATE, RATE, ROOT, Device, device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import on_time
from tests.support.hear import read_wav, tone_db
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

GROUP, PORT = "224.0.1.116", 5001
FLOOR, GATE = 26, 27  # channels
ALERT, TRANSMIT, END = 0x0F, 0x10, 0xFF
HEADER, SOUND = struct.Struct("!BBIB13s"), struct.Struct("!BBI")
SERIAL, G722 = 0xF2FB1C51, 9
INTERVAL, FRAME = 0.030, 240  # seconds from packet to packet, and what of sound is new in each
TONE = 500.0  # hertz
PIECE = RATE // 50  # samples of 20 ms
SO_TIMESTAMPNS = 35
QUIET = "/profiles/0/siren=null"  # a profile of light only
SETTINGS = {
    "enabled": True,
    "sources": [
        {"kind": "desk_phones", "label": "Floor", "channel": FLOOR, "profile": "Notice"},
        {"kind": "desk_phones", "label": "Gate", "channel": GATE},
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


class Phone:
    """Sends to a channel, at the pace of phones."""

    def __init__(self, channel: int, serial: int = SERIAL) -> None:
        self._channel = channel
        self._serial = serial
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._due = time.monotonic()

    def page(self, sound: bytes, *, lost: range) -> None:
        """31 alerts, the sound but for some packets that get lost, and twelve ends."""
        for _ in range(31):
            self.alert()
        before = b""
        for n, start in enumerate(range(0, len(sound), FRAME)):
            new = sound[start : start + FRAME]
            self._send(TRANSMIT, SOUND.pack(G722, 0, start) + before + new, lost=n in lost)
            before = new
        for _ in range(12):
            self._send(END)

    def close(self) -> None:
        self._socket.close()

    def alert(self) -> None:
        self._send(ALERT)

    def _send(self, op: int, what: bytes = b"", *, lost: bool = False) -> None:
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due += INTERVAL
        if not lost:
            header = HEADER.pack(op, self._channel, self._serial, 13, b"Reception")
            self._socket.sendto(header + what, (GROUP, PORT))


def test_a_page_of_a_desk_phone_is_heard_whole_and_lights_its_profile(
    speaker: Device, tmp_path: Path
) -> None:
    """Every fourth packet is lost, and its sound is heard from the next."""
    raw, seconds = tmp_path / "tone.g722", 0.6
    tone = f"sine=frequency={TONE}:sample_rate=16000:duration={seconds}"
    make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", tone, "-c:a", "g722", "-f", "g722"]
    subprocess.run([*make, str(raw)], check=True, timeout=LATE)

    def story() -> None:
        wait_until(lambda: told(speaker, "Floor")["state"] == "idle")
        began = time.monotonic()
        with closing(Phone(FLOOR)) as phone:
            phone.page(raw.read_bytes(), lost=range(1, 20, 4))
        wait_until(lambda: told(speaker, "Floor")["state"] == "idle")
        assert speaker.operations() == []
        sound = speaker.heard(began, time.monotonic())
        pieces = sound[: sound.size // PIECE * PIECE].reshape(-1, PIECE)
        loud = np.flatnonzero([tone_db(piece, TONE) > -40.0 for piece in pieces])
        assert loud.size * PIECE / RATE == pytest.approx(seconds, abs=0.1)
        assert loud[-1] - loud[0] + 1 - loud.size <= 2
        assert loud[0] * PIECE / RATE > 31 * INTERVAL

    on_time(speaker, story)
    shown = [frame for frame in speaker.frames if frame["profile"] == "Notice"]
    assert shown
    assert (told(speaker, "Floor")["caller_id"], told(speaker, "Gate")["packets"]) == (
        "Reception",
        0,
    )


class Heard(NamedTuple):
    at: float  # when it came into this machine's kernel
    op: int
    serial: int
    caller_id: bytes
    rest: bytes


def test_desk_phones_hear_what_is_said_to_their_channel(speaker: Device, tmp_path: Path) -> None:
    """And the device does, which listens to the same channel."""
    seconds = 0.51
    tone = write_tone(tmp_path / "tone.wav", [TONE], seconds)
    command = [sys.executable, "-m", "sipstrobe", "page", str(tone), "--to", f"{GROUP}:{PORT}"]
    more = ["--channel", str(GATE), "--caller-id", "Gate 2", "--codec", "G722"]
    with listening() as ear:
        done = subprocess.run(
            [*command, *more], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
        )
        assert (done.stdout, done.stderr) == ("paged: 0.5 s\n", "")
        heard = list(datagrams(ear))

    wait_until(lambda: told(speaker, "Gate")["packets"] == 17)
    assert len({packet.serial for packet in heard}) == 1
    assert {packet.caller_id for packet in heard} == {b"Gate 2".ljust(13, b"\0")}
    sound = [packet for packet in heard if packet.op == TRANSMIT]
    assert [packet.op for packet in heard] == [ALERT] * 31 + [TRANSMIT] * 17 + [END] * 12
    assert {packet.rest for packet in heard if packet.op != TRANSMIT} == {b""}
    assert (
        sound[0].at - heard[0].at > 0.5
    )  # seconds; less than it takes, for a machine that is late
    assert heard[-1].at - heard[-12].at > 0.1
    new = [packet.rest[-FRAME:] for packet in sound]
    counts: list[int] = []
    for n, packet in enumerate(sound):
        codec, flags, count = SOUND.unpack_from(packet.rest)
        assert (codec, flags) == (G722, 0)
        follows = n > 0 and count == counts[-1] + FRAME  # it does not after a hold-up
        assert packet.rest[SOUND.size :] == (new[n - 1] if follows else b"") + new[n]
        counts.append(count)
    assert counts == sorted(counts)

    raw, wav = tmp_path / "heard.g722", tmp_path / "heard.wav"
    raw.write_bytes(b"".join(new))
    decode = ["ffmpeg", "-v", "error", "-f", "g722", "-i", str(raw), str(wav)]
    subprocess.run(decode, check=True, timeout=LATE)
    found, rate = read_wav(wav)
    assert found.size / rate == pytest.approx(seconds, abs=0.03)
    assert tone_db(found[1000:-1000], TONE, rate) == pytest.approx(TONE_DB, abs=0.5)


@pytest.mark.usefixtures("speaker")
def test_a_phone_with_a_lower_number_keeps_its_channel(tmp_path: Path) -> None:
    """EA 70568: of those who begin at once, all others stop."""
    tone = write_tone(tmp_path / "tone.wav", [TONE], 0.5)
    command = [sys.executable, "-m", "sipstrobe", "page", str(tone), "--to", f"{GROUP}:{PORT}"]
    command += ["--channel", str(GATE)]
    with (
        closing(Phone(GATE, serial=0)) as phone,
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as page,
    ):
        wait_until(lambda: phone.alert() or page.poll() is not None, words="it gives way")
        _, words = page.communicate(timeout=LATE)

    assert page.returncode == 1
    assert words == "sipstrobe: Reception (127.0.0.1) is paging on this channel\n"


def listening() -> socket.socket:
    """As another phone of this network."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.setblocking(False)
    made.bind((GROUP, PORT))
    request = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
    made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    return made


def datagrams(ear: socket.socket) -> Iterator[Heard]:
    """All that has come."""
    while True:
        try:
            data, ancillary, _, _ = ear.recvmsg(2048, 128)
        except BlockingIOError:
            return
        whole, parts = struct.unpack("@ll", ancillary[0][2])
        op, channel, serial, length, caller_id = HEADER.unpack_from(data)
        assert (channel, length) == (GATE, 13)
        yield Heard(whole + parts * 1e-9, op, serial, caller_id, data[HEADER.size :])


def told(speaker: Device, label: str) -> dict[str, Any]:
    sources = speaker.status()["multicast"]["told"]
    return next(source for source in sources if source["label"] == label)
