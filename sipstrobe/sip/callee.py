"""An incoming call: ringing, answering, refusing. RFC 3261 §13.3, 100rel of RFC 3262 §3."""

from dataclasses import dataclass
from functools import partial

from sipstrobe.errors import LocalProtocolError
from sipstrobe.sip.capabilities import session_of
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog
from sipstrobe.sip.exchange import Serving
from sipstrobe.sip.message import Request
from sipstrobe.sip.modify import ModifiableSession, Offer
from sipstrobe.sip.outputs import AnswerReceived, CallConfirmed, Ended, IncomingCall
from sipstrobe.sip.session import Phase, Timer
from sipstrobe.sip.transaction import T1, TIMEOUT

RING_AGAIN = 60.0  # seconds; RFC 3261 §13.3.1.1: or proxies on the way give up

Fields = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Reliable:
    """A provisional response that waits for its PRACK: RFC 3262 §3."""

    rseq: int
    data: bytes
    has_session: bool
    interval: float = T1


class IncomingSession(ModifiableSession):
    """A call that the peer began."""

    __slots__ = (
        "_accept_body",
        "_exchanged",
        "_has_offer",
        "_invite",
        "_reliable",
        "_ring_next",
        "_rseq",
        "_serving",
        "_until_expired",
    )

    owns_call_id = False

    def __init__(
        self, core: Core, name: str, serving: Serving, request: Request, dialog: Dialog, now: float
    ) -> None:
        uri = request.request_uri
        user, flow = uri.user or "", dialog.flow
        identity = core.identity_of(user, flow)
        own = partial(core.contact, user, sips=uri.scheme == "sips", identity=identity)
        super().__init__(core, name, Phase.INCOMING, flow, own)
        if identity is not None:
            dialog.credentials = identity.credentials
        self.dialog = dialog
        self._serving = serving
        serving.tag = dialog.local_tag
        self._invite = request
        self._has_offer = session_of(request) is not None
        self._allow = request.headers.all("Allow")
        self._exchanged = False  # offer and answer, in reliable provisional responses and PRACK
        self._reliable: Reliable | None = None
        self._rseq = 0
        self._ring_next: tuple[bytes | None] | None = None
        self._accept_body: bytes | None = None  # 200 waits for PRACK
        self._until_expired = False
        serving.cancelled = self._cancelled
        core.enter(self, dialog)
        self._start_patience(now)
        self._say(IncomingCall(name, dialog.flow, request, session_of(request)))

    @property
    def call_id(self) -> str:
        return self._invite.call_id

    def _start_patience(self, now: float) -> None:
        """How long the call may ring; RFC 3261 §13.3.1: not longer than its Expires says."""
        patience = self._core.settings.ringing_timeout
        expires = self._invite.expires
        if expires is not None and expires < patience:
            self._until_expired = True
            patience = expires
        self._start(Timer.ANSWER, now + patience)

    # --- what the phone wants --------------------------------------------------------------

    def ring(self, body: bytes | None, *, now: float) -> None:
        """180, or 183 with a session description; reliably where the peer can (RFC 3262 §3)."""
        if self.phase is not Phase.INCOMING or self._accept_body is not None:
            return
        request = self._invite
        required = "100rel" in request.tokens("Require")
        able = required or "100rel" in request.tokens("Supported")
        self._start(Timer.RING_AGAIN, now + RING_AGAIN)
        if self._reliable is not None:
            self._ring_next = (body,)  # RFC 3262 §3: one at a time
        elif able and (self._has_offer or body is not None or self._offered):
            self._ring_reliably(self._new_session(body), now)
        elif not required:
            # RFC 3261 §13.2.1: an offer of ours may not stand in an unreliable response.
            self._ring(body if self._has_offer else None, now)

    def accept(self, body: bytes, *, now: float) -> None:
        """200; later, if a reliable response with a session description waits for PRACK."""
        if self.phase is not Phase.INCOMING:
            raise LocalProtocolError(f"call {self.name} does not ring")
        if (self._reliable is not None and self._reliable.has_session) or self._offer is not None:
            self._accept_body = body
            return
        assert self.dialog is not None
        self._accept_body = None
        self._stop_ringing()
        self._local_body = body
        if self._exchanged:
            body = b""  # RFC 3262 §5: all has been said
        elif not self._has_offer:
            self._offered = True
        self.phase = Phase.ANSWERED
        self._accept_invite(self._serving, self._invite, self.dialog, body, now)
        self._start_limit(self._longest, now)

    def reject(self, status: int, headers: Fields, *, now: float) -> None:
        """A final response that refuses the call."""
        if self.phase is not Phase.INCOMING:
            raise LocalProtocolError(f"call {self.name} does not ring")
        self._refuse(status, Ended.REJECTED, "refused here", now, headers)

    def hang_up(self, status: int, *, now: float) -> None:
        if self.phase is Phase.INCOMING:
            self._refuse(status, Ended.REJECTED, "refused here", now)
        else:
            self._take_leave("hung up here", now)

    @property
    def _longest(self) -> int:
        """Both limits apply to incoming calls; the shorter wins."""
        settings = self._core.settings
        return min(
            settings.incoming_duration_limit,
            settings.end_calls_after or settings.incoming_duration_limit,
        )

    # --- what the peer wants ---------------------------------------------------------------

    def receive(self, serving: Serving, request: Request, dialog: Dialog, *, now: float) -> None:
        if request.method == "PRACK":
            self._receive_prack(serving, request, dialog, now)
        else:
            super().receive(serving, request, dialog, now=now)

    def _cancelled(self, now: float) -> None:
        self._refuse(487, Ended.CANCELLED, "the caller has given up", now)

    def _confirmed(self, body: bytes | None, offered: bool, now: float) -> None:
        if self.phase is not Phase.ANSWERED:
            super()._confirmed(body, offered, now)
            return
        self.phase = Phase.CONFIRMED
        self._say(CallConfirmed(self.name, body))
        if self.told:
            self._bye(now)

    def _busy_with_theirs(self, request: Request) -> bool:
        unanswered = self._has_offer and not self._exchanged
        return super()._busy_with_theirs(request) or (self.phase is Phase.INCOMING and unanswered)

    # --- reliable provisional responses ----------------------------------------------------

    def _new_session(self, body: bytes | None) -> bytes:
        """What a reliable response still has to say of the session."""
        if body is None or self._exchanged or self._offered:
            return b""
        self._local_body = body
        if self._has_offer:
            self._exchanged = True
        else:
            self._offered = True
        return body

    def _ring(self, body: bytes | None, now: float) -> None:
        self._serving.respond(
            183 if body else 180,
            headers=self._fields,
            body=body or b"",
            now=now,
        )

    def _ring_reliably(self, body: bytes, now: float) -> None:
        # RFC 3262 §3: the first number is chosen at random below 2**31.
        self._rseq = self._rseq + 1 if self._rseq else 1 + self._core.layer.random_below(2**30)
        fields = (*self._fields, ("Require", "100rel"), ("RSeq", str(self._rseq)))
        data = self._serving.respond(
            183 if body else 180,
            headers=fields,
            body=body,
            now=now,
        )
        self._reliable = Reliable(self._rseq, data, bool(body))
        self._start(Timer.REPEAT_1XX, now + T1)
        self._start(Timer.NO_PRACK, now + TIMEOUT)

    def _repeat_ring(self, now: float) -> None:
        reliable = self._reliable
        assert reliable is not None
        self._serving.repeat_provisional(reliable.data, now=now)
        reliable.interval *= 2
        self._start(Timer.REPEAT_1XX, now + reliable.interval)

    def _receive_prack(
        self, serving: Serving, request: Request, dialog: Dialog, now: float
    ) -> None:
        rack, reliable = request.rack, self._reliable
        invite = self._invite.cseq.number
        if rack is None:
            serving.respond(400, now=now)
            return
        if reliable is None or rack != (reliable.rseq, invite, "INVITE"):
            serving.respond(481, now=now)
            return
        self._reliable = None
        self._timers.stop(Timer.REPEAT_1XX)
        self._timers.stop(Timer.NO_PRACK)
        self._take_session_of_prack(serving, request, dialog, now)
        self._go_on(now)

    def _take_session_of_prack(
        self, serving: Serving, request: Request, dialog: Dialog, now: float
    ) -> None:
        """RFC 3262 §5: the answer to our offer, or an offer of its own."""
        body = session_of(request)
        if self._offered:
            self._offered = False
            self._exchanged = True
            serving.respond(200, now=now)
            self._say(AnswerReceived(self.name, 200, body))
        elif body is None:
            serving.respond(200, now=now)
        elif self._busy_with_theirs(request):
            serving.respond(488, now=now)
        else:
            self._put_offer(Offer(serving, request, dialog), body, now)

    def _proceed(self, now: float) -> None:
        super()._proceed(now)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        """Do what had to wait for PRACK."""
        if self.phase is not Phase.INCOMING or self._reliable is not None:
            return
        if self._accept_body is not None and self._offer is None:
            self.accept(self._accept_body, now=now)
        elif self._ring_next is not None:
            (body,), self._ring_next = self._ring_next, None
            self.ring(body, now=now)

    # --- timers and the end ----------------------------------------------------------------

    def _run_out(self, timer: Timer, now: float) -> None:
        match timer:
            case Timer.ANSWER if self.phase is Phase.INCOMING:
                status = 487 if self._until_expired else 480
                self._refuse(status, Ended.NO_ANSWER, "nobody has answered", now)
            case Timer.RING_AGAIN:
                self.ring(None, now=now)
            case Timer.REPEAT_1XX:
                self._repeat_ring(now)
            case Timer.NO_PRACK:
                self._refuse(504, Ended.UNREACHABLE, "our ringing was never acknowledged", now)
            case _:
                super()._run_out(timer, now)

    def _stop_ringing(self) -> None:
        for timer in (Timer.ANSWER, Timer.RING_AGAIN, Timer.REPEAT_1XX, Timer.NO_PRACK):
            self._timers.stop(timer)

    def _refuse(
        self, status: int, how: Ended, words: str, now: float, headers: Fields = ()
    ) -> None:
        self._say_ended(how, status, words)
        self._abandon(now, status, headers)
        self._close()

    def _abandon(self, now: float, status: int = 487, headers: Fields = ()) -> None:
        super()._abandon(now)
        if self._serving.open:
            self._serving.respond(status, headers=headers, now=now)
