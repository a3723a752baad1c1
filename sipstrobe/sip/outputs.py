"""What the SIP endpoint leaves in its outbox: bytes for the wire, and news about calls.

`call` is the endpoint's own name for one INVITE session ("in-7", "out-3"), unique while it runs.
SDP is opaque here: `body` is what the peer sent, None when the message had no SDP. It is not shown,
for it may hold keys of media (RFC 4568) or digits that somebody has dialled.
"""

from dataclasses import dataclass, field
from enum import Enum

from msgspec import Struct

from sipstrobe.sip.identity import Registered, RegistrationFailed, Unregistered
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.transport import Flow


@dataclass(frozen=True, slots=True)
class Send:
    """Put these bytes on the wire. Report a failure with `Endpoint.send_failed(flow)`."""

    flow: Flow
    data: bytes = field(repr=False)


class CloseConnection(Struct, frozen=True):
    """A connection on which nothing sensible can follow (framing lost)."""

    connection: int


class KeepAlive(Struct, frozen=True):
    """Send a STUN binding request (RFC 5626 §3.5.2), the same one until it is answered."""

    flow: Flow


class KeepAliveAnswer(Struct, frozen=True):
    """What seems to be the STUN response; `mapped` takes what it says."""

    flow: Flow
    data: bytes


class Ended(Enum):
    """How a call came to its end."""

    CANCELLED = "cancelled"  # the caller gave up before an answer
    REJECTED = "rejected"  # a final response other than 2xx; either side
    REMOTE_BYE = "remote bye"
    LOCAL_BYE = "local bye"
    NO_ANSWER = "no answer"  # time ran out before a final response
    NO_ACK = "no ack"  # RFC 3261 §13.3.1.4: a 2xx was never acknowledged
    UNREACHABLE = "unreachable"  # transport failed or a request timed out
    SESSION_EXPIRED = "session expired"  # RFC 4028


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A new INVITE. Answer with `ring`, `accept` or `reject`; the endpoint keeps it alive."""

    call: str
    flow: Flow
    request: Request
    body: bytes | None = field(repr=False)  # the caller's offer; None: we must offer in the 2xx


class CallDenied(Struct, frozen=True):
    """An INVITE that the guard has turned down. why: in words, such as "by the access list"."""

    flow: Flow
    request: Request
    why: str


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A provisional response above 100 to our INVITE; body: an early answer, if any."""

    call: str
    response: Response
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallAccepted:
    """A 2xx to our INVITE; the ACK has gone out."""

    call: str
    response: Response
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """Our 2xx to an incoming call was acknowledged; body: the answer, if we had offered."""

    call: str
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE or UPDATE. Answer with `answer_offer` or `reject_offer`.

    body None: a re-INVITE without offer; answer with an offer of our own, its answer comes as
    AnswerReceived. The endpoint sends 491 and 500 (RFC 3261 §14.2) on its own.
    """

    call: str
    request: Request
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to an offer of ours within a call; status ≥ 300: refused, nothing changes."""

    call: str
    status: int
    body: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class InfoReceived:
    """An INFO within a call (RFC 6086; DTMF rides in it); 200 has been sent."""

    call: str
    content_type: str  # lower case, without parameters
    body: bytes = field(repr=False)


class InfoAnswered(Struct, frozen=True):
    """The final response to an INFO of ours."""

    call: str
    status: int


class TransferAsked(Struct, frozen=True):
    """A REFER within a call, which has been accepted (RFC 3515). Tell of it by `report_transfer`.

    uri: whom to call; fields: what its INVITE is to say besides (Replaces, Referred-By).
    """

    call: str
    uri: str
    fields: tuple[tuple[str, str], ...]


class TextReceived(Struct, frozen=True):
    """A MESSAGE with something to read in it (RFC 3428); 200 has been sent."""

    flow: Flow
    request: Request
    text: str  # printable, on one line


class StateWanted(Struct, frozen=True):
    """Somebody begins to watch an extension (RFC 4235). Say by `show` what goes on there."""

    extension: str


class CallEnded(Struct, frozen=True):
    """The last thing said of a call. status: the SIP status involved, 0 if none."""

    call: str
    how: Ended
    status: int
    words: str


class RequestAnswered(Struct, frozen=True):
    """What came of `request`; response None: there was no answer, status says how (408, 503)."""

    request: str
    status: int
    words: str
    response: Response | None


class ServerSilent(Struct, frozen=True):
    """A server that was probed does not answer. names: of the bindings that this concerns."""

    names: tuple[str, ...]


Output = (
    Send
    | CloseConnection
    | KeepAlive
    | KeepAliveAnswer
    | Registered
    | ServerSilent
    | RegistrationFailed
    | Unregistered
    | RequestAnswered
    | IncomingCall
    | CallDenied
    | CallProgress
    | CallAccepted
    | CallConfirmed
    | OfferReceived
    | AnswerReceived
    | InfoReceived
    | InfoAnswered
    | TransferAsked
    | TextReceived
    | StateWanted
    | CallEnded
)
