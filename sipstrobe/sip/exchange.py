"""Requests being answered and requests waiting for an answer, each with its transaction."""

from collections.abc import Callable, Iterable
from copy import copy
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.client import ClientTransaction
from sipstrobe.sip.client_invite import InviteClientTransaction
from sipstrobe.sip.dialog import AUTHORIZATION, Draft
from sipstrobe.sip.keyring import MAX_ROUNDS, Tried
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.server import ServerTransaction
from sipstrobe.sip.server_invite import InviteServerTransaction
from sipstrobe.sip.target import transport_for
from sipstrobe.sip.transaction import AckTimeout, Deliver, Failure, Transmit
from sipstrobe.sip.transport import Flow, Transport

if TYPE_CHECKING:
    from sipstrobe.sip.layer import Layer

ServerKey = tuple[str | int | None, ...]
MergeKey = tuple[str, str, int]  # From tag, Call-ID, CSeq number
Answered = Callable[[Response | Failure, float], None]  # (what came, now)
Fields = Iterable[tuple[str, str]]

_OF_CANCEL = ("Max-Forwards", "Route", "From", "To", "Call-ID")  # RFC 3261 §9.1
_OF_ACK = (  # RFC 3261 §17.1.1.3, §22.1
    "Max-Forwards",
    "Route",
    "From",
    "Call-ID",
    *AUTHORIZATION,
)


class Serving:
    """One request being answered, and its server transaction."""

    __slots__ = (
        "_layer",
        "cancelled",
        "entry",
        "flow",
        "key",
        "merged",
        "port",
        "request",
        "tag",
        "transaction",
    )

    def __init__(self, layer: "Layer", request: Request, flow: Flow, key: ServerKey) -> None:
        self._layer = layer
        self.key = key
        self.flow = flow
        self.port = request.via.port  # where to connect to should the connection be gone
        self.request: Request | None = request  # until the final response
        self.merged: MergeKey | None = None
        self.cancelled: Callable[[float], None] | None = None  # what a CANCEL means
        self.tag = request.to.tag  # that To has in our responses
        self.entry: Entry | None = None
        self.transaction: InviteServerTransaction | ServerTransaction

    @property
    def open(self) -> bool:
        """No final response has been given yet."""
        return self.transaction.open

    @property
    def accepted(self) -> bool:
        """A 2xx was given to an INVITE: its ACK is not for the transaction."""
        transaction = self.transaction
        return isinstance(transaction, InviteServerTransaction) and transaction.accepted

    @property
    def deadline(self) -> float | None:
        return self.transaction.deadline

    def wake(self, *, now: float) -> None:
        self.transaction.wake(now=now)
        self._settle()

    def repeated(self, *, now: float) -> None:
        self.transaction.repeated(now=now)
        self._settle()

    def ack(self, *, now: float) -> None:
        if isinstance(self.transaction, InviteServerTransaction):
            self.transaction.ack(now=now)
            self._settle()

    def respond(
        self,
        status: int,
        *,
        headers: Fields = (),
        body: bytes = b"",
        now: float,
    ) -> bytes:
        """Answer the request; the result is what went out."""
        assert self.request is not None
        content_type = "application/sdp" if body else ""
        response = respond(
            self.request,
            status,
            to_tag=self.tag,
            headers=headers,
            body=body,
            content_type=content_type,
        )
        data = bytes(response)
        self.transaction.respond(status, data, now=now)
        if status >= 200:
            self.request = self.cancelled = None
        self._settle()
        return data

    def repeat(self, data: bytes, *, now: float) -> None:
        """Give a 2xx once more: RFC 3261 §13.3.1.4."""
        self.transaction.respond(200, data, now=now)
        self._settle()

    def repeat_provisional(self, data: bytes, *, now: float) -> None:
        """Give a reliable provisional response once more: RFC 3262 §3."""
        self.transaction.respond(180, data, now=now)
        self._settle()

    def trying(self) -> bytes:
        """RFC 3261 §8.2.6.1: a 100 echoes Timestamp."""
        assert self.request is not None
        return bytes(respond(self.request, 100))

    def _settle(self) -> None:
        transaction = self.transaction
        if transaction.outbox:
            for signal in transaction.outbox:
                if isinstance(signal, Transmit):
                    self._layer.give_back(self, signal.data)
                elif signal is AckTimeout.TIMER_H:
                    self._layer.counters.unacknowledged += 1
            transaction.outbox.clear()
        if transaction.terminated:
            self._layer.drop_server(self)
        else:
            self._layer.agenda.note(self)


class Asking:
    """One request of ours and its client transaction; `answered` hears all that comes of it.

    A challenge is answered here, by the same request once more with credentials (RFC 3261 §22.2,
    §22.3); `answered` hears of it only if there are none that would help.
    """

    __slots__ = (
        "_answered",
        "_cancelled",
        "_final",
        "_given_up",
        "_layer",
        "_rounds",
        "_switched",
        "_tried",
        "branch",
        "draft",
        "entry",
        "flow",
        "transaction",
        "via",
    )

    def __init__(self, layer: "Layer", draft: Draft, flow: Flow, answered: Answered) -> None:
        self._layer = layer
        self.draft = draft
        self.flow = flow
        self.branch = self.via = ""
        self._answered = answered
        self._switched = False  # to TCP, because of the size
        self._given_up = False
        self._cancelled = False
        self._final = False  # a final response has come
        self._rounds = 0  # challenges that were answered
        self._tried: Tried | None = None
        self.entry: Entry | None = None
        self.transaction: InviteClientTransaction | ClientTransaction

    @property
    def key(self) -> tuple[str, str]:
        return (self.branch, self.draft.method)

    @property
    def open(self) -> bool:
        """No final response has come yet."""
        return not self._final

    @property
    def proceeding(self) -> bool:
        """A provisional response to the INVITE has come, or a challenge that was answered."""
        transaction = self.transaction
        invites = isinstance(transaction, InviteClientTransaction)
        return invites and (transaction.proceeding or self._rounds > 0)

    @property
    def deadline(self) -> float | None:
        return self.transaction.deadline

    def start(self, *, now: float) -> None:
        """Send the request, over TCP if it is too large for UDP (RFC 3261 §18.1.1)."""
        if self.draft.credentials:
            self._sign()
        data = self._encode()
        wanted = self.flow.transport
        layer = self._layer
        mtu = layer.mtus.get(self.flow.remote.host)
        transport = transport_for(len(data), wanted, switch=layer.udp_to_tcp, mtu=mtu)
        if transport is not wanted:
            self._switched = True
            self.flow = replace(self.flow, transport=transport)
            data = self._encode()
        self._begin(data, now)

    def receive(self, response: Response, flow: Flow, *, now: float) -> None:
        if flow.connection is not None and flow != self.flow:
            self._layer.leave_client(self)
            self.flow = flow  # the connection that leads to the peer
            self._layer.enter_client(self)
        self._layer.mappings.learn(self.flow, response.vias[0])
        self.transaction.receive(response, now=now)
        self._settle(now)

    def transport_failed(self, *, now: float) -> None:
        self.transaction.transport_failed(now=now)
        self._settle(now)

    def wake(self, *, now: float) -> None:
        self.transaction.wake(now=now)
        self._settle(now)

    def give_up(self, *, now: float) -> None:
        """Cancel this INVITE, as soon as there has been a provisional response (RFC 3261 §9.1).

        The answer still comes: 487, or a 2xx that was faster, or Failure when none does.
        """
        if not self._given_up:
            self._given_up = True
            self._cancel(now)

    def _cancel(self, now: float) -> None:
        transaction = self.transaction
        if self._cancelled or not isinstance(transaction, InviteClientTransaction):
            return
        if not transaction.proceeding:
            return
        self._cancelled = True
        draft = self.draft
        fields = (*draft.kept(_OF_CANCEL), ("CSeq", f"{draft.number} CANCEL"))
        cancel = Asking(self._layer, Draft("CANCEL", draft.uri, fields), self.flow, ignore)
        cancel.branch, cancel.via = self.branch, self.via
        cancel._begin(cancel.draft.encode(self.via), now)
        transaction.cancel(now=now)
        self._layer.agenda.note(self)

    def _encode(self) -> bytes:
        self.branch = self._layer.new_branch()
        self.via = self._layer.via(self.flow, self.branch)
        return self.draft.encode(self.via)

    def _begin(self, data: bytes, now: float) -> None:
        reliable = self.flow.transport.reliable
        if self.draft.method == "INVITE":
            ack = self._acknowledgement
            self.transaction = InviteClientTransaction(data, ack, reliable=reliable, now=now)
        else:
            self.transaction = ClientTransaction(data, reliable=reliable, now=now)
        self._layer.enter_client(self)
        self._settle(now)

    def _acknowledgement(self, response: Response) -> bytes:
        """ACK for a response other than 2xx: RFC 3261 §17.1.1.3."""
        draft = self.draft
        to = ("To", str(response.to))
        fields = (*draft.kept(_OF_ACK), to, ("CSeq", f"{draft.number} ACK"))
        return Draft("ACK", draft.uri, fields).encode(self.via)

    def _settle(self, now: float) -> None:
        transaction = self.transaction
        signals, transaction.outbox = transaction.outbox, []
        if transaction.terminated:
            self._layer.drop_client(self)
        else:
            self._layer.agenda.note(self)
        for signal in signals:
            match signal:
                case Transmit(data):
                    self._layer.send(self.flow, data)
                case Deliver(response):
                    self._switched = False  # TCP works
                    if response.status not in (401, 407) or not self._ask_again(response, now):
                        self._hear(response, now)
                case Failure() if self._final:
                    pass  # only the ACK of a rejection was lost
                case Failure.TRANSPORT if self._switched:
                    self._try_udp(now)
                case Failure():
                    self._answered(signal, now)
                case AckTimeout():
                    raise AssertionError("no client transaction waits for ACK")

    def _hear(self, response: Response, now: float) -> None:
        self._final = response.status >= 200
        draft = self.draft
        if draft.credentials and 200 <= response.status < 300:
            self._layer.keyring.heed(draft.credentials, self.flow, response)
        self._answered(response, now)
        if self._given_up and not self._final:
            self._cancel(now)

    # --- challenges ------------------------------------------------------------------------

    def _ask_again(self, response: Response, now: float) -> bool:
        """Send the request once more with credentials; False if that would be of no use."""
        draft = self.draft
        if draft.renumber is None or not draft.credentials or self._given_up:
            return False
        if self._tried is None:
            self._tried = {}
        keyring = self._layer.keyring
        if self._rounds >= MAX_ROUNDS or not keyring.learn(
            draft.credentials, self.flow, response, self._tried
        ):
            return False
        self._rounds += 1
        self._leave_behind()
        self.draft = draft.renumbered(draft.renumber())
        self.start(now=now)
        return True

    def _sign(self) -> None:
        draft = self.draft
        sign = self._layer.keyring.sign
        given = sign(draft.credentials, self.flow, draft.method, draft.uri, draft.body)
        self.draft = draft.signed(given)

    def _leave_behind(self) -> None:
        """Let the transaction live on, to acknowledge the challenge if it comes once more."""
        if self.transaction.terminated:
            return
        left = copy(self)
        left._answered = ignore
        left._final = True
        self._layer.drop_client(self)
        left.entry = None
        self._layer.enter_client(left)
        self._layer.agenda.note(left)

    def _try_udp(self, now: float) -> None:
        """RFC 3261 §18.1.1: a peer without TCP is tried over UDP after all."""
        self._switched = False
        self.flow = replace(self.flow, transport=Transport.UDP, connection=None)
        self._begin(self._encode(), now)


def ignore(answer: Response | Failure, now: float) -> None:
    """Whatever the answer is, nothing depends on it."""
