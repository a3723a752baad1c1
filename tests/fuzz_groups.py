"""What a multicast group may be sent, for the fuzzer: SRTP by a common key, and who speaks when."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.multicast.stream import Ended, GroupStream, Output, Started
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.secret import Secret

_KEYS: Final = (  # where a tag is too long for a forgery to succeed by chance
    ("AES_CM_128_HMAC_SHA1_80", Secret("0a" * 30)),
    ("AEAD_AES_256_GCM", Secret("0b" * 44)),
)
_SOUND: Final = (
    packet.build(0, True, 65_535, 160, 7, bytes(160)),
    packet.build(9, False, 0, 320, 7, bytes(160)),
    bytes(packet.Packet(96, False, 2, 9, 8, b"\xd5" * 80, (1, 2))),
)
_REPORT: Final = rtcp.compound([rtcp.Report(7), rtcp.Description(((7, "cname"),)), rtcp.Bye((7,))])

_INPUT: Final = struct.Struct("!BBHIB")  # who and what, SSRC, number, timestamp, 4 ms since then
_SOURCES: Final[Sequence[tuple[str, int]]] = (
    ("192.0.2.1", 5000),
    ("192.0.2.1", 5001),
    ("192.0.2.2", 5000),
)
_LONGEST: Final = 0.375  # seconds until a talker has ended, however his packets come


def srtp_corpus() -> Sequence[bytes]:
    """Packets of who has a key, with their counter and without, reports, and some in the clear."""
    made = [*_SOUND, _REPORT]
    for suite, key in _KEYS:
        sender = GroupSrtp(suite, key)
        made += [sender.protect(data) for data in _SOUND]
        made.append(sender.protect_rtcp(_REPORT))
    return made


_SEALED: Final = frozenset(srtp_corpus())


def read_group_srtp(data: bytes) -> None:
    """Nobody without the key is heard; who has it is heard, whatever he says."""
    for suite, key in _KEYS:
        receiver = GroupSrtp(suite, key)
        for opened in (receiver.open(data), receiver.open_rtcp(data)):
            assert opened is None or data in _SEALED
        assert receiver.opened + receiver.failed == 2
    said = packet.parse(data)
    for suite, key in _KEYS:
        opened = GroupSrtp(suite, key).open(GroupSrtp(suite, key).protect(data))
        assert opened is not None
        assert packet.parse(opened).payload == said.payload


def stream_corpus() -> Sequence[bytes]:
    """A page with a BYE, one that falls silent, two at once, and a restart."""
    page = [(0, 7, n, 160 * n, 5) for n in range(65_530, 65_542)]
    other = [(2, 8, n, 160 * n, 0) for n in range(6)]
    runs = (
        [*page, (8, 7, 0, 0, 5)],
        [*page, (0, 7, 9, 9, 255)],
        [item for both in zip(page, other, strict=False) for item in both],
        [*page[:4], *((0, 9, n, 70_000 + 160 * n, 5) for n in range(4))],
    )
    return [b"".join(_INPUT.pack(a, b, c % 65_536, d, e) for a, b, c, d, e in run) for run in runs]


def read_group_stream(data: bytes) -> None:
    """Whoever sends what and when: one talker at a time, who begins, speaks and ends."""
    group, now, heard = GroupStream(), 0.0, 0
    outputs: list[Output] = []
    for at in range(0, len(data) - _INPUT.size + 1, _INPUT.size):
        values: tuple[int, int, int, int, int] = _INPUT.unpack_from(data, at)
        who, ssrc, number, timestamp, later = values
        now += later * 0.004
        source = _SOURCES[who % len(_SOURCES)]
        if who & 8:
            group.wake(now=now)
            group.bye(source, (ssrc,))
        else:
            found = group.packet(source, ssrc, number, timestamp, 8000, now=now)
            heard += found is not None
            assert found is None or (found >= 0 and found % 65_536 == number)
            assert found is None or source == group.talker
        outputs += group.outbox
        group.outbox.clear()
        assert (group.talker is None) is (group.deadline is None)
        assert group.deadline is None or now < group.deadline <= now + _LONGEST + 1e-9
    group.wake(now=now + 1.0)
    outputs += group.outbox
    ends = [item for item in outputs if isinstance(item, Started | Ended)]
    assert all(type(one) is not type(other) for one, other in pairwise(ends))
    assert not ends or (isinstance(ends[0], Started) and isinstance(ends[-1], Ended))
    if not heard:
        raise RemoteProtocolError("nothing of it is heard")
