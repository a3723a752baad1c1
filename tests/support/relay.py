"""A bad network in front of a port: what is sent to it arrives elsewhere, some time, or never."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

Endpoint = tuple[str, int]
Fate = Callable[[int], Sequence[float]]
"""How many seconds after it was sent each copy of the n-th datagram arrives; none: it is lost."""


class Relay(asyncio.DatagramProtocol):
    """Passes on what comes from anybody but `to` to it, as fate has it; what comes from it goes
    back to who has sent last, at once."""

    def __init__(self, to: Endpoint, fate: Fate) -> None:
        self.to = to
        self._fate = fate
        self._numbers = count()
        self._from: Endpoint | None = None
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def opened(cls, to: Endpoint, fate: Fate) -> "Relay":
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_datagram_endpoint(
            lambda: cls(to, fate), local_addr=("127.0.0.1", 0)
        )
        return relay

    @property
    def address(self) -> Endpoint:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Endpoint) -> None:
        assert self._transport is not None
        if addr == self.to:
            if self._from is not None:
                self._transport.sendto(data, self._from)
            return
        self._from = addr
        for delay in self._fate(next(self._numbers)):
            asyncio.get_running_loop().call_later(delay, self._pass_on, data)

    def _pass_on(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.to)
