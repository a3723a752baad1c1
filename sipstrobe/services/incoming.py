"""Calls that come in: who is let in, what they agree on, and when they are answered."""

import logging
from collections.abc import Callable

from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.services.call_media import MediaFactory
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

logger = logging.getLogger(__name__)


class Incoming:
    """Answer, let ring, or refuse."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
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
        self._media = media
        self._board = board
        self._greet = greet
        self._denials = Seldom(logger, context.clock)

    def take(self, news: IncomingCall) -> None:
        """A new INVITE."""
        if not self._transports.accepts(news.flow):
            self._driver.feed(self._endpoint.reject, news.call, 480)
            return
        if not self._endpoint.running(news.call):
            return  # given up in the same breath: nobody calls any more
        request = news.request
        account = default_account(self.settings)
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
        elif self._agree(call, news, account):
            self._announce(call, account)

    def deny(self, news: CallDenied) -> None:
        """The access list has refused a call: it neither sounds nor lights (ACL-04)."""
        request = news.request
        call = self._board.begin(
            Direction.INCOMING,
            default_account(self.settings),
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

    def _agree(self, call: Call, news: IncomingCall, account: Account) -> bool:
        """Find what both sides can do; False when the call had to be refused."""
        try:
            options = self._media.for_caller(account)
            call.media = self._media.open(news.flow, lambda: self._board.hear(call), options)
            call.answer = call.media.offer() if news.body is None else call.media.answer(news.body)
        except RemoteProtocolError as error:
            logger.info("call %s from %s: %s", call.id, call.remote_uri, error)
            self._board.refuse(call, error.status, CallReason.FAILED)
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            self._board.refuse(call, 503, CallReason.FAILED)
        else:
            return True
        return False

    def _announce(self, call: Call, account: Account) -> None:
        if account.answer_automatically:
            self.accept(call)
        else:
            self._driver.feed(self._endpoint.ring, call.leg)
            self._board.move(call, CallStatus.RINGING, CallReason.INITIATED)
        logger.info("call %s from %s to %s", call.id, call.remote_uri, call.local_uri)
