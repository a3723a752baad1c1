"""Never deaf: on a cable between two networks, with what the other end asks and sees."""

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.context import Context
from sipstrobe.events import HearingChanged, PageStateChanged
from sipstrobe.io.igmp import MembershipLists, MembershipSocket, Message, Report
from sipstrobe.io.multicast import Group, GroupSockets
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.hearing import PROOF, RETRY
from sipstrobe.multicast.querier import DEFAULT
from sipstrobe.multicast.settings import MulticastSettings, PageSource
from sipstrobe.rtp import packet as rtp
from sipstrobe.services.hearing import NeverDeaf
from sipstrobe.services.paging import Paging
from tests.support.leap import LeapClock
from tests.support.membership import igmp_query, mld_query, put
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until

HERE, THERE, FAR = "192.0.2.1", "192.0.2.2", "fe80::2"
FIRE, MUSIC, FIRE_6 = "239.1.1.1", "239.1.1.2", "ff05::1:1"
PORT = 5004


class Networks:
    """The sockets of a test are in the first."""

    def __init__(self, here: Namespace, there: Namespace) -> None:
        self.here, self.there = here, there

    def plug(self) -> None:
        """Join them by a cable. Duplicate addresses are not looked for: it takes seconds."""
        self.here.ip(f"link add eth0 type veth peer name eth0 netns {self.there.name}")
        for side, four, six in ((self.here, HERE, "fe80::1"), (self.there, THERE, FAR)):
            side.ip("link set eth0 addrgenmode none")
            side.ip(f"addr add {four}/24 dev eth0")
            side.ip(f"addr add {six}/64 dev eth0 nodad")
            side.ip("link set eth0 up")
        self.here.ip("route add 224.0.0.0/4 dev eth0")

    def say(self, packet: bytes) -> None:
        """From the other end."""
        with self.there.inside():
            put("eth0", packet)


@pytest.fixture
def networks() -> Iterator[Networks]:
    with namespace() as here, namespace() as there:
        made = Networks(here, there)
        made.plug()
        with here.inside():
            yield made


class Member:
    """Hears groups and sees to it that it goes on to."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.told: list[HearingChanged] = []
        self.context.bus.subscribe(HearingChanged, self.told.append)
        self.sockets = GroupSockets(self.clock)
        self.never_deaf = NeverDeaf(self.context, self.sockets)

    @property
    def state(self) -> str:
        return str(self.never_deaf.snapshot()["state"])

    @property
    def words(self) -> str:
        return str(self.never_deaf.snapshot()["words"])

    @property
    def rejoins(self) -> int:
        return self.context.measures.counter("multicast_rejoins_total").value

    def join(self, *addresses: str) -> None:
        for address in addresses:
            self.sockets.join(Group(address, PORT, "eth0"), hear)

    async def becomes(self, state: str) -> None:
        await until(lambda: self.state == state)
        assert self.told[-1].state == state
        assert self.told[-1].words == self.words

    def close(self) -> None:
        self.sockets.close()
        self.never_deaf.close()


def hear(data: bytes, source: Endpoint, received_at: float) -> None:
    """Who only wants to be a member."""


async def test_who_asks_is_told_and_missed_when_he_falls_silent(networks: Networks) -> None:
    """IGMP and MLD have queriers of their own."""
    member = Member()
    member.join(FIRE, FIRE_6)
    await member.becomes("cannot tell")

    networks.say(igmp_query(THERE, response=1))
    networks.say(mld_query(FAR, response=100))
    await member.becomes("hearing")
    assert f"{THERE} asks on eth0 which groups are wanted (IGMP)" in member.words
    assert f"{FAR} asks on eth0 which groups are wanted (MLD)" in member.words
    member.clock.leap(DEFAULT.present_for + 1)
    await member.becomes("no querier")

    assert f"no IGMP querier); {THERE} did." in member.words
    member.close()
    assert member.told[-1].state == "idle"


async def test_reports_that_a_firewall_stops_are_noticed(networks: Networks) -> None:
    """And when it stops them no more."""
    member = Member()
    firewall(
        networks.here, "add table ip f; add chain ip f o { type filter hook output priority 0; }"
    )
    firewall(networks.here, "add rule ip f o ip protocol igmp drop")
    member.join(FIRE, MUSIC)
    await member.becomes("cannot tell")
    networks.say(igmp_query(THERE, response=1))
    await member.becomes("hearing")

    member.clock.leap(2)
    await until(lambda: member.rejoins == 2)
    member.clock.leap(PROOF + 1)
    await member.becomes("deaf")
    assert f"{MUSIC}: no membership report leaves this device on eth0" in member.words
    firewall(networks.here, "delete table ip f")
    networks.say(igmp_query(THERE, response=1))

    await member.becomes("hearing")
    member.close()


async def test_an_interface_that_was_taken_away_gets_its_groups_back(networks: Networks) -> None:
    """The kernel forgets them with it."""
    member = Member()
    member.join(FIRE)
    await member.becomes("cannot tell")
    assert joined(FIRE)

    networks.here.ip("link del eth0")
    await member.becomes("deaf")
    assert member.words.startswith(f"{FIRE} cannot be joined: ")
    networks.plug()
    member.clock.leap(RETRY)
    await until(lambda: joined(FIRE))
    networks.say(igmp_query(THERE, response=1))

    await member.becomes("hearing")
    member.close()


async def test_a_change_of_the_network_makes_us_known_again(networks: Networks) -> None:
    """The other end hears of us, as a switch would."""
    heard: list[Message] = []

    def note(interface: str, version: int, message: Message, ours: bool) -> None:
        heard.append(message)

    member = Member()
    with networks.there.inside():
        switch = MembershipSocket(member.clock, note)
    member.join(FIRE)
    await member.becomes("cannot tell")
    await until(lambda: heard.count(Report(HERE, (FIRE,))) >= 2)  # the kernel says it twice
    heard.clear()

    networks.here.ip("addr add 192.0.2.77/24 dev eth0")
    await until(lambda: Report(HERE, (FIRE,)) in heard)

    assert member.rejoins == 1
    switch.close()
    member.close()


async def test_without_the_right_to_see_queries_that_is_told(networks: Networks) -> None:
    member = Member()
    os.seteuid(65534)
    try:
        member.join(FIRE)
    finally:
        os.seteuid(0)

    await member.becomes("cannot tell")

    assert "CAP_NET_RAW" in member.words
    member.close()


async def test_a_page_that_breaks_off_has_its_group_joined_anew(networks: Networks) -> None:
    """It may be the network that broke it off."""
    clock = LeapClock()
    context = Context(clock)
    states: list[str] = []
    context.bus.subscribe(PageStateChanged, lambda event: states.append(event.state.value))
    context.dispatcher.serve(AddSource, hide)
    context.dispatcher.serve(RemoveSource, lambda _: None)
    paging = Paging(context)
    source = PageSource(label="Fire", address=FIRE, port=PORT, interface="eth0")
    paging.apply(MulticastSettings(enabled=True, sources=(source,)))
    rejoins = context.measures.counter("multicast_rejoins_total")
    await until(lambda: paging.snapshot()["hearing"]["state"] == "cannot tell")

    with networks.there.inside():
        speak()
    await until(lambda: states)
    clock.leap(1)  # of silence
    await until(lambda: "idle" in states)
    clock.leap(1)

    await until(lambda: rejoins.value)
    paging.close()


def speak() -> None:
    """A few packets to the group, from where the thread is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(THERE))
        made.bind((THERE, 0))
        for number in range(5):
            made.sendto(rtp.build(0, False, number, 160 * number, 7, bytes(160)), (FIRE, PORT))


def hide(order: AddSource) -> None:
    """Something else is heard meanwhile."""
    assert order.on_heard is not None
    order.on_heard(False)


def joined(group: str) -> bool:
    """Whether the kernel has it on the cable."""
    return group in MembershipLists().read().get(("eth0", 4), ())


def firewall(network: Namespace, rules: str) -> None:
    with network.inside():
        subprocess.run(["nft", rules], check=True, timeout=10)
