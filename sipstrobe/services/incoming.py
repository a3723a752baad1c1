"""Calls that come in: who is let in, what they agree on, and when they are answered."""

import asyncio
import logging
from collections.abc import Callable

from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.services.accounts import Accounts
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.calls import Call
from sipstrobe.services.seldom import Seldom
from sipstrobe.services.speech import SoundSource
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.account import Account
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
        greet: Callable[[], SoundSource | None],
    ) -> None:
        """greet: what the next caller is to hear when answered; None: silence."""
        self.settings = SipSettings()
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._transports = transports
        self._accounts = accounts
        self._media = media
        self._board = board
        self._greet = greet
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
        self._board.enter_leg(call, news.call)
        if not self.settings.allow_incoming:
            self._board.refuse(call, 403, CallReason.DENIED)
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
        """The access list has refused a call: it neither sounds nor lights (ACL-04)."""
        request = news.request
        call = self._board.begin(
            Direction.INCOMING,
            self._accounts.called_by(request, news.flow) or default_account(self.settings),
            local_uri=readable(request.uri),
            remote_uri=readable(str(request.from_.uri)),
            extension=user_of(request.request_uri),
        )
        self._denials.say(
            "the access list refuses %s, who calls %s from %s",
            call.remote_uri,
            call.local_uri,
            news.flow.remote.host,
        )
        self._board.deny(call)

    def accept(self, call: Call) -> None:
        """Answer a call that rings, or has just come."""
        assert call.media is not None
        call.media.stream.source = self._greet()
        call.media.begin(proven=False)
        self._driver.feed(self._endpoint.accept, call.leg, call.answer)
        self._board.activate(call, CallReason.ACCEPTED_BY_DEVICE)

    def _open(self, call: Call, news: IncomingCall, account: Account) -> CallMedia | None:
        """Media for a call; None when it had to be refused."""
        try:
            options = self._media.for_caller(account)
            call.media = self._media.open(news.flow, lambda: self._board.hear(call), options)
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            self._board.refuse(call, 503, CallReason.FAILED)
        return call.media

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
            self._board.refuse(call, error.status, CallReason.FAILED)
        else:
            self._announce(call, account)

    def _announce(self, call: Call, account: Account) -> None:
        if account.answer_automatically:
            self.accept(call)
        else:
            self._driver.feed(self._endpoint.ring, call.leg)
            self._board.move(call, CallStatus.RINGING, CallReason.INITIATED)
        logger.info("call %s from %s to %s", call.id, call.remote_uri, call.local_uri)
