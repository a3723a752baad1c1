"""SRTP by a key that all of a multicast group have beforehand (GAP-18, GAP-33).

Who joins while somebody speaks already does not know the sender's roll-over counter, the upper bits
of the index that protects each packet (RFC 3711 §3.3.1). It is taken from the packet where the
sender writes it there: ONVIF Streaming Specification, MulticastAudioDecoder SRTP packet format, an
element of four octets in a one-byte header extension (RFC 8285 §4.2) whose identifier is not fixed.
Else it is found by trial, some candidates a packet, upwards from zero, where streams begin.

Under such a key nothing but the SSRC tells senders apart: each has to draw a new one for each
stream. What was recorded from a sender that has been forgotten since can be replayed.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from sipstrobe.rtp.packet import HEADER_BYTES, VERSION
from sipstrobe.rtp.srtp_ciphers import RTCP_HEADER, SUITES, cipher
from sipstrobe.secret import Secret

WINDOW: Final = 1024  # packets that may be out of order; RFC 3711 §3.3.2 asks for 64 at least
MAX_SENDERS: Final = 64  # SSRCs whose index is remembered; only the key's owners add some
MAX_SEARCHES: Final = 64  # SSRCs that a counter is being looked for
TRIALS: Final = 16  # counters that are tried for one packet, a quarter of them always the same …
SHORT_TRIALS: Final = 4  # … and where the tag has 32 bits: each trial is a chance for a forger
SEARCHED: Final = 1 << 13  # counters before the search begins anew; 124 days of packets of 20 ms
MAX_CARRIED: Final = 4  # elements of a header extension that may be the counter
TELLING: Final = 25  # packets in a row that nobody with the key has sent: half a second of a page
ROC_ELEMENT: Final = 1  # its identifier in what we send
_ONE_BYTE: Final = 0xBEDE  # RFC 8285 §4.2
_EXTENSION, _CSRC_COUNT = 0x10, 0x0F
_CYCLE: Final = 1 << 16
_MASK: Final = (1 << WINDOW) - 1


def key_problem(suite: str, key: str) -> str:
    """What is wrong with a key and salt for one of SUITES, in words; "" if nothing is."""
    sizes = SUITES[suite]
    if len(key) == sizes.digits and all(c in "0123456789abcdefABCDEF" for c in key):
        return ""
    return (
        f"must be {sizes.digits} hexadecimal characters: a key of {sizes.key} bytes and a salt of"
        f" {sizes.salt}"
    )


class GroupSrtp:
    """Open what any number of senders protect with one key, and protect what we send."""

    def __init__(self, suite: str, key: Secret) -> None:
        """suite: one of SUITES. key: master key and salt in hexadecimal, without `key_problem`."""
        assert not key_problem(suite, key.reveal())
        self.opened = 0  # packets, and reports of RTCP
        self.failed = 0  # that nobody with the key has sent, or that were changed
        self.replayed = 0  # that have come before, or so late that nobody knows
        self._cipher = cipher(suite, bytes.fromhex(key.reveal()))
        self._trials = TRIALS if SUITES[suite].tag > 4 else SHORT_TRIALS
        self._heard: OrderedDict[bytes, _Window] = OrderedDict()  # by SSRC; the last heard last
        self._reported: OrderedDict[bytes, _Window] = OrderedDict()
        self._searches: OrderedDict[bytes, int] = OrderedDict()  # how far they are
        self._failures = 0  # since something was opened
        self._sent: tuple[bytes, int] = (b"", 0)  # SSRC and index of the last packet
        self._reports = 0  # that were sent

    @property
    def problem(self) -> str:
        """Why nothing is heard although something comes, in words; "" while all is well."""
        if self._failures < TELLING:
            return ""
        return "what comes is protected with another key, or not protected"

    # --- received -------------------------------------------------------------------------------

    def open(self, packet: bytes) -> bytes | None:
        """The RTP packet in an SRTP packet; None if it is not from an owner of the key, or old."""
        body = _body_at(packet)
        if body is None:
            return self._fail()
        ssrc, sequence = packet[8:12], int.from_bytes(packet[2:4], "big")
        window = self._heard.get(ssrc)
        likely = 0 if window is None else window.nearest(sequence) // _CYCLE
        found = self._cipher.unseal(packet, body, self._candidates(ssrc, likely, packet, body))
        if found is None:
            return self._fail()
        roc, opened = found
        return self._take(self._heard, ssrc, roc * _CYCLE + sequence, opened)

    def open_rtcp(self, packet: bytes) -> bytes | None:
        """The same of RTCP. SRTCP carries all of its index."""
        found = self._cipher.unseal_rtcp(packet)
        if found is None:
            return self._fail()
        index, opened = found
        return self._take(self._reported, packet[4:8], index, opened)

    def _candidates(self, ssrc: bytes, likely: int, packet: bytes, body: int) -> Iterator[int]:
        """Roll-over counters that a packet may have; a search goes on only if it comes to that.
        likely: the lowest; who was not heard for long has gone on from there."""
        yield likely
        yield from _carried(packet, body)
        always = self._trials // 4
        step = self._trials - always
        first = self._searches.pop(ssrc, always)
        self._searches[ssrc] = first + step if first + step < SEARCHED else always
        if len(self._searches) > MAX_SEARCHES:
            self._searches.popitem(last=False)
        for ahead in (*range(1, always), *range(first, first + step)):
            yield (likely + ahead) % (1 << 32)

    def _take(
        self, windows: "OrderedDict[bytes, _Window]", ssrc: bytes, index: int, opened: bytes
    ) -> bytes | None:
        window = windows.get(ssrc)
        if window is None:
            windows[ssrc] = window = _Window(index)
            if len(windows) > MAX_SENDERS:
                windows.popitem(last=False)
        elif not window.admits(index):
            self.replayed += 1
            return None
        window.note(index)
        windows.move_to_end(ssrc)
        self._searches.pop(ssrc, None)
        self._failures = 0
        self.opened += 1
        return opened

    def _fail(self) -> None:
        self.failed += 1
        self._failures += 1

    # --- sent -----------------------------------------------------------------------------------

    def protect(self, packet: bytes) -> bytes:
        """The SRTP packet of an RTP packet; the packets of an SSRC come in order. It carries its
        roll-over counter, unless it has a header extension already."""
        body = _body_at(packet)
        assert body is not None
        ssrc, sequence = packet[8:12], int.from_bytes(packet[2:4], "big")
        before, index = self._sent
        index = index + (sequence - index) % _CYCLE if ssrc == before else sequence
        self._sent = ssrc, index
        roc = index // _CYCLE
        if not packet[0] & _EXTENSION:
            extension = _extension(roc)
            first = bytes([packet[0] | _EXTENSION])
            packet = first + packet[1:body] + extension + packet[body:]
            body += len(extension)
        return self._cipher.seal(packet, body, roc)

    def protect_rtcp(self, packet: bytes) -> bytes:
        """The SRTCP packet of a compound."""
        assert len(packet) >= RTCP_HEADER
        self._reports += 1
        return self._cipher.seal_rtcp(packet, self._reports)


class _Window:
    """Which indices of a sender have come: RFC 3711 §3.3.2."""

    __slots__ = ("_highest", "_seen")

    def __init__(self, index: int) -> None:
        self._highest = index
        self._seen = 0  # bit n: whether highest - n has come

    def nearest(self, sequence: int) -> int:
        """The index that a sequence number most likely has: RFC 3711 §3.3.1."""
        step = (sequence - self._highest + _CYCLE // 2) % _CYCLE - _CYCLE // 2
        index = self._highest + step
        return index if index >= 0 else index + _CYCLE

    def admits(self, index: int) -> bool:
        """Whether it has not come yet, as far as that is known."""
        behind = self._highest - index
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def note(self, index: int) -> None:
        ahead = index - self._highest
        if ahead <= 0:
            self._seen |= 1 << -ahead
            return
        self._seen = (self._seen << ahead | 1) & _MASK if ahead < WINDOW else 1
        self._highest = index


def _body_at(packet: bytes) -> int | None:
    """Where the header of an RTP packet ends; None if it is none."""
    if len(packet) < HEADER_BYTES or packet[0] >> 6 != VERSION:
        return None
    body = HEADER_BYTES + 4 * (packet[0] & _CSRC_COUNT)
    if packet[0] & _EXTENSION:
        body += 4 + 4 * int.from_bytes(packet[body + 2 : body + 4], "big")
    return body if body <= len(packet) else None


def _extension(roc: int) -> bytes:
    """The header extension with the counter, filled up to whole words."""
    element = bytes([ROC_ELEMENT << 4 | 3]) + roc.to_bytes(4, "big")
    return _ONE_BYTE.to_bytes(2, "big") + b"\0\2" + element.ljust(8, b"\0")


def _carried(packet: bytes, body: int) -> list[int]:
    """What the packet's header extension may say of the counter: elements of four octets."""
    if not packet[0] & _EXTENSION:
        return []
    at = HEADER_BYTES + 4 * (packet[0] & _CSRC_COUNT)
    if int.from_bytes(packet[at : at + 2], "big") != _ONE_BYTE:
        return []
    found: list[int] = []
    at += 4
    while at < body and len(found) < MAX_CARRIED:
        identifier, size = packet[at] >> 4, (packet[at] & 0x0F) + 1
        if identifier == 0 and size == 1:  # padding
            at += 1
            continue
        if identifier in (0, 15):  # RFC 8285 §4.2: nothing follows that can be understood
            break
        if size == 4 and at + 1 + size <= body:
            found.append(int.from_bytes(packet[at + 1 : at + 1 + size], "big"))
        at += 1 + size
    return found
