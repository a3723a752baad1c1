"""One relayed address for one component of a call: the TURN client, and the way to its server."""

import asyncio
import logging
import ssl
from collections.abc import Callable

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.errors import MediaError, RemoteProtocolError
from sipstrobe.io.link import Link
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.nat.turn import Allocated, Allocation, Failed, Framer, Output, Send
from sipstrobe.secret import Secret

logger = logging.getLogger(__name__)


class RelayServer(Struct, frozen=True):
    """A TURN server whose name has been looked up. tls: given when it is spoken to over TLS."""

    name: str  # as it was written
    host: str  # whom it must prove to be
    address: Endpoint
    transport: str  # udp, tcp, tls
    user: str
    password: Secret
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.transport.upper()})"


class Relay:
    """A relay from `open` to `close`.

    receive: told what peers have sent, and who. lost: told why the relay is gone. send: how
    datagrams go to the server, from the socket whose way through the network this is about.
    """

    def __init__(
        self,
        context: Context,
        server: RelayServer,
        receive: Receive,
        lost: Callable[[str], None],
        send: Callable[[bytes, Endpoint], object],
    ) -> None:
        self.server = server
        self.address: Endpoint | None = None
        self.mapped: Endpoint | None = None  # our own address as the server sees it
        self.after = 0.0  # seconds until there was a relay
        self._clock = context.clock
        self._receive = receive
        self._lost: Callable[[str], None] | None = lost
        self._send = send
        self._link: Link | None = None
        self._framer = Framer()
        allocation = Allocation(
            context.random_bytes,
            server.user,
            server.password,
            reliable=server.transport != "udp",
        )
        self._allocation = allocation
        self._driver = context.driver(allocation, self._deliver, name="TURN timer")
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Be lent an address. The caller limits the time. Raises MediaError with words."""
        server = self.server
        if server.transport != "udp":
            try:
                self._link = await Link.open(
                    server.address, self._chunk, self._cut, tls=server.tls, name=server.host
                )
            except OSError as error:
                words = error.strerror or str(error)
                raise MediaError(f"the TURN server {server} cannot be reached: {words}") from None
        self._driver.feed(self._allocation.allocate)
        await self._settled

    def take(self, data: bytes, received_at: float) -> None:
        """What the server has sent."""
        found = self._driver.feed(self._allocation.receive, data)
        if found is not None:
            self._receive(*found, received_at)

    def send(self, data: bytes, to: Endpoint) -> bool:
        """To a peer, by way of the server."""
        wrapped = self._driver.feed(self._allocation.wrap, data, to)
        if wrapped is not None:
            self._put(wrapped)
        return True

    def permit(self, host: str) -> None:
        """Let in what this host sends."""
        if self.address is not None:
            self._driver.feed(self._allocation.permit, host)

    def close(self) -> None:
        """Give the address back."""
        self._lost = None
        self._driver.feed(self._allocation.release)
        self._driver.close()
        if self._link is not None:
            self._link.close()
        if not self._settled.done():
            self._settled.set_exception(MediaError("the call has ended"))
        self.address = None

    def _deliver(self, output: Output) -> None:
        match output:
            case Send(data):
                self._put(data)
            case Allocated(relayed, mapped, after):
                self.address, self.mapped, self.after = relayed, mapped, after
                if not self._settled.done():
                    self._settled.set_result(None)
            case Failed(words):
                self._fail(f"the TURN server {self.server} {words}")

    def _put(self, data: bytes) -> None:
        if self._link is not None:
            self._link.send(data)
        elif self.server.transport == "udp":
            self._send(data, self.server.address)

    def _chunk(self, data: bytes) -> None:
        try:
            for message in self._framer.feed(data):
                self.take(message, self._clock.now())
        except RemoteProtocolError as error:
            self._fail(str(error))

    def _cut(self) -> None:
        self._fail(f"the TURN server {self.server} has closed the connection")

    def _fail(self, words: str) -> None:
        self.address = None
        if not self._settled.done():
            self._settled.set_exception(MediaError(words))
        elif self._lost is not None:
            lost, self._lost = self._lost, None
            logger.warning("%s", words)
            lost(words)
