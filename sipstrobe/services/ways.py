"""Which ways a request of an account may take, the best first: RFC 3263 §4.3, RFC 3261 §8.1.2."""

from collections.abc import AsyncGenerator, Sequence

from msgspec import Struct

from sipstrobe.services.locator import Locator
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.account import Account
from sipstrobe.sip.failover import Role
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.servers import (
    host_and_port,
    identity_at,
    identity_by_address,
    servers_of,
    transport_of,
)
from sipstrobe.sip.target import transport_of as transport_to
from sipstrobe.sip.transport import Flow, Transport
from sipstrobe.sip.uri import Uri


class Way(Struct, frozen=True):
    """One way for a request of an account: who to be, and where to send to."""

    identity: Identity
    flow: Flow


class Ways:
    """Finds ways."""

    def __init__(self, locator: Locator, transports: SipTransports) -> None:
        self._locator = locator
        self._transports = transports

    async def find(
        self, account: Account, uri: Uri, registered: Sequence[tuple[Identity, Flow]]
    ) -> AsyncGenerator[Way]:
        """The ways to an address, each of them looked up only when it is asked for.

        registered: those by which servers know the account now. Raises OSError, with words for a
        person, where there is none at all.
        """
        if _is_theirs(account, uri, registered):
            found = self._by_server(account, registered)
        else:
            found = self._direct(account, uri)
        tried: set[Flow] = set()
        async for way in found:
            if way.flow not in tried:
                tried.add(way.flow)
                yield way

    async def _by_server(
        self, account: Account, registered: Sequence[tuple[Identity, Flow]]
    ) -> AsyncGenerator[Way]:
        """Where the account is registered, then wherever else its servers may be."""
        for identity, flow in registered:
            yield Way(identity, flow)
        found, problem = bool(registered), OSError("there is no way to the server")
        for server in servers_of(account).values():
            try:
                flows = await self._flows(account, server.first_hop, transport_of(account))
            except OSError as error:
                problem = error
                continue
            for flow in flows:
                found = True
                yield Way(identity_at(account, server), flow)
        if not found:
            raise problem

    async def _direct(self, account: Account, uri: Uri) -> AsyncGenerator[Way]:
        """To where the address itself says, or by the proxies of an account without servers."""
        proxies = () if account.registers else account.proxies
        if proxies:
            flows = await self._flows(account, proxies[0].address, transport_of(account))
        else:
            host = uri.params.get("maddr", uri.host)
            place = f"[{host}]" if ":" in host else host
            place += f":{uri.port}" if uri.port else ""
            flows = await self._flows(account, place, transport_to(uri, transport_of(account)))
        servers = servers_of(account)
        for flow in flows:
            if servers:
                yield Way(identity_at(account, servers[Role.PRIMARY]), flow)
            else:
                yield Way(identity_by_address(account, str(flow.local)), flow)

    async def _flows(self, account: Account, place: str, transport: Transport) -> list[Flow]:
        """At least one. Raises OSError."""
        host, port = host_and_port(place)
        ipv6 = account.prefer_ipv6
        hops = await self._locator.locate(host, port, transport, prefer_ipv6=ipv6)
        flow_to = self._transports.flow_to
        found = (flow_to(h.transport, h.host, h.port, server_name=h.name) for h in hops)
        flows = [flow for flow in found if flow is not None]
        if not flows:
            raise OSError(f"there is no way to {place}")
        return flows


def _is_theirs(account: Account, uri: Uri, registered: Sequence[tuple[Identity, Flow]]) -> bool:
    """Whether a request for this address goes by way of the account's servers."""
    servers = servers_of(account).values()
    places = {place for server in servers for place in (server.domain, server.registrar)}
    hosts = {host_and_port(place)[0].lower() for place in places}
    routed = any(identity.route for identity, _ in registered)
    return routed or uri.host.lower() in hosts or any(server.proxies for server in servers)
