"""Where SIP messages come from and go to, as values: RFC 3261 §18."""

from enum import StrEnum

from msgspec import Struct

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

    @property
    def secure(self) -> bool:
        """TLS lies below: fit for sips (RFC 3261 §26.2)."""
        return self in (Transport.TLS, Transport.WSS)

    @property
    def websocket(self) -> bool:
        """RFC 7118: one message in each frame, and only one side can open a connection."""
        return self in (Transport.WS, Transport.WSS)

    @property
    def usual_port(self) -> int:
        """RFC 3261 §19.1.2, RFC 7118 §5.3: for a host that names no port."""
        return _USUAL_PORTS[self]

    @property
    def in_uri(self) -> str:
        """The value of a URI's ;transport, "" where that goes without saying.

        RFC 7118 §5.2: there is no "wss"; what is secure is said by sips.
        """
        return _IN_URI[self]


_USUAL_PORTS = {
    Transport.UDP: 5060,
    Transport.TCP: 5060,
    Transport.TLS: 5061,
    Transport.WS: 80,
    Transport.WSS: 443,
}
_IN_URI = {
    Transport.UDP: "",
    Transport.TCP: "tcp",
    Transport.TLS: "tls",
    Transport.WS: "ws",
    Transport.WSS: "ws",
}


class Address(Struct, frozen=True):
    """host: a numeric IP address (IPv6 without brackets, with %link of a link-local peer) or,
    outbound only, a name to look up."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Flow(Struct, frozen=True):
    """One way between us and a peer.

    local: our address as that peer can reach it (goes into Via and Contact); remote: the peer's;
    connection: which connection of a reliable transport, None if any to `remote` will do;
    server_name: the domain that `remote` was found by, which a certificate must be for (RFC 5922),
    "" if there is no other name than the remote host's.
    """

    transport: Transport
    local: Address
    remote: Address
    connection: int | None = None
    server_name: str = ""


def on_link_of(host: str, peer: str) -> str:
    """An address that a peer has named; a link-local one is on the link that we hear the peer by.

    RFC 4007 §11: the link (``%2``) is known to each end for itself and never sent; if it is, it
    does not count.
    """
    host, link = host.partition("%")[0], peer.partition("%")[2]
    return f"{host}%{link}" if link and host.lower().startswith(_LINK_LOCAL) else host
