"""The relay and the sources of one device, and those of another, on a real group."""

from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.context import Context
from sipstrobe.events import PageStateChanged, ServiceStateChanged
from sipstrobe.io.igmp import MembershipSocket, Message, Report
from sipstrobe.io.multicast import GroupSockets
from sipstrobe.multicast.hearing import AGAIN
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.multicast.settings import MulticastSettings, PageSource
from sipstrobe.services.group_line import RETRY, GroupLine
from sipstrobe.services.page_relay import PageRelay
from sipstrobe.services.paging import Paging
from sipstrobe.services.sound import Sound
from tests.support.leap import LeapClock
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until

ADDRESS, PORT = "239.1.2.3", 5004
ON = RelaySettings(enabled=True, address=ADDRESS, port=PORT)


@pytest.fixture
def network() -> Iterator[Namespace]:
    """The sockets of this test are in it."""
    with namespace() as made, made.inside():
        yield made


def on_lo(network: Namespace) -> None:
    network.ip("link set lo multicast on")
    network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")


class Speaker:
    """A device that hears the group to which it may speak, by two of its sources."""

    def __init__(self, clock: LeapClock) -> None:
        self.context = Context(clock)
        self.states: list[str] = []
        self.problems: list[str] = []
        self.context.bus.subscribe(PageStateChanged, lambda e: self.states.append(e.state.value))
        self.context.bus.subscribe(ServiceStateChanged, self._note)
        self.sound = Sound(self.context)
        self.sound.apply(AudioSettings(output="null"))
        groups = GroupSockets(clock)
        self.relay = PageRelay(self.context, self.sound, GroupLine(groups))
        self.paging = Paging(self.context, self.relay.own, groups)
        sources = [PageSource(label=label, address=ADDRESS, port=PORT) for label in ("A", "B")]
        self.paging.apply(MulticastSettings(enabled=True, sources=tuple(sources)))

    def call(self) -> None:
        """Somebody speaks without an end."""
        ring = SampleRing(48000)

        def refill(count: int) -> None:
            ring.write(np.full(count, 0.25, np.float32))

        order = AddSource(
            owner="in-1", kind=SourceKind.PAGE, ring=ring, rank=5, refill=refill, relayable=True
        )
        self.context.dispatcher.execute(order)

    def hang_up(self) -> None:
        self.context.dispatcher.execute(RemoveSource(owner="in-1"))

    async def close(self) -> None:
        self.relay.close()
        self.paging.close()
        await self.sound.aclose()

    def _note(self, event: ServiceStateChanged) -> None:
        if event.service == "relay":
            self.problems.append(event.problem)


async def test_what_is_relayed_is_heard_by_others_and_not_by_ourselves(network: Namespace) -> None:
    """Also where two of our sources listen to the group."""
    on_lo(network)
    clock = LeapClock()
    one, other = Speaker(clock), Speaker(clock)
    one.relay.apply(ON, "PCMU")

    one.call()
    await until(lambda: "active" in other.states)
    await until(lambda: one.relay.snapshot()["packets"] > 10)
    one.hang_up()
    await until(lambda: other.states.count("idle") >= 2)

    assert one.states == []
    assert one.relay.snapshot()["state"] == "idle"
    for speaker in (one, other):
        await speaker.close()


async def test_without_a_network_it_is_told_until_there_is_one(network: Namespace) -> None:
    clock = LeapClock()
    speaker = Speaker(clock)
    speaker.relay.apply(ON, "PCMU")
    assert speaker.problems[0].startswith(f"{ADDRESS} cannot be joined: ")

    on_lo(network)
    clock.leap(RETRY)
    await until(lambda: speaker.problems[-1] == "")

    await speaker.close()


@pytest.mark.usefixtures("network")
async def test_an_interface_that_is_not_there_is_told() -> None:
    speaker = Speaker(LeapClock())

    speaker.relay.apply(
        RelaySettings(enabled=True, address=ADDRESS, port=PORT, interface="eth9"), "PCMU"
    )

    assert speaker.relay.snapshot()["state"] == "blocked"
    assert speaker.relay.snapshot()["problem"].startswith(f"{ADDRESS} cannot be joined: ")
    await speaker.close()


@pytest.mark.parametrize("interface", ["", "cable"])
async def test_a_group_that_is_relayed_to_and_heard_as_well_is_not_forgotten(
    network: Namespace, interface: str
) -> None:
    """RFC 4541: where nobody asks, switches do. The kernel reports a group anew only when nobody on
    the machine is in it any more."""
    network.ip("link add cable type veth peer name far")
    network.ip("addr add 10.9.0.1/24 dev cable")
    network.ip("link set cable up")
    network.ip("link set far up")
    network.ip("route add 224.0.0.0/4 dev cable")
    reports: list[Message] = []

    def note(interface: str, version: int, message: Message, ours: bool) -> None:
        if interface == "cable" and isinstance(message, Report) and ADDRESS in message.groups:
            reports.append(message)

    clock = LeapClock()
    switch = MembershipSocket(clock, note)
    speaker = Speaker(clock)
    speaker.relay.apply(replace(ON, interface=interface), "PCMU")
    rejoins = speaker.context.measures.counter("multicast_rejoins_total")
    await until(lambda: len(reports) >= 2)  # the kernel says it twice
    reports.clear()

    clock.leap(AGAIN)
    await until(lambda: rejoins.value)

    await until(lambda: reports)
    switch.close()
    await speaker.close()
