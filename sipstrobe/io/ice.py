"""ICE (RFC 8445) by aioice, behind an interface of ours: it gets sockets instead of opening them,
has no queue between socket and receiver, and everything it waits for has a limit.

Some of what is used here is not documented by aioice (the classes of aioice.ice, `_protocols`,
`_nominated`, `_remote_candidates`): its minor version is pinned, and tests/io/test_ice.py is about
just that. What reaches it has been read by nat.stun before, since it trusts the sizes of
attributes.
"""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from aioice import Candidate
from aioice.ice import CandidatePair, Connection, StunProtocol, get_host_addresses
from msgspec import Struct

from sipstrobe.io.udp import Endpoint

logging.getLogger("aioice").setLevel(logging.WARNING)  # its INFO is about each check

CONNECT_LIMIT: Final = 5.0  # seconds until a pair must have been found
MAX_SOURCES: Final = 64  # remote candidates, given by the peer and found by its checks
MAX_CHECKS: Final = 4  # of one pair: role conflicts (RFC 8445 §7.2.5.1) end some time
CLOSE_LIMIT: Final = 1.0  # seconds

Send = Callable[[bytes, Endpoint], object]


@dataclass(frozen=True, slots=True)
class Remote:
    """What the peer has told of itself. candidates: as in SDP, numeric hosts, UDP.

    ended: no more will come; else it is waited for checks from addresses not known yet.
    """

    ufrag: str
    pwd: str = field(repr=False)
    candidates: tuple[str, ...]
    lite: bool = False
    ended: bool = True


class Selected(Struct, frozen=True):
    """The pair that one component uses. local: as in SDP; kind: of the remote candidate."""

    local: str
    remote: Endpoint
    kind: str
    send: Send

    def __str__(self) -> str:
        words = self.local.split()
        host, port = self.remote
        remote = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return f"{words[7]} {words[4]}:{words[5]} → {self.kind} {remote}"


class _Way:
    """What aioice takes for a datagram transport."""

    def __init__(self, protocol: StunProtocol, send: Send, host: str, port: int) -> None:
        self.send = send
        self._protocol = protocol
        self._name = (host, port)

    def sendto(self, data: bytes, to: Endpoint) -> None:
        self.send(data, to)

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._name if name == "sockname" else default

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """The socket is not ours."""
        self._protocol.connection_lost(None)


class _Connection(Connection):
    """aioice's agent with bases that it is given, telling what it finds."""

    def __init__(self, owner: "IceAgent", **settings: Any) -> None:
        super().__init__(**settings)
        self.bases: list[StunProtocol] = []
        self.checks: dict[CandidatePair, int] = {}
        self._owner = owner

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = 5,  # noqa: ASYNC109 - aioice's name
    ) -> list[Candidate]:
        return [b.local_candidate for b in self.bases if b.local_candidate.component == component]

    async def gather_candidates(self) -> None:
        self._protocols += self.bases
        await super().gather_candidates()

    async def check_start(self, pair: CandidatePair) -> None:
        self.checks[pair] = self.checks.get(pair, 0) + 1
        if self.checks[pair] > MAX_CHECKS:
            self.check_state(pair, CandidatePair.State.FAILED)
            self.check_complete(pair)
        else:
            await super().check_start(pair)

    def check_state(self, pair: CandidatePair, state: CandidatePair.State) -> None:
        super().check_state(pair, state)
        if state is CandidatePair.State.SUCCEEDED:
            self._owner.prove(pair.component, pair.remote_addr)

    def check_complete(self, pair: CandidatePair) -> None:
        super().check_complete(pair)
        if self._nominated.get(pair.component) is pair:
            self._owner.nominated(pair)

    def data_received(self, data: bytes, component: int) -> None:
        """What is no STUN message does not come here."""

    def welcomes(self, source: Endpoint, component: int) -> bool:
        """Whether a check from there may teach aioice something: no address too many, and none
        that is of another component already, which it asserts."""
        for known in self._remote_candidates:
            if (known.host, known.port) == source:
                return known.component == component
        return len(self._remote_candidates) < MAX_SOURCES


class IceAgent:
    """One ICE session. ready: told once, when the first component has its pair; completed: when
    all have that can. ended: told why there is none, or none any more. on_proof: told the component
    of each in `proven`."""

    def __init__(
        self,
        components: int,
        *,
        controlling: bool,
        ufrag: str,
        pwd: str,
        ready: Callable[[], None],
        completed: Callable[[], None],
        ended: Callable[[str], None],
    ) -> None:
        self.proven: set[tuple[int, Endpoint]] = set()  # who has answered a check of ours
        self.on_proof: Callable[[int], None] | None = None
        self._connection = _Connection(
            self,
            ice_controlling=controlling,
            components=components,
            local_username=ufrag,
            local_password=pwd,
        )
        self._ready: Callable[[], None] | None = ready
        self._completed: Callable[[], None] | None = completed
        self._ended: Callable[[str], None] | None = ended
        self._selected: dict[int, Selected] = {}
        self._task: asyncio.Task[None] | None = None

    # --- life -----------------------------------------------------------------------------------

    def add_base(self, candidate: str, send: Send) -> StunProtocol:
        """A way out, with the candidate that it is; what comes in by it goes to `receive`."""
        described = Candidate.from_sdp(candidate)
        base = StunProtocol(self._connection)
        base.local_candidate = described
        way = _Way(base, send, described.host, described.port)
        base.transport = cast(asyncio.DatagramTransport, way)
        self._connection.bases.append(base)
        return base

    def receive(self, base: StunProtocol, data: bytes, source: Endpoint, *, check: bool) -> None:
        """A STUN message; check: it is a request."""
        component = base.local_candidate.component
        if not check or self._connection.welcomes(source, component):
            base.datagram_received(data, source)

    def start(self, remote: Remote) -> None:
        """Look for pairs; `ready` or `ended` follows within CONNECT_LIMIT."""
        if remote.lite:  # RFC 8445 §6.1.1: who is lite leaves it all to us
            self._connection.ice_controlling = True
        self._connection.remote_is_lite = remote.lite
        self._connection.remote_username = remote.ufrag
        self._connection.remote_password = remote.pwd
        self._task = asyncio.get_running_loop().create_task(self._run(remote))

    async def aclose(self) -> None:
        """Stop; the bases stay what they were to others."""
        self._ready = self._completed = self._ended = self.on_proof = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._connection.close()

    # --- what is known --------------------------------------------------------------------------

    def selected(self, component: int) -> Selected | None:
        return self._selected.get(component)

    def prove(self, component: int, source: Endpoint) -> None:
        """Somebody has answered a check of ours."""
        self.proven.add((component, source))
        if self.on_proof is not None:
            self.on_proof(component)

    def nominated(self, pair: CandidatePair) -> None:
        """A component has its pair, or another one."""
        way = cast(_Way, pair.protocol.transport)
        self._selected[pair.component] = Selected(
            pair.local_candidate.to_sdp(), pair.remote_addr, pair.remote_candidate.type, way.send
        )
        if self._ready is not None and 1 in self._selected:
            ready, self._ready = self._ready, None
            ready()

    # --- the task -------------------------------------------------------------------------------

    async def _run(self, remote: Remote) -> None:
        connection = self._connection
        await connection.gather_candidates()
        for text in remote.candidates:
            candidate = Candidate.from_sdp(text)
            if connection.welcomes((candidate.host, candidate.port), candidate.component):
                await connection.add_remote_candidate(candidate)
        if remote.ended and remote.candidates:
            await connection.add_remote_candidate(None)
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                await connection.connect()
        except (TimeoutError, ConnectionError):
            if 1 not in self._selected:
                self._tell(_why(connection.checks, remote))
                return
            # RTP has its pair, RTCP has none: still, consent is asked for.
            self._complete()
            await connection.query_consent()
        else:
            self._complete()
            await connection.get_event()
        self._tell("the other side is silent for half a minute: nothing is sent to it any more")

    def _complete(self) -> None:
        completed, self._completed = self._completed, None
        if completed is not None:
            completed()

    def _tell(self, words: str) -> None:
        self._selected.clear()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(words)


def _why(checks: Iterable[CandidatePair], remote: Remote) -> str:
    tried = len(list(checks))
    if not tried and not remote.candidates:
        return "the other side has named no address, and none was found"
    return f"none of {tried} ways to the other side works"


def local_addresses(version: int) -> list[str]:
    """Our own addresses of this IP version that others on the network can reach."""
    return [
        address
        for address in get_host_addresses(use_ipv4=version == 4, use_ipv6=version == 6)
        if not ipaddress.ip_address(address).is_loopback
    ]
