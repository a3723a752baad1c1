"""The offer of a browser (RFC 8829), looked at before a library reads it.

Taken is what one sound in both directions needs. What is left out: candidates with names instead of
addresses (draft-ietf-mmusic-mdns-ice-candidates) and those over TCP, since ours are found without;
and that these are all (RFC 8838 §8.2), as Firefox says: nothing would be left to try.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError

MAX_CHARACTERS: Final = 32 * 1024
MAX_LINES: Final = 400
MAX_CANDIDATES: Final = 16
_NEEDED: Final = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:", "a=rtcp-mux")
_DIRECTIONS: Final = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")  # RFC 8866 §6.7
_SENDS: Final = ("sendrecv", "sendonly")
_RECEIVES: Final = ("sendrecv", "recvonly")


class BrowserOffer(NamedTuple):
    """sends, receives: what the browser wants to do."""

    sdp: str
    sends: bool
    receives: bool


def read_offer(text: str) -> BrowserOffer:
    """Raises RemoteProtocolError for what is no offer of one sound over SRTP keyed by DTLS."""
    if len(text) > MAX_CHARACTERS:
        raise RemoteProtocolError(f"the offer may have {MAX_CHARACTERS} characters")
    lines = text.splitlines()
    if not lines or lines[0] != "v=0" or len(lines) > MAX_LINES:
        raise RemoteProtocolError("this is no session description")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=audio "):
        raise RemoteProtocolError("the offer must have one audio, and nothing else")
    if "SAVPF" not in media[0]:
        raise RemoteProtocolError("the audio must be encrypted (UDP/TLS/RTP/SAVPF)")
    for needed in _NEEDED:
        if not any(line.startswith(needed) for line in lines):
            raise RemoteProtocolError(f"the offer has no {needed[2:].rstrip(':')}")
    said = [line[2:] for line in lines if line in _DIRECTIONS]
    direction = said[-1] if said else "sendrecv"  # that of the sound is behind that of the session
    sdp = "\r\n".join(_trimmed(lines)) + "\r\n"
    return BrowserOffer(sdp, direction in _SENDS, direction in _RECEIVES)


def _trimmed(lines: list[str]) -> Iterator[str]:
    candidates = 0
    for line in lines:
        if line == "a=end-of-candidates":
            continue
        if line.startswith("a=candidate:"):
            parts = line.split()
            if len(parts) < 8 or parts[2].lower() != "udp" or parts[4].endswith(".local"):
                continue
            candidates += 1
            if candidates > MAX_CANDIDATES:
                continue
        yield line
