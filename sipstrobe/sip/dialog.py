"""Dialogs: what two user agents remember of each other. RFC 3261 §12."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import MAGIC_COOKIE, NameAddr
from sipstrobe.sip.identity import Credential
from sipstrobe.sip.message import Headers, Request, Response
from sipstrobe.sip.target import next_hop
from sipstrobe.sip.transport import Flow
from sipstrobe.sip.uri import Uri

MAX_FORWARDS = ("Max-Forwards", "70")  # RFC 3261 §8.1.1.6

DialogKey = tuple[str, str, str]  # Call-ID, local tag, remote tag
Fields = tuple[tuple[str, str], ...]

AUTHORIZATION = ("Authorization", "Proxy-Authorization")


class Draft(Struct, frozen=True):
    """A request of ours, complete but for Via, which depends on the way that it will take.

    credentials, renumber: what a challenge is answered with, and the next number of CSeq for that.
    """

    method: str
    uri: str
    fields: Fields
    body: bytes = b""
    credentials: tuple[Credential, ...] = ()
    renumber: Callable[[], int] | None = None

    @property
    def number(self) -> int:
        """That of CSeq."""
        return int(next(value for name, value in self.fields if name == "CSeq").split()[0])

    @property
    def authorization(self) -> Fields:
        """The credentials that it carries."""
        return self.kept(AUTHORIZATION)

    def kept(self, names: tuple[str, ...]) -> Fields:
        """The fields of these names."""
        return tuple([field for field in self.fields if field[0] in names])

    def signed(self, authorization: Fields) -> "Draft":
        """The same with these credentials and no others."""
        if not authorization and not self.authorization:
            return self
        others = [field for field in self.fields if field[0] not in AUTHORIZATION]
        return replace(self, fields=(*others, *authorization))

    def renumbered(self, number: int) -> "Draft":
        """The same with another number."""
        fields = [
            (name, f"{number} {self.method}" if name == "CSeq" else value)
            for name, value in self.fields
        ]
        return replace(self, fields=tuple(fields))

    def encode(self, via: str) -> bytes:
        return bytes(
            Request(self.method, self.uri, Headers((("Via", via), *self.fields)), self.body)
        )


class Dialog:
    """One dialog, early or confirmed; makes the requests within it.

    local and remote are the values of From and To in requests that we send, with their tags.
    flow is how the peer was last heard. credentials are ours.
    """

    __slots__ = (
        "call_id",
        "credentials",
        "flow",
        "local",
        "local_sequence",
        "local_tag",
        "remote",
        "remote_sequence",
        "remote_tag",
        "remote_target",
        "route_set",
    )

    def __init__(
        self,
        *,
        call_id: str,
        local: str,
        local_tag: str,
        remote: str,
        remote_tag: str,
        remote_target: Uri,
        route_set: tuple[NameAddr, ...],
        local_sequence: int,
        remote_sequence: int,
        flow: Flow,
        credentials: tuple[Credential, ...],
    ) -> None:
        self.call_id = call_id
        self.credentials = credentials
        self.local = local
        self.local_tag = local_tag
        self.remote = remote
        self.remote_tag = remote_tag
        self.remote_target = remote_target
        self.route_set = route_set
        self.local_sequence = local_sequence
        self.remote_sequence = remote_sequence  # 0: the peer has sent no request yet
        self.flow = flow

    @classmethod
    def as_uas(
        cls,
        request: Request,
        local_tag: str,
        flow: Flow,
        credentials: tuple[Credential, ...] = (),
    ) -> "Dialog":
        """The dialog that a response of ours to this INVITE makes: RFC 3261 §12.1.1."""
        return cls(
            call_id=request.call_id,
            local=f"{request.to};tag={local_tag}",
            local_tag=local_tag,
            remote=str(request.from_),
            remote_tag=request.from_.tag,
            remote_target=contact(request),
            route_set=request.record_routes if "Record-Route" in request.headers else (),
            local_sequence=0,
            remote_sequence=request.cseq.number,
            flow=flow,
            credentials=credentials,
        )

    @classmethod
    def as_uac(
        cls,
        response: Response,
        *,
        call_id: str,
        local: str,
        local_tag: str,
        sequence: int,
        uri: Uri,
        flow: Flow,
        credentials: tuple[Credential, ...] = (),
    ) -> "Dialog":
        """The dialog that a response to our INVITE makes: RFC 3261 §12.1.2.

        uri is where the INVITE went; it stays the target of a peer that names no Contact.
        """
        target = contact(response) if "Contact" in response.headers else uri
        return cls(
            call_id=call_id,
            local=local,
            local_tag=local_tag,
            remote=str(response.to),
            remote_tag=response.to.tag,
            remote_target=target,
            route_set=response.record_routes[::-1],
            local_sequence=sequence,
            remote_sequence=0,
            flow=flow,
            credentials=credentials,
        )

    @property
    def key(self) -> DialogKey:
        return (self.call_id, self.local_tag, self.remote_tag)

    def in_order(self, request: Request) -> bool:
        """RFC 3261 §12.2.2: note the request's sequence number, unless it lies behind."""
        number = request.cseq.number
        if number < self.remote_sequence:
            return False
        self.remote_sequence = number
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """RFC 3261 §12.2: re-INVITE and UPDATE, and their 2xx, may move the peer."""
        if "Contact" in message.headers:
            self.remote_target = contact(message)

    def hop(self) -> Flow:
        """The next hop of a request: RFC 3261 §12.2.1.1. Raises RemoteProtocolError."""
        uri = self.route_set[0].uri if self.route_set else self.remote_target
        return next_hop(uri, self.flow)

    def next_number(self) -> int:
        """The number of the next request of ours: RFC 3261 §12.2.1.1."""
        self.local_sequence += 1
        return self.local_sequence

    def draft(
        self,
        method: str,
        fields: Fields = (),
        body: bytes = b"",
        *,
        sequence: int | None = None,
    ) -> Draft:
        """A request within the dialog: RFC 3261 §12.2.1.1.

        sequence: for ACK, the number of the INVITE that it acknowledges; else the next one.
        """
        if sequence is None:
            sequence = self.next_number()
        uri, routes = routed(str(self.remote_target), self.route_set)
        return Draft(
            method,
            uri,
            (
                *routes,
                MAX_FORWARDS,
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{sequence} {method}"),
                *fields,
            ),
            body,
            self.credentials,
            self.next_number,
        )


def routed(target: str, route_set: tuple[NameAddr, ...]) -> tuple[str, Fields]:
    """Request-URI and Route fields; a first route without ;lr is a strict router (§12.2.1.1)."""
    if not route_set:
        return target, ()
    first = route_set[0].uri
    if "lr" in first.params:
        return target, tuple([("Route", str(route)) for route in route_set])
    strict = [*map(str, route_set[1:]), f"<{target}>"]
    return str(first), tuple([("Route", route) for route in strict])


def dialog_key(request: Request) -> DialogKey:
    """The key of the dialog that a request from the peer belongs to."""
    return (request.call_id, request.to.tag, request.from_.tag)


def contact(message: Request | Response) -> Uri:
    """Where the sender wants to be reached: RFC 3261 §8.1.1.8. Raises RemoteProtocolError.

    A sender of RFC 2543 need not say; it is reached where it comes from (RFC 4475 §3.4.1).
    """
    contacts = message.contacts
    if contacts:
        uri = contacts[0].uri
    elif isinstance(message, Request) and not message.via.branch.startswith(MAGIC_COOKIE):
        uri = message.from_.uri
    else:
        raise RemoteProtocolError("no Contact")
    if not uri.is_sip:
        raise RemoteProtocolError(f"a Contact that cannot be reached from here: {uri.scheme}")
    return uri
