"""Calls that come in: who is let in, what they agree on, and when they are answered."""

import asyncio
import logging
from functools import partial

from sipstrobe.audio.source import SourceKind
from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.rules.extensions import Directory
from sipstrobe.services.accounts import Accounts
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.calls import CALL_RANK, Call
from sipstrobe.services.keypad import Keypad
from sipstrobe.services.opening import Opening
from sipstrobe.services.seldom import Seldom
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.services.transports import SipTransports
from sipstrobe.services.voice import Voice
from sipstrobe.sip.account import Account
from sipstrobe.sip.auto_answer import AnswerWish, answer_wish
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import CallDenied, IncomingCall, Output
from sipstrobe.sip.settings import SipSettings, default_account
from sipstrobe.sip.uri import readable, user_of
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)


class Incoming:
    """Answer, let ring, or refuse."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
        accounts: Accounts,
        media: MediaFactory,
        board: Switchboard,
        keypad: Keypad,
        voice: Voice,
    ) -> None:
        self.settings = SipSettings()
        self.extensions = Directory()
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._transports = transports
        self._accounts = accounts
        self._media = media
        self._opening = Opening(media, board, keypad)
        self._board = board
        self._keypad = keypad
        self._voice = voice
        self._answering: dict[str, Handle] = {}  # calls to be answered in some seconds
        board.on_end.append(self._answer_no_more)
        self._denials = Seldom(logger, context.clock)
        self._preparing: set[asyncio.Task[None]] = set()

    def take(self, news: IncomingCall) -> None:
        """A new INVITE."""
        if not self._transports.accepts(news.flow):
            self._driver.feed(self._endpoint.reject, news.call, 480)
            return
        if not self._endpoint.running(news.call):
            return  # given up in the same breath: nobody calls any more
        request = news.request
        account = self._accounts.called_by(request, news.flow)
        if account is None:
            self._driver.feed(self._endpoint.reject, news.call, 404)
            return
        call = self._board.begin(
            Direction.INCOMING,
            account,
            local_uri=readable(request.uri),
            remote_uri=readable(str(request.from_.uri)),
            extension=user_of(request.request_uri),
        )
        call.flow = news.flow
        self._give_role(call)
        self._board.enter_leg(call, news.call)
        if not self.settings.allow_incoming:
            self._board.refuse(call, 403, CallReason.DENIED)
        elif self.settings.calls_together == "busy" and len(self._board.calls) > 1:
            self._board.refuse(call, 486, CallReason.BUSY)
        elif (media := self._open(call, news, account)) is None:
            return
        elif media.path is None:
            self._settle(call, media, news, account)
        else:
            preparing = self._prepare(call, media, news, account, self._context.trace.current)
            task = asyncio.get_running_loop().create_task(preparing)
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    def stop(self) -> None:
        """What is being prepared is forgotten."""
        for task in self._preparing:
            task.cancel()

    def deny(self, news: CallDenied) -> None:
        """A caller who may not come in: the call neither sounds nor lights (ACL-04)."""
        request = news.request
        call = self._board.begin(
            Direction.INCOMING,
            self._accounts.called_by(request, news.flow) or default_account(self.settings),
            local_uri=readable(request.uri),
            remote_uri=readable(str(request.from_.uri)),
            extension=user_of(request.request_uri),
        )
        self._denials.say(
            "%s, who calls %s from %s, is refused %s",
            call.remote_uri,
            call.local_uri,
            news.flow.remote.host,
            news.why,
        )
        self._board.deny(call)

    def accept(self, call: Call) -> None:
        """Answer a call that rings, or has just come."""
        assert call.media is not None
        self._voice.greet(call)
        self._driver.feed(self._endpoint.accept, call.leg, call.answer)
        call.media.begin(proven=False)
        if call.pin:
            self._keypad.ask(call, call.pin)
            self._board.move(call, CallStatus.PIN, CallReason.ACCEPTED_BY_DEVICE)
        else:
            self._board.activate(call, CallReason.ACCEPTED_BY_DEVICE)

    def _give_role(self, call: Call) -> None:
        """What is configured for the number that was called."""
        role = self.extensions.find(call.extension)
        if role is not None:
            call.line, call.pin, call.rank = role.number, role.pin, role.priority or CALL_RANK
            if role.role == "page":
                call.voice = SourceKind.PAGE
                call.beep, call.delayed = role.beep, role.record_then_play

    def _open(self, call: Call, news: IncomingCall, account: Account) -> CallMedia | None:
        """Media for a call; None when it had to be refused."""
        media = self._opening.open(call, news.flow, self._media.for_caller(account))
        if media is None:
            self._board.refuse(call, 503, CallReason.FAILED)
        return media

    async def _prepare(
        self,
        call: Call,
        media: CallMedia,
        news: IncomingCall,
        account: Account,
        cause: Cause | None,
    ) -> None:
        """Behind a translator we have to learn our addresses before we can name them."""
        await media.prepare(offering=news.body is None)
        if call.id in self._board.calls:
            with self._context.trace.because(cause):
                self._settle(call, media, news, account)

    def _settle(self, call: Call, media: CallMedia, news: IncomingCall, account: Account) -> None:
        """Find what both sides can do, and answer, let ring, or refuse."""
        try:
            call.answer = media.offer() if news.body is None else media.answer(news.body)
        except RemoteProtocolError as error:
            logger.info("call %s from %s: %s", call.id, call.remote_uri, error)
            self._board.refuse(call, error.status, CallReason.FAILED, str(error))
        else:
            self._announce(call, news, account)

    def _announce(self, call: Call, news: IncomingCall, account: Account) -> None:
        """Answer, or let ring; a role has its rules for that, and they alone decide."""
        heeds = self.settings.auto_answer_headers and not call.line
        wish = answer_wish(news.request) if heeds else None
        after = _answer_after(call, wish, account)
        if wish is not None and wish.required and wish.after != after:
            self._board.refuse(call, 403, CallReason.DENIED)  # RFC 5373 §4.4
        elif after == 0.0:
            self.accept(call)
        else:
            self._ring(call, after)
        logger.info("call %s from %s to %s", call.id, call.remote_uri, call.local_uri)

    def _ring(self, call: Call, after: float | None) -> None:
        """Rules hear of it before the caller does: one may answer at once."""
        self._board.move(call, CallStatus.RINGING, CallReason.INITIATED)
        if call.state is not CallStatus.RINGING:
            return
        self._driver.feed(self._endpoint.ring, call.leg)
        if after is not None:
            at = self._context.clock.now() + after
            self._answering[call.id] = self._context.clock.call_at(at, partial(self._due, call))

    def _due(self, call: Call) -> None:
        """The caller's wish to be answered after some seconds."""
        with self._context.trace.input("timer", "auto-answer", self._context.clock.now()):
            if call.state is CallStatus.RINGING:
                self.accept(call)

    def _answer_no_more(self, call: Call) -> None:
        timer = self._answering.pop(call.id, None)
        if timer is not None:
            timer.cancel()


def _answer_after(call: Call, wish: AnswerWish | None, account: Account) -> float | None:
    """Seconds after which the call is answered by itself; None: not by itself."""
    if call.line:
        return None
    if account.answer_automatically:
        return 0.0
    return wish.after if wish is not None else None
