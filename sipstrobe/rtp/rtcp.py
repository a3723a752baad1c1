"""RTCP packets and compounds: RFC 3550 §6."""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp import xr
from sipstrobe.rtp.xr import ExtendedReport

SR, RR, SDES, BYE, APP = 200, 201, 202, 203, 204
CNAME: Final = 1
MAX_PACKETS: Final = 32  # in one compound
MAX_LOST, MIN_LOST = 0x7FFFFF, -0x800000
_MAX_COUNT: Final = 31
_HEADER: Final = Struct("!BBH")
_SSRC: Final = Struct("!I")
_SENDER: Final = Struct("!QIII")
_BLOCK: Final = Struct("!IIIIII")


class ReportBlock(NamedTuple):
    """RFC 3550 §6.4.1. fraction_lost: in 1/256; delay: in 1/65536 s since that sender report."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest_sequence: int
    jitter: int  # timestamp units
    last_sender_report: int  # middle 32 bits of its NTP timestamp; 0: there was none
    delay: int


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """The instant of a sender report in both clocks, and what was sent until then."""

    ntp: int  # 64-bit NTP timestamp
    timestamp: int
    packets: int
    octets: int

    @property
    def ntp_middle(self) -> int:
        return self.ntp >> 16 & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Report:
    """SR when it has sender info, RR otherwise."""

    ssrc: int
    sender: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()

    def __bytes__(self) -> bytes:
        body = _SSRC.pack(self.ssrc)
        if (info := self.sender) is not None:
            body += _SENDER.pack(info.ntp, info.timestamp, info.packets, info.octets)
        for block in self.blocks:
            ssrc, fraction, lost, *rest = block
            body += _BLOCK.pack(ssrc, fraction << 24 | lost & 0xFFFFFF, *rest)
        return _packet(RR if info is None else SR, len(self.blocks), body)


@dataclass(frozen=True, slots=True)
class Description:
    """SDES with the canonical names of sources; other items are passed over."""

    cnames: tuple[tuple[int, str], ...]  # (SSRC, CNAME)

    def __bytes__(self) -> bytes:
        body = b""
        for ssrc, cname in self.cnames:
            text = cname.encode()[:255]
            chunk = _SSRC.pack(ssrc) + bytes([CNAME, len(text)]) + text + b"\0"
            body += chunk + bytes(-len(chunk) % 4)
        return _packet(SDES, len(self.cnames), body)


@dataclass(frozen=True, slots=True)
class Bye:
    """These sources have ended."""

    ssrcs: tuple[int, ...]
    reason: str = ""

    def __bytes__(self) -> bytes:
        body = b"".join(_SSRC.pack(ssrc) for ssrc in self.ssrcs)
        if self.reason:
            text = self.reason.encode()[:255]
            body += bytes([len(text)]) + text
            body += bytes(-len(body) % 4)
        return _packet(BYE, len(self.ssrcs), body)


RtcpPacket = Report | Description | Bye | ExtendedReport


def compound(packets: Iterable[RtcpPacket]) -> bytes:
    """One datagram; the first packet must be a report (RFC 3550 §6.1)."""
    return b"".join(bytes(packet) for packet in packets)


def parse(data: bytes) -> tuple[RtcpPacket, ...]:
    """The packets of a compound that we know; other types (APP, feedback) are passed over.

    Raises RemoteProtocolError when it breaks the rules of RFC 3550 appendix A.2; a compound need
    not begin with a report (RFC 5506).
    """
    packets: list[RtcpPacket] = []
    start = 0
    for _ in range(MAX_PACKETS):
        if start == len(data):
            break
        if start + 4 > len(data):
            raise RemoteProtocolError("RTCP header cut off")
        first, kind, words = _HEADER.unpack_from(data, start)
        end = start + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            raise RemoteProtocolError("no RTCP packet")
        body = data[start + 4 : end]
        if first & 0x20:
            body = _without_padding(body, last=end == len(data))
        packet = _parse_one(kind, first & _MAX_COUNT, body)
        if packet is not None:
            packets.append(packet)
        start = end
    if start == 0 or start != len(data):
        raise RemoteProtocolError("empty or endless RTCP compound")
    return tuple(packets)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    assert count <= _MAX_COUNT
    assert len(body) % 4 == 0
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def _without_padding(body: bytes, *, last: bool) -> bytes:
    if not last or not body or not 4 <= body[-1] <= len(body) or body[-1] % 4:
        raise RemoteProtocolError("bad RTCP padding")
    return body[: -body[-1]]


def _parse_one(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    match kind:
        case 200:
            return _parse_report(count, body, sender=True)
        case 201:
            return _parse_report(count, body, sender=False)
        case 202:
            return _parse_description(count, body)
        case 203:
            return _parse_bye(count, body)
        case 207:
            return xr.parse(body)
        case _:
            return None


def _parse_report(count: int, body: bytes, *, sender: bool) -> Report:
    start = 4 + (_SENDER.size if sender else 0)
    if len(body) < start + count * _BLOCK.size:
        raise RemoteProtocolError("RTCP report cut off")
    info = SenderInfo(*_SENDER.unpack_from(body, 4)) if sender else None
    blocks: list[ReportBlock] = []
    for at in range(start, start + count * _BLOCK.size, _BLOCK.size):
        ssrc, loss, *rest = _BLOCK.unpack_from(body, at)
        lost = (loss & 0xFFFFFF ^ 0x800000) - 0x800000
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, *rest))
    return Report(_SSRC.unpack_from(body)[0], info, tuple(blocks))


def _parse_description(count: int, body: bytes) -> Description:
    cnames: list[tuple[int, str]] = []
    at = 0
    for _ in range(count):
        if at + 4 > len(body):
            raise RemoteProtocolError("SDES chunk cut off")
        ssrc: int = _SSRC.unpack_from(body, at)[0]
        at += 4
        cname: str | None = None
        while at < len(body) and body[at] != 0:
            if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
                raise RemoteProtocolError("SDES item cut off")
            end = at + 2 + body[at + 1]
            if body[at] == CNAME and cname is None:
                cname = body[at + 2 : end].decode(errors="replace")
                cnames.append((ssrc, cname))
            at = end
        at = at // 4 * 4 + 4  # the terminating zero and its padding
    return Description(tuple(cnames))


def _parse_bye(count: int, body: bytes) -> Bye:
    end = 4 * count
    if len(body) < end:
        raise RemoteProtocolError("BYE cut off")
    ssrcs = tuple(_SSRC.unpack_from(body, at)[0] for at in range(0, end, 4))
    reason = b""
    if len(body) > end:
        reason = body[end + 1 : end + 1 + body[end]]
        if len(reason) != body[end]:
            raise RemoteProtocolError("BYE reason cut off")
    return Bye(ssrcs, reason.decode(errors="replace"))
