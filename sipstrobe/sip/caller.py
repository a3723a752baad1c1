"""An outgoing call: RFC 3261 §13.2 with forking, CANCEL, and 100rel of RFC 3262 §4."""

from functools import partial

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip import session_timer
from sipstrobe.sip.capabilities import ALLOW_AND_SUPPORTED, Fields, session_of
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog
from sipstrobe.sip.exchange import Asking, Serving, ignore
from sipstrobe.sip.identity import Identity, contact_user
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.modify import ModifiableSession
from sipstrobe.sip.outputs import CallAccepted, CallProgress, Ended, Send
from sipstrobe.sip.reasons import words_of
from sipstrobe.sip.session import Phase, Timer
from sipstrobe.sip.speaker import Speaker
from sipstrobe.sip.transaction import Failure
from sipstrobe.sip.transport import Flow
from sipstrobe.sip.uri import Uri, without_password

MAX_FORKS = 16  # places at which one call of ours may ring or be answered


class OutgoingSession(ModifiableSession):
    """A call that we began."""

    __slots__ = (
        "_acknowledgements",
        "_early",
        "_first",
        "_flow",
        "_rseq",
        "_said_besides",
        "_speaker",
        "_uri",
    )

    owns_call_id = True

    def __init__(
        self,
        core: Core,
        name: str,
        flow: Flow,
        uri: Uri,
        body: bytes,
        identity: Identity,
        fields: Fields = (),
    ) -> None:
        sips = "sips" in (uri.scheme, Uri.parse(identity.uri).scheme)
        own = partial(core.contact, contact_user(identity), sips=sips, identity=identity)
        super().__init__(core, name, Phase.CALLING, flow, own)
        self._flow = flow
        self._uri = uri
        self._local_body = body
        self._said_besides = fields
        self._speaker = Speaker(core.layer, identity, without_password(str(uri)))
        self._early: dict[str, Dialog] = {}  # by remote tag
        self._rseq: dict[str, int] = {}  # the last reliable response of each
        self._acknowledgements: dict[str, Send] = {}  # by remote tag: RFC 3261 §13.2.2.4
        self._first: Asking | None = None  # the INVITE

    @property
    def call_id(self) -> str:
        return self._speaker.call_id

    def begin(self, timeout: float, *, now: float) -> None:
        """Send the INVITE; timeout: how long it may stay unanswered."""
        self._start(Timer.ANSWER, now + timeout)
        self._invite(now)

    @property
    def proceeding(self) -> bool:
        """The other side has given a sign, if only 100."""
        first = self._first
        return self.phase is not Phase.CALLING or (first is not None and first.proceeding)

    # --- what the phone wants --------------------------------------------------------------

    def hang_up(self, status: int, *, now: float) -> None:
        if self.phase is Phase.CALLING:
            self._give_up(Ended.CANCELLED, "given up here", now)
        else:
            self._take_leave("hung up here", now)

    def _give_up(self, how: Ended, words: str, now: float) -> None:
        """Say that the call is over; the INVITE is cancelled as soon as that is possible."""
        self._timers.stop(Timer.ANSWER)
        self._say_ended(how, 0, words)
        assert self._first is not None
        self._first.give_up(now=now)

    # --- the INVITE and what comes of it ---------------------------------------------------

    def _invite(self, now: float) -> None:
        settings = self._core.settings
        refresher = session_timer.initial_refresher(settings.session_refresher)
        fields = (
            self.contact,
            *ALLOW_AND_SUPPORTED,
            *session_timer.ask(settings.session_expires, refresher, self._least),
            *self._said_besides,
            ("Content-Type", "application/sdp"),
        )
        draft = self._speaker.draft(
            "INVITE", str(self._uri), fields, self._local_body, renumber=self._renumber
        )
        self._offered = True
        # It must be known before the answer comes, which may be at once: a failure to send.
        self._first = Asking(self._core.layer, draft, self._flow, self._answered)
        self._first.start(now=now)

    def _renumber(self) -> int:
        """The INVITE is sent once more, with credentials; whoever rang for it rings no more."""
        self._forget_early()
        return self._speaker.next_number()

    def _answered(self, answer: Response | Failure, now: float) -> None:
        match answer:
            case Failure():
                self._failed(Ended.UNREACHABLE, answer.value, self._core.layer.why(answer), now)
            case Response(status=status) if status < 200:
                self._progressed(answer, now)
            case Response(status=status) if status < 300:
                self._accepted(answer, now)
            case Response(status=422) if not self.told and self._learn_least(answer):
                self._forget_early()
                self._invite(now)
            case Response(status=status):
                self._failed(Ended.REJECTED, status, words_of(answer.reason), now)

    def _failed(self, how: Ended, status: int, words: str, now: float) -> None:
        if self.phase is Phase.CALLING:
            self._say_ended(how, status, words)
            self._abandon(now)
            self._close()

    # --- provisional responses -------------------------------------------------------------

    def _progressed(self, response: Response, now: float) -> None:
        if self.phase is not Phase.CALLING or response.status == 100:
            return
        dialog = self._early_dialog(response)
        reliable = response.rseq is not None and "100rel" in response.tokens("Require")
        if reliable and (dialog is None or not self._acknowledge(dialog, response, now)):
            return
        body = session_of(response)
        if reliable and body is not None:
            self._offered = False  # RFC 3262 §5: this is the answer
        self._say(CallProgress(self.name, response, body))

    def _early_dialog(self, response: Response) -> Dialog | None:
        tag = response.to.tag
        dialog = self._early.get(tag)
        if dialog is None and tag and len(self._early) < MAX_FORKS:
            try:
                dialog = self._new_dialog(response)
            except RemoteProtocolError:
                return None
            self._early[tag] = dialog
            self._core.enter(self, dialog)
        return dialog

    def _acknowledge(self, dialog: Dialog, response: Response, now: float) -> bool:
        """Send PRACK; False for a response that is repeated or out of order (RFC 3262 §4)."""
        rseq = response.rseq
        assert rseq is not None
        last = self._rseq.get(dialog.remote_tag)
        if (last is not None and rseq != last + 1) or self._core.layer.full:
            return False
        self._rseq[dialog.remote_tag] = rseq
        try:
            flow = self._core.hop(dialog)
        except RemoteProtocolError:
            return False
        rack = ("RAck", f"{rseq} {response.cseq}")
        self._core.layer.ask(dialog.draft("PRACK", (rack,)), flow, ignore, now=now)
        return True

    # --- 2xx -------------------------------------------------------------------------------

    def _accepted(self, response: Response, now: float) -> None:
        """Acknowledge every 2xx; the first is the call, others are ended at once (§13.2.2.4)."""
        tag = response.to.tag
        known = self._acknowledgements.get(tag)
        if known is not None:
            self._core.layer.send(known.flow, known.data)
            return
        if len(self._acknowledgements) >= MAX_FORKS:
            return
        try:
            dialog = self._new_dialog(response)
            assert self._first is not None
            self._acknowledgements[tag] = self._send_ack(dialog, self._first.draft)
        except RemoteProtocolError as e:
            self._failed(Ended.UNREACHABLE, 0, str(e), now)
            return
        if self.phase is Phase.CALLING:
            self._establish(dialog, response, now)
        else:
            self._core.layer.ask(dialog.draft("BYE"), self._core.hop(dialog), ignore, now=now)

    def _establish(self, dialog: Dialog, response: Response, now: float) -> None:
        self._forget_early()
        self.dialog = dialog
        self.phase = Phase.CONFIRMED
        if self.told:
            self._bye(now)
            return
        self._offered = False
        self._timers.stop(Timer.ANSWER)
        self._core.enter(self, dialog)
        self._allow = response.headers.all("Allow")
        self._conclude_session(response, now)
        self._start_limit(self._core.settings.end_calls_after, now)
        self._say(CallAccepted(self.name, response, session_of(response)))

    def _new_dialog(self, response: Response) -> Dialog:
        """The dialog that a response makes; RFC 3261 §13.2.2.4: a 2xx has the last word."""
        assert self._first is not None
        early = self._early.get(response.to.tag)
        dialog = Dialog.as_uac(
            response,
            call_id=self._speaker.call_id,
            local=self._speaker.local,
            local_tag=self._speaker.tag,
            sequence=self._speaker.number,
            uri=self._uri,
            flow=self._first.flow,
            credentials=self._speaker.credentials,
        )
        if early is not None:
            dialog.local_sequence = early.local_sequence
            dialog.remote_sequence = early.remote_sequence
        return dialog

    # --- what the peer wants ---------------------------------------------------------------

    def _receive_bye(self, serving: Serving, now: float) -> None:
        if self.phase is Phase.CALLING and self._first is not None:
            self._first.give_up(now=now)
        super()._receive_bye(serving, now)

    def receive(self, serving: Serving, request: Request, dialog: Dialog, *, now: float) -> None:
        if request.method == "INVITE" and self.phase is Phase.CALLING:
            serving.respond(491, now=now)
        else:
            super().receive(serving, request, dialog, now=now)

    # --- timers and the end ----------------------------------------------------------------

    def _run_out(self, timer: Timer, now: float) -> None:
        if timer is Timer.ANSWER and self.phase is Phase.CALLING:
            self._give_up(Ended.NO_ANSWER, "nobody has answered", now)
        else:
            super()._run_out(timer, now)

    def _forget_early(self) -> None:
        for dialog in self._early.values():
            self._core.leave(dialog)
        self._early.clear()

    def _close(self) -> None:
        self._forget_early()
        super()._close()
