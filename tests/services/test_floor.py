"""Who else speaks to a group that we may speak to."""

import pytest

from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.secret import Secret
from sipstrobe.services.floor import OWN, Floor, OwnStreams
from tests.support.clock import FakeClock

DESK, DOOR = ("192.0.2.1", 40_000), ("192.0.2.2", 40_000)
SUITE, KEY = "AES_CM_128_HMAC_SHA1_80", Secret("0a" * 30)


def rtp(number: int = 1, ssrc: int = 7) -> bytes:
    return packet.build(0, False, number, 160 * number, ssrc, bytes(160))


def bye(ssrc: int = 7) -> bytes:
    return rtcp.compound([rtcp.Report(ssrc), rtcp.Bye((ssrc,))])


class Room:
    """A floor, and the talkers that were told."""

    def __init__(self, srtp: GroupSrtp | None = None) -> None:
        self.clock = FakeClock(10.0)
        self.own = OwnStreams()
        self.told: list[str] = []
        self.floor = Floor(self.clock, self.own, srtp, self._note)

    def hear(self, data: bytes, source: tuple[str, int] = DESK) -> None:
        self.floor.receive(data, source, self.clock.now())

    def hear_rtcp(self, data: bytes, source: tuple[str, int] = DESK) -> None:
        self.floor.receive_rtcp(data, source, self.clock.now())

    def _note(self) -> None:
        self.told.append(self.floor.talker)


def test_who_speaks_has_the_floor_until_he_falls_silent() -> None:
    room = Room()

    for number in range(20):
        room.hear(rtp(number))
        room.clock.advance(0.02)
    assert room.told == [DESK[0]]
    assert room.floor.ssrc == 7
    room.clock.advance(0.2)

    assert room.told == [DESK[0], ""]


@pytest.mark.parametrize("port", ["RTP", "RTCP"])
def test_a_goodbye_frees_it_at_once(port: str) -> None:
    """RFC 3550 §6.6; on a port of its own, or on that of RTP (RFC 5761)."""
    room = Room()
    room.hear(rtp())

    (room.hear if port == "RTP" else room.hear_rtcp)(bye())

    assert room.told == [DESK[0], ""]


@pytest.mark.parametrize("key", [None, KEY])
def test_what_we_send_ourselves_is_nobody(key: Secret | None) -> None:
    """The machine hands it back to us, by its port and its SSRC, which are never encrypted."""
    room = Room(None if key is None else GroupSrtp(SUITE, key))
    sender = None if key is None else GroupSrtp(SUITE, key)
    room.own.add(DESK[1], 7)

    room.hear(rtp() if sender is None else sender.protect(rtp()))
    room.hear_rtcp(bye() if sender is None else sender.protect_rtcp(bye()))
    assert room.told == []
    room.hear(rtp(ssrc=8) if sender is None else sender.protect(rtp(ssrc=8)))

    assert room.told == [DESK[0]]  # the same port of another device


def test_of_our_streams_the_last_ones_are_known() -> None:
    own = OwnStreams()
    for n in range(OWN + 1):
        own.add(5000 + n, n)
    own.add(5001, 99)

    assert (rtp(ssrc=0), ("192.0.2.1", 5000)) not in own
    assert (rtp(ssrc=1), ("192.0.2.1", 5001)) not in own  # its port has another now
    assert (rtp(ssrc=99), ("192.0.2.1", 5001)) in own
    assert (rtp(ssrc=2), ("192.0.2.1", 5002)) in own
    assert (rtp(ssrc=2), ("192.0.2.1", 5003)) not in own


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\xc8", bytes(200), b"\x80\x00" + bytes(4)])
def test_what_is_no_sound_takes_no_floor(data: bytes) -> None:
    room = Room()

    room.hear(data)
    room.hear_rtcp(data)

    assert room.told == []


def test_with_a_key_only_who_has_it_takes_the_floor() -> None:
    """Nobody would hear the others."""
    room, right, wrong = Room(GroupSrtp(SUITE, KEY)), GroupSrtp(SUITE, KEY), Secret("0b" * 30)

    room.hear(rtp())
    room.hear(GroupSrtp(SUITE, wrong).protect(rtp()), DOOR)
    assert room.told == []
    room.hear(right.protect(rtp()))
    room.hear_rtcp(bye())
    assert room.told == [DESK[0]]
    room.hear_rtcp(right.protect_rtcp(bye()))

    assert room.told == [DESK[0], ""]


def test_a_floor_that_is_closed_waits_for_nothing() -> None:
    room = Room()
    room.hear(rtp())

    room.floor.close()

    assert room.clock.waiting == 0
