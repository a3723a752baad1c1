"""What is said about multicast groups: as bytes, and on a cable between two networks."""

import asyncio
import os
from collections.abc import Iterator

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.igmp import (
    MembershipLists,
    MembershipSocket,
    Message,
    Query,
    Report,
    read_igmp,
    read_list,
    read_mld,
)
from sipstrobe.io.multicast import Group, GroupSockets
from sipstrobe.io.udp import Endpoint
from tests.support.membership import (
    ALLOW,
    BLOCK,
    IS_EXCLUDE,
    IS_INCLUDE,
    TO_EXCLUDE,
    TO_INCLUDE,
    igmp_query,
    igmp_report,
    mld_query,
    mld_report,
    old_mld_report,
    old_report,
    put,
)
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until

HERE, THERE = "192.0.2.1", "192.0.2.2"
FAR = "fe80::2"
FIRE, MUSIC = "239.1.1.1", "239.1.1.2"
FIRE_6, MUSIC_6 = "ff05::1:1", "ff05::1:2"


@pytest.mark.parametrize(
    ("packet", "query"),
    [
        (igmp_query(THERE), Query(THERE, "", 10.0, 125.0, 2)),
        (igmp_query(THERE, FIRE, response=10), Query(THERE, FIRE, 1.0, 125.0, 2)),
        (igmp_query(THERE, robustness=0, interval=0), Query(THERE, "", 10.0)),
        (igmp_query(THERE, response=0x8B, interval=0xFF), Query(THERE, "", 21.6, 31744.0, 2)),
        (igmp_query(THERE, version=2, response=50), Query(THERE, "", 5.0)),
        (igmp_query(THERE, version=1), Query(THERE, "")),
        (igmp_query("0.0.0.0"), Query("0.0.0.0", "", 10.0, 125.0, 2)),
    ],
)
def test_queries_of_igmp(packet: bytes, query: Query) -> None:
    """RFC 3376 §4.1 and §7.1: the versions differ in length and code; the rest has defaults."""
    assert read_igmp(packet) == query


@pytest.mark.parametrize(
    ("packet", "query"),
    [
        (mld_query(FAR), Query(FAR, "", 10.0, 125.0, 2)),
        (mld_query(FAR, FIRE_6, response=1000), Query(FAR, FIRE_6, 1.0, 125.0, 2)),
        (mld_query(FAR, response=0x9004), Query(FAR, "", 65.6, 125.0, 2)),
        (mld_query(FAR, version=1, response=5000), Query(FAR, "", 5.0)),
    ],
)
def test_queries_of_mld(packet: bytes, query: Query) -> None:
    """RFC 3810 §5.1 and §8.1."""
    assert read_mld(packet) == query


def test_reports_say_what_their_sender_is_in_and_not_what_it_has_left() -> None:
    """RFC 3376 §4.2.12."""
    kinds = (IS_INCLUDE, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK)
    open_to_all = [(kind, f"239.1.1.{kind}", ()) for kind in kinds]
    by_sender = [(kind, f"232.1.1.{kind}", [THERE, "192.0.2.3"]) for kind in kinds]

    igmp = read_igmp(igmp_report(HERE, [*open_to_all, *by_sender]))
    mld = read_mld(mld_report(FAR, [(TO_EXCLUDE, FIRE_6, ()), (BLOCK, MUSIC_6, [FAR])]))

    last = [f"232.1.1.{kind}" for kind in (IS_INCLUDE, IS_EXCLUDE, TO_EXCLUDE, ALLOW)]
    assert igmp == Report(HERE, ("239.1.1.2", "239.1.1.4", *last))
    assert mld == Report(FAR, (FIRE_6,))
    assert read_igmp(old_report(HERE, FIRE)) == Report(HERE, (FIRE,))
    assert read_igmp(old_report(HERE, FIRE, 0x12)) == Report(HERE, (FIRE,))
    assert read_mld(old_mld_report(FAR, FIRE_6)) == Report(FAR, (FIRE_6,))


SPOILT = igmp_query(THERE)[:-1] + b"\1"
OFF_LINK = mld_query(FAR)[:7] + b"\x40" + mld_query(FAR)[8:]


@pytest.mark.parametrize(
    "packet", [b"", igmp_query(THERE)[:20], SPOILT, old_report(HERE, FIRE, 0x17)]
)
def test_what_the_kernel_ignores_of_igmp_is_ignored(packet: bytes) -> None:
    """Else an answer would be missed that nobody owes. A leave message says nothing of ours."""
    with pytest.raises(RemoteProtocolError):
        read_igmp(packet)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        mld_query(FAR)[:50],
        OFF_LINK,
        mld_query("2001:db8::1"),
        old_mld_report(FAR, FIRE_6, 132),
    ],
)
def test_what_the_kernel_ignores_of_mld_is_ignored(packet: bytes) -> None:
    """RFC 3810 §5.1.14: queries come from link-local addresses with a hop limit of 1."""
    with pytest.raises(RemoteProtocolError):
        read_mld(packet)


def test_the_lists_of_the_kernel_are_read() -> None:
    four = (
        "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
        "1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
        "2\tenp0s31f6u1:     2      V2\n\t\t\t\t010101EF     2 0:00000000\t\t1\n"
        "\t\t\t\t020101EF     1 1:00000013\t\t1\n"
    )
    six = "2    eth0            ff050000000000000000000000010001     1 00000004 0\n"
    found: dict[tuple[str, int], set[str]] = {}

    read_list(four, found)
    read_list(six + "\n?\n", found)

    assert found == {
        ("lo", 4): {"224.0.0.1"},
        ("enp0s31f6u1", 4): {FIRE, MUSIC},
        ("eth0", 6): {FIRE_6},
    }


# --- on a cable ---------------------------------------------------------------------------------


@pytest.fixture
def networks() -> Iterator[tuple[Namespace, Namespace]]:
    """The sockets of this test are in the first."""
    with namespace() as here, namespace() as there:
        here.ip(f"link add eth0 type veth peer name eth0 netns {there.name}")
        for side, address in ((here, HERE), (there, THERE)):
            side.ip(f"addr add {address}/24 dev eth0")
            side.ip(f"addr add {'fe80::1' if side is here else FAR}/64 dev eth0 nodad")
            side.ip("link set eth0 up")
        with here.inside():
            yield here, there


class Witness:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int, Message, bool]] = []
        self.socket = MembershipSocket(LoopClock(asyncio.get_running_loop()), self._note)

    def _note(self, interface: str, version: int, message: Message, ours: bool) -> None:
        self.said.append((interface, version, message, ours))

    def reports(self, group: str) -> int:
        """How often we said that we are in a group."""
        return sum(
            ours and isinstance(message, Report) and group in message.groups
            for _, _, message, ours in self.said
        )


def hear(data: bytes, source: Endpoint, received_at: float) -> None:
    """Who only wants to be a member."""


async def test_what_others_ask_and_what_we_answer_is_seen(
    networks: tuple[Namespace, Namespace],
) -> None:
    witness, hub = Witness(), GroupSockets(LoopClock(asyncio.get_running_loop()))
    hub.join(Group(FIRE, 5004, "eth0"), hear)
    hub.join(Group(FIRE_6, 5004, "eth0"), hear)
    await until(lambda: witness.reports(FIRE) and witness.reports(FIRE_6))
    witness.said.clear()

    with networks[1].inside():
        put("eth0", igmp_query(THERE, response=1))
        put("eth0", mld_query(FAR, response=100))
    await until(lambda: witness.reports(FIRE) and witness.reports(FIRE_6))

    assert ("eth0", 4, Query(THERE, "", 0.1, 125.0, 2), False) in witness.said
    assert ("eth0", 6, Query(FAR, "", 0.1, 125.0, 2), False) in witness.said
    lists = MembershipLists().read()
    assert FIRE in lists["eth0", 4]
    assert FIRE_6 in lists["eth0", 6]
    witness.socket.close()
    witness.socket.close()
    hub.close()


async def test_what_cannot_be_read_is_counted_and_what_follows_is_read(
    networks: tuple[Namespace, Namespace],
) -> None:
    witness = Witness()

    with networks[1].inside():
        put("eth0", SPOILT)
        put("eth0", igmp_query(THERE))
    await until(lambda: any(isinstance(said[2], Query) for said in witness.said))

    assert witness.socket.invalid >= 1
    witness.socket.close()


async def test_without_the_right_to_it_nothing_is_seen(
    networks: tuple[Namespace, Namespace],
) -> None:
    """CAP_NET_RAW."""
    os.seteuid(65534)
    try:
        with pytest.raises(PermissionError):
            Witness()
    finally:
        os.seteuid(0)
