"""The servers of an account: who it is there, where it registers, and by which way."""

from msgspec import Struct

from sipstrobe.sip.account import Account, Proxy
from sipstrobe.sip.failover import Role
from sipstrobe.sip.identity import Binding, Credential, Identity
from sipstrobe.sip.transport import Transport

_REG_IDS = {Role.PRIMARY: 1, Role.SECONDARY: 2}  # RFC 5626 §4.2: one for each flow of ours


class Server(Struct, frozen=True):
    """domain: of the address-of-record; registrar: where it is kept; each "host" or "host:port"."""

    domain: str
    registrar: str
    proxies: tuple[Proxy, ...]

    @property
    def first_hop(self) -> str:
        """Where requests for it are sent: RFC 3261 §8.1.2."""
        return self.proxies[0].address if self.proxies else self.registrar


def servers_of(account: Account) -> dict[Role, Server]:
    """The servers to register with; none for an account that does not (GAP-29)."""
    if not account.registers:
        return {}
    registrar = account.registrar or account.domain
    domain = account.domain or account.registrar
    found = {Role.PRIMARY: Server(domain, registrar, account.proxies)}
    if account.secondary_registrar or account.secondary_domain:
        found[Role.SECONDARY] = Server(
            account.secondary_domain or domain,
            account.secondary_registrar or account.secondary_domain,
            account.secondary_proxies,
        )
    return found


def identity_at(account: Account, server: Server) -> Identity:
    """Who the account is in requests by way of a server."""
    return Identity(
        uri=f"{scheme_of(account)}:{account.user_id}@{server.domain}",
        display=account.caller_id,
        credentials=credentials_of(account, server.proxies),
        route=route_of(account, server.proxies),
    )


def identity_by_address(account: Account, address: str) -> Identity:
    """Who an account is that has no server: its user at our own address."""
    user = f"{account.user_id}@" if account.user_id else ""
    return Identity(
        uri=f"{scheme_of(account)}:{user}{address}",
        display=account.caller_id,
        credentials=credentials_of(account, account.proxies),
        route=route_of(account, account.proxies),
    )


def credentials_of(account: Account, proxies: tuple[Proxy, ...]) -> tuple[Credential, ...]:
    """What challenges are answered with: those of the account first, then of its proxies."""
    own = Credential(account.authentication_id or account.user_id, account.password)
    others = [Credential(proxy.user, proxy.password) for proxy in proxies if proxy.user]
    return (own, *others) if account.password else tuple(others)


def route_of(account: Account, proxies: tuple[Proxy, ...]) -> tuple[str, ...]:
    """The preloaded route set: RFC 3261 §8.1.2, with loose routers (SAC-13)."""
    named = transport_of(account).in_uri
    transport = f";transport={named}" if named and not account.sips else ""
    scheme = scheme_of(account)
    return tuple(f"<{scheme}:{proxy.address}{transport};lr>" for proxy in proxies)


def binding_of(account: Account, role: Role, *, expires: int, instance_id: str) -> Binding:
    """What is registered with this server."""
    server = servers_of(account)[role]
    return Binding(
        identity=identity_at(account, server),
        registrar=f"{scheme_of(account)}:{server.registrar}",
        expires=expires,
        instance_id=instance_id,
        reg_id=_REG_IDS[role],
    )


def transport_of(account: Account) -> Transport:
    return Transport(account.transport.upper())


def scheme_of(account: Account) -> str:
    return "sips" if account.sips else "sip"


def host_and_port(place: str) -> tuple[str, int | None]:
    """The parts of "host:port"; IPv6 loses its brackets."""
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port:
        return place.strip("[]"), None
    return host.strip("[]"), int(port)
