"""Where a message goes: next hop of a request, way back of a response, when UDP is too small.

RFC 3261 §8.1.2, §18.1.1 and §18.2.2, RFC 3581. Names stay names: whoever sends looks them up.
"""

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import Via
from sipstrobe.sip.transport import Address, Flow, Transport, on_link_of
from sipstrobe.sip.uri import Uri

LARGEST_UDP_REQUEST = 1300  # bytes; RFC 3261 §18.1.1, for a path of unknown MTU
DEFAULT_PORT = 5060  # RFC 3261 §19.1.2
_SPOKEN = {"udp": Transport.UDP, "tcp": Transport.TCP}


def next_hop(uri: Uri, flow: Flow) -> Flow:
    """The way to a URI, from the same local address as `flow`.

    A connection that `flow` names is used again when it leads to the same host: its other end
    is then the same peer, whatever port it calls from. Raises RemoteProtocolError (416) for a
    URI that cannot be reached from here.
    """
    if uri.scheme != "sip":
        raise RemoteProtocolError(f"cannot send to a {uri.scheme} URI", status=416)
    host = on_link_of(uri.params.get("maddr", uri.host).strip("[]"), flow.remote.host)
    named = uri.params.get("transport", "")
    # Deviation: a peer that we hear over TCP is spoken to over TCP if it names no transport,
    # where RFC 3263 §4.1 has UDP; phones that call over TCP often forget to say so.
    usual = flow.transport if host == flow.remote.host else Transport.UDP
    transport = _SPOKEN.get(named.lower()) if named else usual
    if transport is None:
        raise RemoteProtocolError("cannot send over that transport", status=416)
    if flow.connection is not None and transport.reliable and host == flow.remote.host:
        return flow
    remote = Address(host, uri.port or DEFAULT_PORT)
    return Flow(transport, flow.local, remote)


def way_back(via: Via, flow: Flow) -> Flow:
    """Where responses to a request with this top Via go that came in by `flow`.

    RFC 3261 §18.2.2: over the connection it came by; over UDP to where it came from, at the port
    it came from if the sender asked for that (RFC 3581 §4), else at the port it names.
    """
    port = via.port or DEFAULT_PORT
    if port == flow.remote.port or flow.transport.reliable or "rport" in via.params:
        return flow
    return Flow(flow.transport, flow.local, Address(flow.remote.host, port))


def another_way_back(port: int | None, flow: Flow) -> Flow:
    """The same when the connection is gone: a new one to the port that the sender names."""
    return Flow(flow.transport, flow.local, Address(flow.remote.host, port or DEFAULT_PORT))


def transport_for(size_bytes: int, wanted: Transport, *, switch: bool) -> Transport:
    """The transport for a request of this size: RFC 3261 §18.1.1, if `switch` allows it."""
    if switch and wanted is Transport.UDP and size_bytes > LARGEST_UDP_REQUEST:
        return Transport.TCP
    return wanted
