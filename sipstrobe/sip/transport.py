"""Where SIP messages come from and go to, as values: RFC 3261 §18."""

from dataclasses import dataclass
from enum import StrEnum

_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")  # fe80::/10


class Transport(StrEnum):
    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"
    WS = "WS"
    WSS = "WSS"

    @property
    def reliable(self) -> bool:
        return self is not Transport.UDP


@dataclass(frozen=True, slots=True)
class Address:
    """host: a numeric IP address (IPv6 without brackets, with %link of a link-local peer) or,
    outbound only, a name to look up."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One way between us and a peer.

    local: our address as that peer can reach it (goes into Via and Contact); remote: the peer's;
    connection: which connection of a reliable transport, None if any to `remote` will do.
    """

    transport: Transport
    local: Address
    remote: Address
    connection: int | None = None


def on_link_of(host: str, peer: str) -> str:
    """An address that a peer has named; a link-local one is on the link that we hear the peer by.

    RFC 4007 §11: the link (``%2``) is known to each end for itself and never sent; if it is, it
    does not count.
    """
    host, link = host.partition("%")[0], peer.partition("%")[2]
    return f"{host}%{link}" if link and host.lower().startswith(_LINK_LOCAL) else host
