"""Channels of desk phones are heard over the groups of the settings."""

import socket
from pathlib import Path

from msgspec.structs import replace

from sipstrobe.multicast.group_paging import Page
from sipstrobe.multicast.settings import DeskPhoneSource, MulticastSettings
from tests.services.test_paging import Building, network, on_lo
from tests.support.netns import Namespace
from tests.support.waiting import until

__all__ = ["network"]

GROUP, PORT = "224.0.1.116", 5001


def channel(number: int) -> DeskPhoneSource:
    return DeskPhoneSource(label=f"Channel {number}", channel=number)


def have(building: Building, *sources: DeskPhoneSource) -> None:
    building.paging.apply(MulticastSettings(enabled=True, sources=sources))


def send(number: int) -> None:
    page = Page(number, 7, f"To {number}", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        for data in (b"", b"\x0f", page.alert(), page.transmit(bytes(160))):
            made.sendto(data, (GROUP, PORT))


def memberships() -> int:
    """Of the desk phones' group, on all interfaces of this network."""
    words = socket.inet_aton(GROUP)[::-1].hex().upper()
    lines = Path("/proc/thread-self/net/igmp").read_text("ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.split()[0] == words)


async def test_all_channels_share_one_membership_and_each_hears_its_own(
    network: Namespace,
) -> None:
    on_lo(network)
    building = Building()
    have(building, *(channel(n) for n in range(1, 51)))
    await until(lambda: building.paging.snapshot()["joined"] == 50)
    assert memberships() == 1

    send(26)
    await until(lambda: building.states)

    assert building.states == [("Channel 26", "active")]
    told = building.paging.snapshot()["told"][0]
    assert (told["kind"], told["channel"], told["caller_id"]) == ("desk_phones", 26, "To 26")
    have(building, channel(26))
    assert memberships() == 1
    have(building)
    await until(lambda: memberships() == 0)
    building.paging.close()


async def test_a_source_that_goes_to_another_channel_hears_that(network: Namespace) -> None:
    on_lo(network)
    building = Building()
    have(building, channel(26))

    have(building, replace(channel(26), channel=27))
    send(26)
    send(27)
    await until(lambda: building.states)

    assert building.states == [("Channel 26", "active")]
    told = building.paging.snapshot()["told"][0]
    assert (told["channel"], told["caller_id"]) == (27, "To 27")
    building.paging.close()
