"""Who speaks to multicast groups on loopback, and what the device says and sounds of it."""

import contextlib
import re
import signal
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Generator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.interop.device import LATE, RATE, Device, device
from tests.support.hear import Samples, tone_db
from tests.support.netns import namespace

PORT = 5004
PIECE = RATE // 50  # samples of 20 ms
HEARD_DB = -30.0
LONG = 60.0  # seconds; of who is stopped before
L16 = ("-c:a", "pcm_s16be", "-ar", "16000", "-payload_type", "97")
QUIET = "/profiles/0/siren=null"  # a profile of light only


@contextlib.contextmanager
def speaker_of(folder: Path, *arguments: str) -> Generator[Device]:
    """A device in a network of its own, as is everything that a test starts meanwhile."""
    with namespace() as network:
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        with network.inside(), device(folder, "--set", QUIET, *arguments) as running:
            yield running


def speak(
    group: str, hertz: float, seconds: float = LONG, *more: str, key: bytes = b""
) -> "subprocess.Popen[bytes]":
    """ffmpeg says a tone to a group, and good-bye at the end. more: another codec than PCMU.

    arealtime: by "-re", ffmpeg 7 would send the first half second at once.
    """
    codec = more or ("-c:a", "pcm_mulaw", "-ar", "8000")
    suite = ("-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80")
    secret = (*suite, "-srtp_out_params", b64encode(key).decode()) if key else ()
    target = f"{'srtp' if key else 'rtp'}://{group}:{PORT}?localaddr=127.0.0.1"
    return subprocess.Popen(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi"),
            *("-i", f"sine=frequency={hertz}:duration={seconds},arealtime", "-ac", "1", *codec),
            *("-packetsize", "172", "-rtpflags", "send_bye", *secret, "-f", "rtp", target),
        ],
        stdout=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def speaking(
    group: str, hertz: float, *more: str, key: bytes = b""
) -> "Generator[subprocess.Popen[bytes]]":
    """The same for as long as it is wanted."""
    process = speak(group, hertz, LONG, *more, key=key)
    try:
        yield process
        stop(process)
    finally:
        process.kill()
        process.wait()


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Have ffmpeg end now, with a BYE."""
    process.send_signal(signal.SIGINT)
    process.wait(LATE)


@contextlib.contextmanager
def exchange(group: str) -> Generator[str]:
    """A SIP server at which every call is answered by a multicast group; how it is called."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(server, group))
        thread.start()
        try:
            yield f"sip:all@127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.sendto(b"", server.getsockname())
            thread.join(LATE)


def _answer(server: socket.socket, group: str) -> None:
    own = f"127.0.0.1:{server.getsockname()[1]}"
    # Without its TTL, which RFC 8866 §5.7 wants and baresip 1.0.0 does not read.
    sdp = "\r\n".join(
        (
            *("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", f"c=IN IP4 {group}", "t=0 0"),
            *(f"m=audio {PORT} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=recvonly", ""),
        )
    )
    while data := server.recv(65536):
        asked = data.decode()
        if asked.startswith("ACK"):
            continue
        body = sdp if asked.startswith("INVITE") else ""
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*$", asked, re.MULTILINE)
        lines = [line.rstrip("\r") for line in kept]
        lines = [x + ";tag=all" if x.startswith("To:") and ";tag=" not in x else x for x in lines]
        sender = re.search(r"^Via:.*?127\.0\.0\.1:(\d+)", asked, re.MULTILINE)
        assert sender is not None
        answer = "\r\n".join(
            (
                *("SIP/2.0 200 OK", *lines, f"Contact: <sip:all@{own}>"),
                *("Content-Type: application/sdp", f"Content-Length: {len(body)}", "", body),
            )
        )
        server.sendto(answer.encode(), ("127.0.0.1", int(sender[1])))


# --- what the device says of it -----------------------------------------------------------------


def silent(speaker: Device) -> bool:
    return all(s["state"] == "idle" for s in speaker.status()["multicast"]["told"])


def state(speaker: Device, label: str) -> str:
    return str(told(speaker, label)["state"])


def told(speaker: Device, label: str) -> dict[str, Any]:
    sources = speaker.status()["multicast"]["told"]
    return next(source for source in sources if source["label"] == label)


# --- what is heard of it ------------------------------------------------------------------------


def heard(sound: Samples, hertz: float) -> NDArray[np.bool_]:
    """Whether the tone can be heard, in pieces of 20 ms."""
    count = len(sound) // PIECE
    pieces = sound[: count * PIECE].reshape(count, PIECE)
    return np.array([tone_db(piece, hertz) > HEARD_DB for piece in pieces])


def seconds_heard(sound: Samples, hertz: float) -> float:
    return float(heard(sound, hertz).sum()) * PIECE / RATE


def turns(sound: Samples, tones: Mapping[str, float]) -> list[tuple[str, float]]:
    """Who was heard alone, by the letter of his tone, and for how many seconds; one after the
    other, whatever silence lies between."""
    found = np.array([heard(sound, hertz) for hertz in tones.values()])
    who = np.array(list(tones))[found[:, found.sum(axis=0) == 1].argmax(axis=0)]
    return [(one, len(list(pieces)) * PIECE / RATE) for one, pieces in groupby(who)]
