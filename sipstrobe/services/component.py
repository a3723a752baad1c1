"""One of the two sockets of a stream behind a translator: what others see of it, its relay, and
which of its ways media takes. To the stream it is a wire like any other."""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from sipstrobe.context import Context
from sipstrobe.errors import MediaError, RemoteProtocolError
from sipstrobe.io.udp import Endpoint, Receive, UdpSocket
from sipstrobe.nat.binding import Binding, Failed, Mapped, Output, Send
from sipstrobe.nat.checks import is_check, is_fit
from sipstrobe.nat.stun import is_stun, parse
from sipstrobe.services.relay import Relay, RelayServer

if TYPE_CHECKING:
    from aioice.ice import StunProtocol

    from sipstrobe.io.ice import IceAgent, Selected

logger = logging.getLogger(__name__)

MAX_EARLY: Final = 16  # datagrams of a handshake that wait for a pair
_DTLS: Final = range(20, 64)  # RFC 7983 §7


class Way(Enum):
    """How datagrams go."""

    DIRECT = auto()
    RELAYED = auto()
    ICE = auto()


class Component:
    """RTP (1) or RTCP (2) of one stream. `attach` gives it its socket before anything else."""

    def __init__(self, context: Context, number: int, receive: Receive) -> None:
        self.number = number
        self.way = Way.DIRECT
        self.mapped: Endpoint | None = None  # as a STUN server or the router says
        self.relay: Relay | None = None
        self.agent: IceAgent | None = None
        self.remote: Endpoint | None = None  # whom the stream believes to hear over ICE
        self.problem = ""
        self.lost: Callable[[str], None] | None = None  # told why a relay is gone
        self._context = context
        self._receive = receive
        self._binding = Binding(context.random_bytes)
        self._driver = context.driver(self._binding, self._bound, name="STUN timer")
        self._stun_server: Endpoint | None = None
        self._learnt: asyncio.Future[float | None] | None = None
        self._bases: list[tuple[StunProtocol, Relay | None]] = []
        self._before: Selected | None = None  # the pair of a session that was begun anew
        self._early: list[bytes] = []
        self._unproven: list[tuple[bytes, Endpoint, float]] = []  # that has come before the pair
        self._dropped = 0
        self._prompt = self._looking_out = False  # why the socket is watched

    def attach(self, socket: UdpSocket) -> None:
        self.socket = socket
        self.port = socket.port

    # --- as a wire ------------------------------------------------------------------------------

    @property
    def dropped(self) -> int:
        return self.socket.dropped + self._dropped

    @property
    def unreachable(self) -> int:
        return self.socket.unreachable

    def send(self, data: bytes, to: Endpoint) -> bool:
        if self.way is Way.DIRECT:
            return self.socket.send(data, to)
        if self.way is Way.RELAYED:
            return self.relay is not None and self.relay.send(data, to)
        selected = self.selected
        if selected is not None:
            return bool(selected.send(data, selected.remote))
        if data[0] in _DTLS and len(self._early) < MAX_EARLY:
            self._early.append(data)
        else:
            self._dropped += 1
        return False

    def poll(self) -> None:
        self.socket.poll()

    def watch(self, wanted: bool) -> None:
        self._prompt = wanted
        self.socket.watch(self._prompt or self._looking_out)

    def close(self) -> None:
        self._driver.close()
        self._settle(None)
        self.lost = None
        self.give_back()
        self.socket.close()

    # --- ways -----------------------------------------------------------------------------------

    def look_out(self, wanted: bool) -> None:
        """Receive at once while a way is looked for; when it is found, as the stream wants it."""
        self._looking_out = wanted
        self.socket.watch(self._prompt or self._looking_out)

    async def learn(self, server: Endpoint) -> float | None:
        """Ask what the server sees; the seconds that took, or None and a `problem`."""
        self._stun_server = server
        self._learnt = asyncio.get_running_loop().create_future()
        self._driver.feed(self._binding.ask, server)
        return await self._learnt

    def keep(self) -> None:
        """Keep what was learnt for as long as the call lasts."""
        self._driver.feed(self._binding.keep)

    async def borrow(self, server: RelayServer) -> Relay | None:
        """Be lent a relay; None and a `problem` when there is none."""
        relay = Relay(self._context, server, self.from_relay, self._relay_lost, self.socket.send)
        self.relay = relay  # what the server answers finds its way
        try:
            await relay.open()
        except MediaError as error:
            self.problem = str(error)
        finally:
            if relay.address is None:  # not even later, when SDP has been sent without it
                self.give_back()
        return self.relay

    def give_back(self) -> None:
        """The relay is of no use."""
        if self.relay is not None:
            self.relay.close()
            self.relay = None

    def use(self, agent: "IceAgent", base: str, relayed: str | None) -> None:
        """From now on this agent finds the way; base, relayed: the candidates that are bases.

        Until it has, what was found before is good.
        """
        self._before = self.selected
        self.agent = agent
        self._bases = [(agent.add_base(base, self.socket.send), None)]
        if relayed is not None and self.relay is not None:
            self._bases.append((agent.add_base(relayed, self.relay.send), self.relay))

    @property
    def selected(self) -> "Selected | None":
        """The pair that ICE has found."""
        found = self.agent.selected(self.number) if self.agent is not None else None
        return found or self._before

    def flush(self) -> None:
        """There is a pair: what has waited for it goes."""
        self._before = None
        early, self._early = self._early, []
        for data in early:
            self.send(data, ("", 0))

    def prove(self) -> None:
        """Somebody has answered a check: what has come from there before is taken."""
        unproven, self._unproven = self._unproven, []
        for data, source, received_at in unproven:
            self._media(data, source, received_at)

    # --- what comes in --------------------------------------------------------------------------

    def from_socket(self, data: bytes, source: Endpoint, received_at: float) -> None:
        relay = self.relay
        if relay is not None and source == relay.server.address:
            if source == self._stun_server and is_stun(data):  # it does both
                self._driver.feed(self._binding.receive, data, source)
            relay.take(data, received_at)
        elif is_stun(data):
            self._from_stun(data, source, None)
        else:
            self._media(data, source, received_at)

    def from_relay(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if is_stun(data):
            self._from_stun(data, source, self.relay)
        else:
            self._media(data, source, received_at)

    def _media(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if self.way is not Way.ICE:
            self._receive(data, source, received_at)
        elif self.agent is not None and self._is_proven(self.agent, source):
            self._receive(data, self.remote or source, received_at)
        elif data and data[0] in _DTLS and len(self._unproven) < MAX_EARLY:
            self._unproven.append((data, source, received_at))

    def _is_proven(self, agent: "IceAgent", source: Endpoint) -> bool:
        """RFC 8445 §12.2: whoever has answered a check of ours may send."""
        before = self._before
        known = (self.number, source) in agent.proven
        return known or (before is not None and before.remote == source)

    def _from_stun(self, data: bytes, source: Endpoint, relay: Relay | None) -> None:
        if relay is None and source == self._stun_server:
            self._driver.feed(self._binding.receive, data, source)
            return
        if self.agent is None:
            return
        try:
            message = parse(data)
        except RemoteProtocolError:
            return
        for base, by in self._bases:
            if by is relay and is_fit(message):
                self.agent.receive(base, data, source, check=is_check(message))

    def _bound(self, output: Output) -> None:
        match output:
            case Send(data, to):
                self.socket.send(data, to)
            case Mapped(address, after):
                self.mapped = address
                self._settle(after)
            case Failed(words):
                self.problem = f"the STUN server {words}"
                self._settle(None)

    def _settle(self, after: float | None) -> None:
        if self._learnt is not None and not self._learnt.done():
            self._learnt.set_result(after)

    def _relay_lost(self, words: str) -> None:
        self.problem = words
        if self.lost is not None:
            self.lost(words)
