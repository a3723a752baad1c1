"""`sipstrobe page` speaks to a group, and FFmpeg hears it."""

import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.device import ROOT, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.support.hear import read_wav, tone_db
from tests.support.netns import namespace

pytestmark = pytest.mark.interop

GROUP, PORT = "239.1.2.3", 5004
KEY = bytes(range(30))  # of 16 octets, and 14 of salt
SECONDS, RATE = 0.8, 8000
PATIENCE = 60.0  # seconds for programs to start on a machine that is busy
PLAIN = "m=audio 5004 RTP/AVP 0\n"
SECURE = (
    "m=audio 5004 RTP/SAVP 0\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{b64encode(KEY).decode()}\n"
)


@pytest.fixture
def network() -> Iterator[None]:
    """Programs that this test starts are in it, and groups are on its loopback interface."""
    with namespace() as made:
        made.ip("link set lo multicast on")
        made.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        with made.inside():
            yield


def joined() -> bool:
    """Whether somebody in this network hears the group."""
    words = socket.inet_aton(GROUP)[::-1].hex().upper()
    return words in Path("/proc/thread-self/net/igmp").read_text("ascii")


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("media", "key"),
    [(PLAIN, ()), (SECURE, ("--srtp-key", KEY.hex()))],
    ids=["plain", "encrypted"],
)
def test_a_page_is_heard_by_others(tmp_path: Path, media: str, key: tuple[str, ...]) -> None:
    """As loud and as long as the file, and who hears it knows its end by RTCP BYE."""
    tone = write_tone(tmp_path / "tone.wav", [1000.0], SECONDS, rate=48000)
    heard, description = tmp_path / "heard.wav", tmp_path / "page.sdp"
    description.write_text(f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 {GROUP}/1\n{media}")
    receive = [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-protocol_whitelist"),
        *("file,rtp,srtp,udp,crypto", "-localaddr", "127.0.0.1", "-i", str(description)),
        *("-ar", str(RATE), "-ac", "1", str(heard)),
    ]
    page = [sys.executable, "-m", "sipstrobe", "page", str(tone), "--to", f"{GROUP}:{PORT}", *key]
    with subprocess.Popen(receive) as receiver:
        try:
            wait_until(joined, PATIENCE, "FFmpeg has joined")
            done = subprocess.run(
                page, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, check=False
            )
            assert (done.stdout, done.stderr) == ("paged: 0.8 s\n", "")
            receiver.wait(PATIENCE)  # for BYE: it is not told when to end
        finally:
            receiver.kill()

    sound, rate = read_wav(heard)
    assert sound.size / rate == pytest.approx(SECONDS, abs=0.1)
    assert tone_db(sound[1000:-1000], 1000.0, rate) == pytest.approx(TONE_DB, abs=0.3)
