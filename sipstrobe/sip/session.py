"""One call: its life from the first INVITE to the last word. RFC 3261 §13–§15, RFC 6086.

This file has what both sides of a call and all its phases share; `modify` adds re-INVITE, UPDATE
and session timers, `callee` and `caller` the beginning.
"""

from collections.abc import Callable
from enum import Enum, auto

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.capabilities import ALLOW_AND_SUPPORTED
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog
from sipstrobe.sip.exchange import Answered, Asking, Serving, ignore
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallAccepted,
    CallConfirmed,
    CallEnded,
    CallProgress,
    Ended,
    IncomingCall,
    InfoAnswered,
    InfoReceived,
    OfferReceived,
)
from sipstrobe.sip.transaction import Failure
from sipstrobe.sip.transport import Flow
from sipstrobe.timers import Timers

News = (
    IncomingCall
    | CallProgress
    | CallAccepted
    | CallConfirmed
    | OfferReceived
    | AnswerReceived
    | InfoReceived
    | InfoAnswered
    | CallEnded
)


ContactBy = Callable[[Flow], tuple[str, str]]
"""The Contact field under which the peer of a flow reaches this end of a call."""


class Phase(Enum):
    INCOMING = auto()  # their INVITE waits for our final response
    CALLING = auto()  # our INVITE waits for theirs
    ANSWERED = auto()  # our 2xx waits for its ACK
    CONFIRMED = auto()
    ENDED = auto()


class Timer(Enum):
    ANSWER = auto()  # no final response yet
    LIMIT = auto()  # the call has lasted as long as it may
    REPEAT_2XX = auto()  # RFC 3261 §13.3.1.4
    NO_ACK = auto()
    REPEAT_1XX = auto()  # RFC 3262 §3
    NO_PRACK = auto()
    RING_AGAIN = auto()  # RFC 3261 §13.3.1.1
    GLARE = auto()  # RFC 3261 §14.1
    OFFER = auto()  # nobody has answered the peer's offer
    REFRESH = auto()  # RFC 4028 §10
    EXPIRE = auto()


class Session:
    """The common part of incoming and outgoing calls.

    `told` is whether CallEnded has been said; the session may have to outlive it to end the call
    on the wire as well.
    """

    __slots__ = (
        "_contact_by",
        "_core",
        "_timers",
        "contact",
        "dialog",
        "entry",
        "name",
        "phase",
        "told",
    )

    def __init__(
        self, core: Core, name: str, phase: Phase, flow: Flow, contact_by: ContactBy
    ) -> None:
        self._core = core
        self._contact_by = contact_by
        self._timers: Timers[Timer] = Timers()
        self.name = name
        self.phase = phase
        self.contact = contact_by(flow)
        self.dialog: Dialog | None = None
        self.entry: Entry | None = None
        self.told = False

    @property
    def established(self) -> bool:
        """It is answered and has not ended."""
        return self.phase in (Phase.ANSWERED, Phase.CONFIRMED) and not self.told

    # --- timers ----------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    def wake(self, *, now: float) -> None:
        for timer in self._timers.due(now):
            self._run_out(timer, now)
        if self.phase is not Phase.ENDED:
            self._core.layer.agenda.note(self)

    def _start(self, timer: Timer, at: float) -> None:
        self._timers.start(timer, at)
        self._core.layer.agenda.note(self)

    def _run_out(self, timer: Timer, now: float) -> None:
        assert timer is Timer.LIMIT, timer
        self._take_leave("the call has lasted as long as it may", now)

    # --- what the phone wants --------------------------------------------------------------

    def hang_up(self, status: int, *, now: float) -> None:
        """End the call, whatever its phase."""
        raise NotImplementedError

    def info(self, content_type: str, body: bytes, *, now: float) -> None:
        """Send an INFO (RFC 6086)."""
        if self.phase is not Phase.CONFIRMED:
            raise LocalProtocolError(f"call {self.name} is not established")
        self._ask("INFO", (("Content-Type", content_type),), body, self._info_answered, now)

    # --- what the peer wants ---------------------------------------------------------------

    def receive(self, serving: Serving, request: Request, dialog: Dialog, *, now: float) -> None:
        """Work on a request within a dialog of this call."""
        match request.method:
            case "BYE":
                self._receive_bye(serving, now)
            case "INFO":
                serving.respond(200, now=now)
                if request.body and request.content_type is not None:
                    self._say(InfoReceived(self.name, request.content_type, request.body))
            case _:  # a PRACK for nothing that we have sent: RFC 3262 §3
                serving.respond(481, now=now)

    def acknowledged(self, request: Request, *, now: float) -> None:
        """An ACK for a 2xx of ours has come."""
        raise NotImplementedError

    def _receive_bye(self, serving: Serving, now: float) -> None:
        """RFC 3261 §15.1.2: answer it, and with 487 whatever still waits for an answer."""
        serving.respond(200, now=now)
        self._abandon(now)
        self._say_ended(Ended.REMOTE_BYE, 0, "the other side has hung up")
        self._close()

    # --- within the dialog -----------------------------------------------------------------

    def _ask(
        self,
        method: str,
        fields: tuple[tuple[str, str], ...],
        body: bytes,
        answered: Answered,
        now: float,
    ) -> Asking | None:
        """Send a request within the dialog; None if the peer's address cannot be reached."""
        assert self.dialog is not None
        try:
            flow = self._core.hop(self.dialog)
        except RemoteProtocolError as e:
            self._say_ended(Ended.UNREACHABLE, 0, str(e))
            self._close()
            return None
        draft = self.dialog.draft(method, fields, body)
        return self._core.layer.ask(draft, flow, answered, now=now)

    def _heed_answer(self, answer: Response | Failure, now: float) -> None:
        self._lost(answer, now)

    def _info_answered(self, answer: Response | Failure, now: float) -> None:
        if not self._lost(answer, now) and isinstance(answer, Response):
            self._say(InfoAnswered(self.name, answer.status))

    def _lost(self, answer: Response | Failure, now: float) -> bool:
        """RFC 3261 §12.2.1.2: no answer, 408 or 481 means that there is no dialog any more."""
        status = answer.value if isinstance(answer, Failure) else answer.status
        if status not in (408, 481) and not isinstance(answer, Failure):
            return False
        if self.phase is not Phase.ENDED:
            self._say_ended(Ended.UNREACHABLE, status, "the other side does not know of the call")
            self._bye(now)
        return True

    # --- the end ---------------------------------------------------------------------------

    def _say(self, news: News) -> None:
        if not self.told:
            self._core.outbox.append(news)

    def _say_ended(self, how: Ended, status: int, words: str) -> None:
        """Say CallEnded, unless it has been said."""
        self._say(CallEnded(self.name, how, status, words))
        self.told = True

    def _take_leave(self, words: str, now: float) -> None:
        """End an answered call from here; RFC 3261 §15: a callee's BYE has to wait for the ACK."""
        self._say_ended(Ended.LOCAL_BYE, 0, words)
        if self.phase is not Phase.ANSWERED:
            self._bye(now)

    def _bye(self, now: float) -> None:
        """Take leave and forget the call; the BYE finds its own end."""
        if self.phase is Phase.ENDED:
            return
        self._abandon(now)
        if self.dialog is not None:
            self._ask("BYE", (), b"", ignore, now)
        self._close()

    def _abandon(self, now: float) -> None:
        """Give an answer to every request of the peer that still waits for one."""

    def _close(self) -> None:
        """Nothing more is to be said or heard."""
        self.phase = Phase.ENDED
        self._timers.stop_all()
        self._core.layer.agenda.forget(self)
        self._core.end(self.name)
        if self.dialog is not None:
            self._core.leave(self.dialog)

    def _start_limit(self, seconds: float | None, now: float) -> None:
        if seconds is not None:
            self._start(Timer.LIMIT, now + seconds)

    @property
    def _fields(self) -> tuple[tuple[str, str], ...]:
        return (self.contact, *ALLOW_AND_SUPPORTED)
