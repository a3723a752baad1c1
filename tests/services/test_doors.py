"""The ports on which SIP listens: which are open when, and what is told of those that are not."""

import errno
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import pytest

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.signalling import SignallingSocket
from sipstrobe.io.tcp import TcpHub
from sipstrobe.services.doors import ANY, RETRY, TIDY, Door, Doors
from sipstrobe.sip.transport import Transport
from tests.support.leap import LeapClock
from tests.support.waiting import turns

UDP, TCP, TLS = (Door(t, 5060) for t in (Transport.UDP, Transport.TCP, Transport.TLS))
OTHER = Door(Transport.UDP, 5070)


@dataclass
class Hub:
    """What listens for connections, and opens nothing."""

    house: "House"
    transport: Transport

    async def listen(self, host: str, port: int) -> None:
        await turns(1)
        self.house.take(self.transport, host, port)

    def stop_listening(self, port: int) -> None:
        for host in ANY.values():
            self.house.open.discard((self.transport, host, port))

    def close(self) -> None:
        self.house.left.append(self.transport)


@dataclass
class Socket:
    house: "House"
    host: str
    port: int

    def close(self) -> None:
        self.house.open.remove((Transport.UDP, self.host, self.port))


class House:
    """A machine whose ports others may have, and calls that need some."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        context = Context(self.clock)
        self.open: set[tuple[Transport, str, int]] = set()
        self.refused: dict[tuple[str, int], int] = {}  # by host and port: why
        self.trouble = ""  # with TLS
        self.calls: set[int] = set()  # the ports that they go over
        self.left: list[Transport] = []  # whose connections are closed
        self.told: list[str] = []  # the problems, and "works"
        context.bus.subscribe(
            ServiceStateChanged,
            lambda event: self.told.append("works" if event.working else event.problem),
        )
        hubs = {t: cast(TcpHub, Hub(self, t)) for t in Transport if t.reliable}
        self.doors = Doors(context, hubs, self._socket, self._trouble, self.calls.__contains__)

    async def want(self, *doors: Door) -> None:
        self.doors.apply(frozenset(doors))
        await self.doors.ready()

    async def leap(self, seconds: float) -> None:
        self.clock.leap(seconds)
        await turns(20)

    def take(self, transport: Transport, host: str, port: int) -> None:
        if (host, port) in self.refused:
            raise OSError(self.refused[host, port], "no")
        assert (transport, host, port) not in self.open
        self.open.add((transport, host, port))

    def both(self, *doors: Door) -> set[tuple[Transport, str, int]]:
        """These, for both versions of IP."""
        return {(door.transport, host, door.port) for door in doors for host in ANY.values()}

    def _socket(self, host: str, port: int) -> SignallingSocket:
        self.take(Transport.UDP, host, port)
        return cast(SignallingSocket, Socket(self, host, port))

    async def _trouble(self) -> str:
        return self.trouble


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.doors.aclose()


async def test_what_is_wanted_is_open_and_told_in_the_order_of_transports(house: House) -> None:
    await house.want(TLS, TCP, UDP)

    assert house.open == house.both(UDP, TCP, TLS)
    both = "(IPv4, IPv6)"
    assert house.doors.in_words == [f"UDP 5060 {both}", f"TCP 5060 {both}", f"TLS 5060 {both}"]
    await house.leap(RETRY)
    assert house.told == ["works"]  # and not again and again


async def test_a_port_that_another_has_is_tried_again_and_told_once(house: House) -> None:
    house.refused[ANY[4], 5060] = errno.EADDRINUSE
    await house.want(UDP)
    await house.leap(RETRY)
    words = "UDP 5060 on 0.0.0.0: Address already in use"
    assert (house.doors.problem, house.told) == (words, [words])
    assert house.doors.in_words == ["UDP 5060 (IPv6)"]

    house.refused.clear()
    await house.leap(RETRY)

    assert (house.doors.problem, house.told) == ("", [words, "works"])
    assert house.open == house.both(UDP)


@pytest.mark.parametrize("why", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
async def test_a_machine_without_ipv6_has_no_problem(house: House, why: int) -> None:
    """What is open for IPv4 is open."""
    house.refused[ANY[6], 5060] = why

    await house.want(UDP, TCP)

    assert house.told == ["works"]
    assert house.doors.in_words == ["UDP 5060 (IPv4)", "TCP 5060 (IPv4)"]
    assert house.doors.is_open(UDP)
    assert not house.doors.is_open(TLS)


async def test_trouble_with_the_certificate_keeps_only_the_encrypted_ports_closed(
    house: House,
) -> None:
    """And is said once for all of them."""
    house.trouble = "the certificate has expired"

    await house.want(UDP, TLS, Door(Transport.WSS, 443))

    assert house.open == house.both(UDP)
    assert house.doors.in_words == ["UDP 5060 (IPv4, IPv6)"]
    assert house.told == ["the certificate has expired"]


async def test_what_is_switched_off_has_no_problem(house: House) -> None:
    """Nor does anybody wait for it, from the beginning on."""
    await house.want()
    assert house.told == ["works"]
    house.trouble = "the certificate has expired"
    await house.want(TLS)

    await house.want()

    assert house.doors.problem == ""
    assert house.told == ["works", "the certificate has expired", "works"]


async def test_a_port_that_is_wanted_no_more_is_not_tried_again(house: House) -> None:
    house.refused[ANY[4], 5060] = house.refused[ANY[6], 5060] = errno.EADDRINUSE
    await house.want(UDP)
    await house.want(OTHER)
    house.refused.clear()

    await house.leap(RETRY)

    assert house.open == house.both(OTHER)
    assert house.doors.problem == ""


async def test_a_port_is_kept_as_long_as_a_call_goes_over_it(house: House) -> None:
    await house.want(UDP, TCP)
    house.calls.add(5060)
    await house.want(OTHER)
    assert house.open == house.both(UDP, TCP, OTHER)
    await house.leap(TIDY)
    assert house.open == house.both(UDP, TCP, OTHER)

    house.calls.clear()
    await house.leap(TIDY)

    assert house.open == house.both(OTHER)
    assert house.left == []  # others may speak over their connections


async def test_a_port_that_is_wanted_again_has_never_been_closed(house: House) -> None:
    await house.want(UDP, TCP)
    house.calls.add(5060)
    await house.want(OTHER)
    await house.want(UDP)
    house.calls.clear()

    await house.leap(TIDY)

    assert house.open == house.both(UDP)
    assert house.doors.udp.keys() == {(5060, 4), (5060, 6)}


async def test_connections_end_with_the_last_port(house: House) -> None:
    """SIP is switched off: they are closed when the calls on them are over, and not before."""
    await house.want(UDP, TCP)
    house.calls.add(5060)
    await house.want()
    assert (house.left, house.doors.in_words, house.told[-1]) == ([], [], "works")

    house.calls.clear()
    await house.leap(TIDY)

    assert house.open == set()
    assert set(house.left) == {t for t in Transport if t.reliable}


async def test_whoever_leaves_opens_nothing_any_more(house: House) -> None:
    house.refused[ANY[4], 5070] = errno.EADDRINUSE
    await house.want(UDP, TCP)
    house.calls.add(5060)
    await house.want(TCP, OTHER)

    await house.doors.aclose()
    house.refused.clear()
    await house.leap(RETRY)

    assert house.open == set()
    assert (house.doors.in_words, house.left) == ([], [])
