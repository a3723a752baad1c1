"""What we rely on in aioice beyond its documentation; a new version of it must still do this."""

import asyncio
from collections.abc import Callable
from importlib.metadata import version

import pytest

from sipstrobe.io.ice import MAX_SOURCES, IceAgent, Remote, Selected, local_addresses
from sipstrobe.nat.checks import is_check
from sipstrobe.nat.stun import Attr, Class, Method, build, parse
from tests.support.waiting import turns, until

A, B, C = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("192.0.2.3", 6000)


def candidate(component: int, address: tuple[str, int], kind: str = "host") -> str:
    return f"1 {component} udp {2130706432 - component} {address[0]} {address[1]} typ {kind}"


class Side:
    """An agent with one base, on a wire that is no network."""

    def __init__(self, address: tuple[str, int], *, controlling: bool) -> None:
        self.address = address
        self.ready = self.completed = False
        self.ended: list[str] = []
        self.sent: list[bytes] = []
        self.deliver: Callable[[bytes, tuple[str, int], tuple[str, int]], None] = _lost
        self.agent = IceAgent(
            1,
            controlling=controlling,
            ufrag=f"u{address[1]}",
            pwd=f"p{address[1]}" * 6,
            ready=lambda: setattr(self, "ready", True),
            completed=lambda: setattr(self, "completed", True),
            ended=self.ended.append,
        )
        self.base = self.agent.add_base(candidate(1, address), self._send)

    def remote(self, **other: bool) -> Remote:
        """How others are told of it."""
        ufrag, pwd = f"u{self.address[1]}", f"p{self.address[1]}" * 6
        return Remote(ufrag=ufrag, pwd=pwd, candidates=(candidate(1, self.address),), **other)

    def receive(self, data: bytes, source: tuple[str, int]) -> None:
        check = is_check(parse(data))
        self.agent.receive(self.base, data, source, check=check)

    def _send(self, data: bytes, to: tuple[str, int]) -> None:
        self.sent.append(data)
        asyncio.get_running_loop().call_soon(self.deliver, data, self.address, to)


def _lost(data: bytes, source: tuple[str, int], to: tuple[str, int]) -> None:
    """Nobody is there."""


def joined(*sides: Side) -> None:
    def deliver(data: bytes, source: tuple[str, int], to: tuple[str, int]) -> None:
        for side in sides:
            if side.address == to:
                side.receive(data, source)

    for side in sides:
        side.deliver = deliver


def test_the_version_that_this_was_written_for() -> None:
    assert version("aioice").startswith("0.13.")


async def test_two_agents_choose_the_pair_that_works() -> None:
    one, other = Side(A, controlling=True), Side(B, controlling=False)
    joined(one, other)

    one.agent.start(other.remote())
    other.agent.start(one.remote())
    await until(lambda: one.ready and other.ready)

    await until(lambda: one.completed and other.completed)
    chosen = one.agent.selected(1)
    assert isinstance(chosen, Selected)
    assert (chosen.remote, chosen.kind) == (B, "host")
    assert (1, B) in one.agent.proven
    assert str(chosen) == "host 192.0.2.1:4000 → host 192.0.2.2:5000"
    for side in (one, other):
        await side.agent.aclose()


async def test_both_may_believe_to_be_controlling() -> None:
    """RFC 8445 §7.3.1.1: the conflict is repaired."""
    one, other = Side(A, controlling=True), Side(B, controlling=True)
    joined(one, other)

    one.agent.start(other.remote())
    other.agent.start(one.remote())
    await until(lambda: one.ready and other.ready)

    for side in (one, other):
        await side.agent.aclose()


async def test_a_peer_that_always_claims_our_role_is_given_up() -> None:
    """A 487 to each check (RFC 8445 §7.2.5.1) does not keep us at it for ever."""
    one = Side(A, controlling=True)

    def refuse(data: bytes, source: tuple[str, int], to: tuple[str, int]) -> None:
        message = parse(data)
        attributes = [(Attr.ERROR_CODE, b"\0\0\4\x57Role Conflict")]
        answer = build(
            Method.BINDING,
            Class.ERROR,
            message.transaction_id,
            attributes,
            key=("p5000" * 6).encode(),
        )
        one.receive(answer, to)

    one.deliver = refuse
    one.agent.start(Side(B, controlling=True).remote())
    await until(lambda: one.ended)

    assert one.ended == ["none of 1 ways to the other side works"]
    assert len(one.sent) < 10
    await one.agent.aclose()


async def test_checks_that_come_early_are_answered_and_remembered() -> None:
    """RFC 8445 §7.3: the peer has our offer, and its answer is still on the way."""
    one, other = Side(A, controlling=True), Side(B, controlling=False)
    joined(one, other)

    other.agent.start(one.remote())
    await until(lambda: one.sent)
    one.agent.start(other.remote())
    await until(lambda: one.ready and other.ready)

    for side in (one, other):
        await side.agent.aclose()


async def test_no_number_of_sources_makes_it_grow() -> None:
    one = Side(A, controlling=False)
    one.agent.start(Remote(ufrag="them", pwd="t" * 22, candidates=(), ended=False))
    await turns()

    for port in range(1, 2 * MAX_SOURCES):
        attributes = [
            (Attr.USERNAME, b"u4000:them"),
            (Attr.PRIORITY, bytes(4)),
            (Attr.ICE_CONTROLLING, bytes(8)),
        ]
        number = port.to_bytes(12, "big")
        key = ("p4000" * 6).encode()
        check = build(Method.BINDING, Class.REQUEST, number, attributes, key=key)
        one.receive(check, ("198.51.100.1", port))
    await turns()

    asked = {parse(data).transaction_id for data in one.sent}
    assert len(asked) <= 2 * MAX_SOURCES  # an answer and a check of our own for each
    await one.agent.aclose()


@pytest.mark.parametrize("names", ["", "candidate"])
async def test_it_ends_at_any_time(names: str) -> None:
    one = Side(A, controlling=True)
    if names:
        one.agent.start(Side(C, controlling=False).remote())
        await turns()

    await one.agent.aclose()

    assert one.ended == []
    assert one.agent.selected(1) is None


def test_loopback_is_no_address_for_others() -> None:
    assert "127.0.0.1" not in local_addresses(4)
    assert "::1" not in local_addresses(6)
