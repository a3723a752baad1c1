"""From the name of a server to the addresses to try, in order: RFC 3263."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from sipstrobe.io.names import Kind, Names, Row
from sipstrobe.sip.locate import (
    MAX_HOPS,
    Hop,
    Naptr,
    Srv,
    in_order,
    srv_names,
)
from sipstrobe.sip.transport import Transport

T = TypeVar("T")

LOCATE_LIMIT = 5.0  # seconds for everything that has to be asked


class Locator:
    """Finds servers."""

    def __init__(self, names: Names, random_bytes: Callable[[int], bytes]) -> None:
        self._names = names
        self._random_bytes = random_bytes

    async def locate(
        self, host: str, port: int | None, transport: Transport, *, prefer_ipv6: bool = False
    ) -> tuple[Hop, ...]:
        """Where to send what goes to this host, the best first; at least one.

        RFC 3263 §4.2: a numeric host and one with a port are only looked up; so is one in the
        hosts file, whose owner has said where it is. Raises OSError with words for a person.
        """
        try:
            async with asyncio.timeout(LOCATE_LIMIT):
                return await self._locate(host, port, transport, prefer_ipv6)
        except TimeoutError:
            raise OSError(f"the name {host} could not be looked up in time") from None

    async def _locate(
        self, host: str, port: int | None, transport: Transport, prefer_ipv6: bool
    ) -> tuple[Hop, ...]:
        places = [(host, port or transport.usual_port)]
        if port is None and not await self._names.is_local(host):
            places = await self._servers(host, transport) or places
        lookups = [self._names.addresses(name, prefer_ipv6=prefer_ipv6) for name, _ in places]
        found = await asyncio.gather(*lookups, return_exceptions=True)
        hops: dict[Hop, None] = {}
        problem = OSError(f"the name {host} is not known")
        for (_, at), addresses in zip(places, found, strict=True):
            if isinstance(addresses, OSError):
                problem = addresses
            elif isinstance(addresses, BaseException):
                raise addresses
            else:
                hops |= dict.fromkeys(Hop(transport, address, at, host) for address in addresses)
        if not hops:
            raise problem
        return tuple(hops)[:MAX_HOPS]

    async def _servers(self, host: str, transport: Transport) -> list[tuple[str, int]]:
        """Names and ports from SRV records; none: the host is its only server."""
        usual = srv_names(host, (), transport)  # asked for at once: few domains have NAPTR
        asked = [self._rows(host, "NAPTR"), *(self._rows(name, "SRV") for name in usual)]
        naptr = _readable(Naptr.read, (await asyncio.gather(*asked))[0])
        for name in srv_names(host, naptr, transport):
            records = _readable(Srv.read, await self._rows(name, "SRV"))
            if records:
                ordered = in_order(records, self._random_below)
                servers = [(srv.target, srv.port) for srv in ordered if srv.target and srv.port]
                if not servers:
                    raise OSError(f"{host} says that it has no SIP service over {transport}")
                return servers
        return []

    async def _rows(self, name: str, kind: Kind) -> tuple[Row, ...]:
        """Deviation: who does not answer a question for these has none, where RFC 3263 §4.1 would
        give up; the name servers in small routers know addresses and nothing else."""
        try:
            return await self._names.records(name, kind)
        except OSError:
            return ()

    def _random_below(self, n: int) -> int:
        return int.from_bytes(self._random_bytes(4)) % n


def _readable(read: Callable[[Row], T], rows: Iterable[Row]) -> list[T]:
    """The records that make sense."""
    found: list[T] = []
    for row in rows:
        try:
            found.append(read(row))
        except ValueError:
            continue
    return found
