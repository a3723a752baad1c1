"""Changing a running call, and keeping it alive.

re-INVITE (RFC 3261 §14), UPDATE (RFC 3311), session timers (RFC 4028), and the rule that there is
one offer at a time (RFC 3264 §4).
"""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip import session_timer
from sipstrobe.sip.capabilities import session_of
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog, Draft, contact
from sipstrobe.sip.exchange import Asking, Serving
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import AnswerReceived, Ended, OfferReceived, Send
from sipstrobe.sip.session import ContactBy, Phase, Session, Timer
from sipstrobe.sip.session_timer import SessionTimer
from sipstrobe.sip.settings import MIN_SESSION_EXPIRES
from sipstrobe.sip.transaction import T1, T2, TIMEOUT, Failure
from sipstrobe.sip.transport import Flow

OFFER_PATIENCE = 20.0  # seconds; what our own phone may take to answer an offer: less than timer F
REFRESH_AGAIN = 5.0  # seconds; when the session could not be refreshed just now
MAX_RAISES = 3  # how often the smallest session interval may be raised in one call

Fields = tuple[tuple[str, str], ...]
MIN_SE: Fields = (("Min-SE", str(MIN_SESSION_EXPIRES)),)


@dataclass(slots=True)
class Offer:
    """A request of the peer whose session description waits for our phone."""

    serving: Serving
    request: Request
    dialog: Dialog


@dataclass(slots=True)
class Answer:
    """A 2xx to an INVITE that is repeated until its ACK: RFC 3261 §13.3.1.4."""

    serving: Serving
    sequence: int
    data: bytes
    interval: float = T1


class ModifiableSession(Session):
    """A call with all that can happen to it once it stands."""

    __slots__ = (
        "_acknowledgement",
        "_allow",
        "_answer",
        "_inviting",
        "_least",
        "_local_body",
        "_offer",
        "_offered",
        "_raises",
        "_session",
        "_wanted",
    )

    owns_call_id: ClassVar[bool]

    def __init__(
        self, core: Core, name: str, phase: Phase, flow: Flow, contact_by: ContactBy
    ) -> None:
        super().__init__(core, name, phase, flow, contact_by)
        core.sessions[name] = self
        self._offer: Offer | None = None  # of the peer
        self._offered = False  # ours is not answered yet
        self._answer: Answer | None = None
        self._inviting: Asking | None = None  # our re-INVITE
        self._acknowledgement: tuple[int, Send] | None = None  # our last ACK, and for which INVITE
        self._wanted: bytes | None = None  # the re-INVITE to send as soon as it may be
        self._local_body = b""  # the last session description of ours
        self._allow: tuple[str, ...] = ()  # the peer's, as it came
        self._session: SessionTimer | None = None
        self._raises = 0  # of the next
        self._least = 0  # the smallest session interval that the way to the peer allows

    @property
    def call_id(self) -> str:
        raise NotImplementedError

    # --- what the phone wants --------------------------------------------------------------

    def reinvite(self, body: bytes, *, now: float) -> None:
        """Offer a new session description, as soon as none is being negotiated."""
        if self.told or self.phase not in (Phase.ANSWERED, Phase.CONFIRMED):
            raise LocalProtocolError(f"call {self.name} is not established")
        self._wanted = body
        self._proceed(now)

    def move(self, flow: Flow, body: bytes, *, now: float) -> None:
        """Go on by another flow, and be reached there: target refresh, RFC 3261 §12.2, §14.1.

        body: the offer that names the other address.
        """
        if self.dialog is None or not self.established:
            raise LocalProtocolError(f"call {self.name} is not established")
        self.dialog.flow = flow
        self.contact = self._contact_by(flow)
        self.reinvite(body, now=now)

    def contact_changed(self, *, now: float) -> None:
        """We may be reached by another address than the peer knows: the same without an offer."""
        if not self.established or self.dialog is None:
            return
        contact = self._contact_by(self.dialog.flow)
        if contact != self.contact:
            self.contact = contact
            self._refresh(now)

    def answer_offer(self, body: bytes, *, now: float) -> None:
        """Agree to what OfferReceived has brought; without effect if the peer has withdrawn it."""
        offer, self._offer = self._offer, None
        if offer is None:
            return
        self._timers.stop(Timer.OFFER)
        self._local_body = body
        if offer.request.method == "INVITE":
            self._offered = session_of(offer.request) is None
            self._accept_invite(offer.serving, offer.request, offer.dialog, body, now)
        else:
            self._accept_other(offer.serving, offer.request, offer.dialog, body, now)
        self._proceed(now)

    def reject_offer(self, status: int, *, now: float) -> None:
        """Refuse it; the call goes on as it was."""
        offer, self._offer = self._offer, None
        if offer is None:
            return
        self._timers.stop(Timer.OFFER)
        offer.serving.respond(status, now=now)
        self._proceed(now)

    # --- what the peer wants ---------------------------------------------------------------

    def receive(self, serving: Serving, request: Request, dialog: Dialog, *, now: float) -> None:
        match request.method:
            case "INVITE" | "UPDATE":
                self._receive_modification(serving, request, dialog, now)
            case _:
                super().receive(serving, request, dialog, now=now)

    def _receive_modification(
        self, serving: Serving, request: Request, dialog: Dialog, now: float
    ) -> None:
        body = session_of(request)
        negotiates = request.method == "INVITE" or body is not None
        if negotiates and (self._inviting is not None or self._offered):
            serving.respond(491, now=now)  # RFC 3261 §14.2, RFC 3311 §5.2
        elif negotiates and self._busy_with_theirs(request):
            wait = str(self._core.layer.random_below(11))
            serving.respond(500, headers=(("Retry-After", wait),), now=now)
        elif session_timer.too_brief(request):
            serving.respond(422, headers=MIN_SE, now=now)
        elif not negotiates:
            self._accept_other(serving, request, dialog, b"", now)
        else:
            if request.method == "INVITE" or "Contact" in request.headers:
                _ = contact(request)  # refused if it cannot be reached
            if request.method == "INVITE":
                self._acknowledge_answer()  # who sends a re-INVITE has seen our 2xx
                serving.cancelled = self._reinvite_cancelled
            self._put_offer(Offer(serving, request, dialog), body, now)

    def _busy_with_theirs(self, request: Request) -> bool:
        """Whether an offer of the peer, or the INVITE that began the call, is unanswered."""
        return self._offer is not None or (
            request.method == "INVITE" and self.phase is Phase.INCOMING
        )

    def _put_offer(self, offer: Offer, body: bytes | None, now: float) -> None:
        self._offer = offer
        self._start(Timer.OFFER, now + OFFER_PATIENCE)
        self._say(OfferReceived(self.name, offer.request, body))

    def _reinvite_cancelled(self, now: float) -> None:
        offer, self._offer = self._offer, None
        if offer is not None:
            self._timers.stop(Timer.OFFER)
            offer.serving.respond(487, now=now)
            self._proceed(now)

    # --- 2xx and its ACK -------------------------------------------------------------------

    def _accept_invite(
        self, serving: Serving, request: Request, dialog: Dialog, body: bytes, now: float
    ) -> None:
        """Answer an INVITE with 200 and repeat that until the ACK comes."""
        dialog.refresh_target(request)
        fields = self._agree_on_session(request, now)
        sequence = request.cseq.number
        data = serving.respond(200, headers=self._fields + fields, body=body, now=now)
        self._answer = Answer(serving, sequence, data)
        self._start(Timer.REPEAT_2XX, now + T1)
        self._start(Timer.NO_ACK, now + TIMEOUT)

    def _accept_other(
        self, serving: Serving, request: Request, dialog: Dialog, body: bytes, now: float
    ) -> None:
        """Answer UPDATE or PRACK with 200."""
        fields: Fields = ()
        if request.method == "UPDATE":
            dialog.refresh_target(request)
            fields = self._fields + self._agree_on_session(request, now)
        serving.respond(200, headers=fields, body=body, now=now)

    def acknowledged(self, request: Request, *, now: float) -> None:
        answer = self._answer
        if answer is None or request.cseq.number != answer.sequence:
            self._core.layer.counters.stray += 1
            return
        self._acknowledge_answer()
        offered, self._offered = self._offered, False
        self._confirmed(session_of(request) if offered else None, offered, now)
        self._proceed(now)

    def _confirmed(self, body: bytes | None, offered: bool, now: float) -> None:
        """An ACK has come; with it, perhaps, the answer to an offer in our 2xx."""
        if offered:
            self._say(AnswerReceived(self.name, 200, body))

    def _acknowledge_answer(self) -> None:
        if self._answer is not None:
            self._answer = None
            self._timers.stop(Timer.REPEAT_2XX)
            self._timers.stop(Timer.NO_ACK)

    def _repeat_answer(self, now: float) -> None:
        answer = self._answer
        assert answer is not None
        answer.serving.repeat(answer.data, now=now)
        answer.interval = min(2 * answer.interval, T2)
        self._start(Timer.REPEAT_2XX, now + answer.interval)

    # --- re-INVITE of ours -----------------------------------------------------------------

    def _proceed(self, now: float) -> None:
        """Send the re-INVITE that waits, if nothing stands against it any more."""
        if self._wanted is not None and self._free:
            body, self._wanted = self._wanted, None
            self._send_reinvite(body, now, refresh=False)

    @property
    def _free(self) -> bool:
        return (
            self.phase is Phase.CONFIRMED
            and self._inviting is None
            and self._offer is None
            and self._answer is None
            and not self._offered
            and not self._timers.running(Timer.GLARE)
        )

    def _send_reinvite(self, body: bytes, now: float, *, refresh: bool) -> None:
        assert self.dialog is not None
        fields = (*self._fields, *self._ask_for_session(), ("Content-Type", "application/sdp"))
        self._offered = True
        answered = partial(self._reinvite_answered, body, refresh)
        self._inviting = self._ask("INVITE", fields, body, answered, now)
        if self._inviting is not None:
            self._start(Timer.ANSWER, now + self._core.settings.calling_timeout)

    def _reinvite_answered(
        self, body: bytes, refresh: bool, answer: Response | Failure, now: float
    ) -> None:
        if isinstance(answer, Response) and answer.status < 200:
            return
        if isinstance(answer, Response) and answer.status < 300:
            self._reinvite_accepted(body, answer, now)
            return
        if self.phase is Phase.ENDED:
            return
        self._reinvite_over()
        if self._lost(answer, now):
            return
        assert isinstance(answer, Response)
        if answer.status == 491:
            self._wanted = body if self._wanted is None else self._wanted
            self._start(Timer.GLARE, now + self._glare_pause())
        elif answer.status == 422 and self._learn_least(answer):
            self._send_reinvite(body, now, refresh=refresh)
        else:
            if not refresh:
                self._say(AnswerReceived(self.name, answer.status, None))
            self._proceed(now)

    def _reinvite_accepted(self, body: bytes, response: Response, now: float) -> None:
        """Acknowledge each 2xx; RFC 3261 §14.1: only the first means something."""
        known, inviting = self._acknowledgement, self._inviting
        if known is not None and known[0] == response.cseq.number:
            self._core.layer.send(known[1].flow, known[1].data)
            return
        if self.phase is Phase.ENDED or inviting is None:
            return
        assert self.dialog is not None
        self._reinvite_over()
        try:
            self.dialog.refresh_target(response)
            acknowledgement = self._send_ack(self.dialog, inviting.draft)
            self._acknowledgement = (inviting.draft.number, acknowledgement)
        except RemoteProtocolError as e:
            self._say_ended(Ended.UNREACHABLE, 0, str(e))
            self._bye(now)
            return
        self._local_body = body
        self._conclude_session(response, now)
        self._say(AnswerReceived(self.name, 200, response.body or None))
        self._proceed(now)

    def _send_ack(self, dialog: Dialog, invite: Draft) -> Send:
        """RFC 3261 §13.2.2.4: with the number and the credentials of the INVITE."""
        draft = dialog.draft("ACK", invite.authorization, sequence=invite.number)
        return self._core.layer.send_ack(draft, self._core.hop(dialog))

    def _reinvite_over(self) -> None:
        self._inviting = None
        self._offered = False
        self._timers.stop(Timer.ANSWER)

    def _glare_pause(self) -> float:
        """RFC 3261 §14.1, in units of 10 ms."""
        if self.owns_call_id:
            return 2.1 + 0.01 * self._core.layer.random_below(191)
        return 0.01 * self._core.layer.random_below(201)

    # --- session timer ---------------------------------------------------------------------

    def _agree_on_session(self, request: Request, now: float) -> Fields:
        """Decide on the interval when a request is answered with 2xx; the fields that say so."""
        if self.phase in (Phase.INCOMING, Phase.CALLING):
            return ()  # an early dialog has none
        settings = self._core.settings
        agreed, fields = session_timer.accept(
            request, settings.session_expires, settings.session_refresher
        )
        self._begin_session(agreed, now)
        return fields

    def _ask_for_session(self) -> Fields:
        """What a request of ours says of the session timer; roles stay as they are."""
        session = self._session
        refresher = "" if session is None else "uac" if session.local else "uas"
        seconds = self._core.settings.session_expires if session is None else session.interval
        return session_timer.ask(seconds, refresher, self._least)

    def _conclude_session(self, response: Response, now: float) -> None:
        asked = max(self._core.settings.session_expires, self._least)
        self._begin_session(session_timer.conclude(response, asked), now)

    def _begin_session(self, session: SessionTimer, now: float) -> None:
        self._session = session
        if session.local:
            self._start(Timer.REFRESH, now + session.refresh_after)
        else:
            self._timers.stop(Timer.REFRESH)
        self._start(Timer.EXPIRE, now + session.expires_after)

    def _learn_least(self, response: Response) -> bool:
        """RFC 4028 §7.4: what a 422 says; False if it is nothing new."""
        least = response.min_se or 0
        if least <= self._least or self._raises >= MAX_RAISES:
            return False
        self._least = least
        self._raises += 1
        return True

    def _refresh(self, now: float) -> None:
        if not self._free or self._wanted is not None:
            self._start(Timer.REFRESH, now + REFRESH_AGAIN)
        elif any("UPDATE" in line for line in self._allow):
            fields = (*self._fields, *self._ask_for_session())
            self._ask("UPDATE", fields, b"", self._update_answered, now)
        else:
            self._send_reinvite(self._local_body, now, refresh=True)

    def _update_answered(self, answer: Response | Failure, now: float) -> None:
        if self.phase is Phase.ENDED or self._lost(answer, now):
            return
        assert isinstance(answer, Response)
        if answer.status < 200:
            return
        if answer.status < 300:
            assert self.dialog is not None
            self._conclude_session(answer, now)
            self.dialog.refresh_target(answer)
        elif answer.status in (491, 500, 503) or (
            answer.status == 422 and self._learn_least(answer)
        ):
            self._start(Timer.REFRESH, now + REFRESH_AGAIN)
        else:
            self._allow = ()  # it cannot be done by UPDATE
            self._refresh(now)

    # --- timers and the end ----------------------------------------------------------------

    def _run_out(self, timer: Timer, now: float) -> None:
        match timer:
            case Timer.REPEAT_2XX:
                self._repeat_answer(now)
            case Timer.NO_ACK:
                self._say_ended(Ended.NO_ACK, 0, "our answer was never acknowledged")
                self._bye(now)
            case Timer.OFFER:
                self.reject_offer(500, now=now)
            case Timer.GLARE:
                self._proceed(now)
            case Timer.ANSWER if self._inviting is not None:
                self._inviting.give_up(now=now)
            case Timer.REFRESH:
                self._refresh(now)
            case Timer.EXPIRE:
                self._say_ended(Ended.SESSION_EXPIRED, 0, "the session was not refreshed in time")
                self._bye(now)
            case _:
                super()._run_out(timer, now)

    def _abandon(self, now: float) -> None:
        offer, self._offer = self._offer, None
        if offer is not None and offer.serving.open:
            offer.serving.respond(487, now=now)  # RFC 3261 §15.1.2
        self._acknowledge_answer()
