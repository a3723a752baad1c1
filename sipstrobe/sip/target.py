"""Where a message goes: next hop of a request, way back of a response, when UDP is too small.

RFC 3261 §8.1.2, §18.1.1 and §18.2.2, RFC 3581, RFC 5630, RFC 7118. Names stay names: whoever sends
looks them up.
"""

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import Via
from sipstrobe.sip.transport import Address, Flow, Transport, on_link_of
from sipstrobe.sip.uri import Uri

LARGEST_UDP_REQUEST = 1300  # bytes; RFC 3261 §18.1.1, for a path of unknown MTU
MTU_MARGIN = 200  # bytes by which a request must fall short of a known MTU; the same section
_SPOKEN = {
    "udp": Transport.UDP,
    "tcp": Transport.TCP,
    "tls": Transport.TLS,
    "ws": Transport.WS,
    "wss": Transport.WSS,
}
_SECURED = {Transport.TCP: Transport.TLS, Transport.WS: Transport.WSS}


def next_hop(uri: Uri, flow: Flow) -> Flow:
    """The way to a URI, from the same local address as `flow`.

    Raises RemoteProtocolError (416) for a URI that cannot be reached from here, or only without
    the encryption that the URI or the flow has.
    """
    if not uri.is_sip:
        raise RemoteProtocolError(f"cannot send to a {uri.scheme} URI", status=416)
    host = on_link_of(uri.params.get("maddr", uri.host).strip("[]"), flow.remote.host)
    if flow.connection is not None and (flow.transport.secure or flow.transport.websocket):
        return _along(uri, flow)
    # Deviation: a peer that we hear over TCP is spoken to over TCP if it names no transport,
    # where RFC 3263 §4.1 has UDP; phones that call over TCP often forget to say so.
    same = host == flow.remote.host or flow.transport.secure
    transport = transport_of(uri, flow.transport if same else Transport.UDP)
    if flow.transport.secure and not transport.secure:
        raise RemoteProtocolError("the way there is not encrypted", status=416)
    if flow.connection is not None and transport is flow.transport and host == flow.remote.host:
        return flow  # its other end is the same peer, whatever port it calls from
    if transport.websocket and host.lower().endswith(".invalid"):
        raise RemoteProtocolError("a peer that only its connection leads to", status=480)
    return Flow(transport, flow.local, Address(host, uri.port or transport.usual_port))


def _along(uri: Uri, flow: Flow) -> Flow:
    """A connection that alone leads to its peer is used for all that goes there.

    RFC 7118 §5.3: a browser has no other address. Over TLS the connection is the peer that has
    proven itself, or the one that has come to us through its NAT (RFC 5923, RFC 5626 §5.3).
    """
    if uri.scheme == "sips" and not flow.transport.secure:
        raise RemoteProtocolError("the way there is not encrypted", status=416)
    return flow


def transport_of(uri: Uri, usual: Transport = Transport.UDP) -> Transport:
    """The transport that a URI asks for; usual: if it names none. Raises RemoteProtocolError (416).

    RFC 3261 §19.1.2, RFC 5630 §3.1.1: sips is TLS over what is named.
    """
    named = uri.params.get("transport", "").lower()
    transport = _SPOKEN.get(named) if named else usual
    if uri.scheme == "sips" and transport is not None and not transport.secure:
        transport = Transport.TLS if not named else _SECURED.get(transport)
    if transport is None:
        raise RemoteProtocolError("cannot send over that transport", status=416)
    return transport


def way_back(via: Via, flow: Flow) -> Flow:
    """Where responses to a request with this top Via go that came in by `flow`.

    RFC 3261 §18.2.2: over the connection it came by; over UDP to where it came from, at the port
    it came from if the sender asked for that (RFC 3581 §4), else at the port it names.
    """
    port = via.port or flow.transport.usual_port
    if port == flow.remote.port or flow.transport.reliable or "rport" in via.params:
        return flow
    return Flow(flow.transport, flow.local, Address(flow.remote.host, port))


def another_way_back(port: int | None, flow: Flow) -> Flow | None:
    """The same when the connection is gone: a new one to the port that the sender names.

    None over WebSocket: whoever has opened a connection there cannot be called back.
    """
    if flow.transport.websocket:
        return None
    remote = Address(flow.remote.host, port or flow.transport.usual_port)
    return Flow(flow.transport, flow.local, remote)


def transport_for(
    size_bytes: int, wanted: Transport, *, switch: bool, mtu: int | None = None
) -> Transport:
    """The transport for a request of this size: RFC 3261 §18.1.1, if `switch` allows it.

    mtu: of the path, in bytes, if it is known. Deviation: where it is known to be large, more than
    1300 bytes go over TCP all the same; a large datagram is the first to be lost.
    """
    largest = LARGEST_UDP_REQUEST
    if mtu is not None:
        largest = min(largest, mtu - MTU_MARGIN)
    if switch and wanted is Transport.UDP and size_bytes > largest:
        return Transport.TCP
    return wanted
