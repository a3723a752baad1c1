"""What address our own has become on the way to a peer: RFC 3261 §18.2.1, RFC 3581.

A peer writes into the Via of its responses where the request came from. Behind address translation
that is the public address by which it, and it alone perhaps, can reach us.
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import Via
from sipstrobe.sip.transport import Address, Flow, Transport

MAX_MAPPINGS = 4096  # peers; the oldest goes


_INSIDE: Final = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
    )
)


class Mappings:
    """Our public address, by transport and peer.

    in_via, in_contact: whether it is said there in place of our own (AMB-03).
    """

    def __init__(self) -> None:
        self.in_via = True
        self.in_contact = True
        self.router: Address | None = None  # where a router lets others in to our SIP port
        self._public: dict[tuple[Transport, Address], Address] = {}

    def __len__(self) -> int:
        return len(self._public)

    def learn(self, flow: Flow, via: Via) -> None:
        """Read the Via of ours that a response has brought back."""
        params = via.params
        if "received" not in params and "rport" not in params:
            return
        try:
            seen = Address(via.received or via.host, via.rport or via.port or flow.local.port)
            if seen != flow.local:
                ip_address(seen.host)
        except (ValueError, RemoteProtocolError):
            return  # the peer has written nonsense
        self.note(flow, seen)

    def note(self, flow: Flow, seen: Address) -> None:
        """The peer of this flow sees us so."""
        host = flow.local.host.partition("%")[0]  # no peer knows what we call the link
        # The port of a connection of ours is a passing one; it counts only where no other leads in.
        same = seen.host == host and (flow.transport.reliable or seen.port == flow.local.port)
        key = (flow.transport, flow.remote)
        if same:
            if self._public:
                self._public.pop(key, None)
        elif self._public.get(key) != seen:
            self._public.pop(key, None)
            self._public[key] = seen
            if len(self._public) > MAX_MAPPINGS:
                del self._public[next(iter(self._public))]

    def public(self, flow: Flow) -> Address | None:
        """How the peer of this flow sees us; None if by our own address, or not known."""
        seen = self._public.get((flow.transport, flow.remote)) if self._public else None
        if seen is None and self.router is not None and not _is_inside(flow.remote.host):
            return self.router
        return seen

    def sent_by(self, flow: Flow) -> Address:
        """What Via says."""
        return (self.public(flow) if self.in_via else None) or flow.local

    def reached_at(self, flow: Flow) -> Address:
        """What Contact says."""
        return (self.public(flow) if self.in_contact else None) or flow.local


@lru_cache(MAX_MAPPINGS)
def _is_inside(host: str) -> bool:
    """Whether somebody is on our side of the router, by RFC 1918, RFC 3927 or as ourselves; by
    IPv6 there is no need for a router's help."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.version == 6 or any(address in network for network in _INSIDE)
