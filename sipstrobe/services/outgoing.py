"""Calls that we make: which account makes them, which way they go, and how they are answered."""

import asyncio
import logging
import re

from sipstrobe.commands import Dial
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, LocalProtocolError, RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.services.call_media import MediaFactory
from sipstrobe.services.calls import Call
from sipstrobe.services.media_options import MediaOptions
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.account import Account
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import CallAccepted, CallProgress, Output
from sipstrobe.sip.settings import SipSettings, default_account
from sipstrobe.sip.target import next_hop, transport_of
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uri import Uri
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)

_SCHEME = re.compile(r"(?i)(sips?|tel):")  # anything else before a colon is a user or a host


class Outgoing:
    """Dial, and see to it until the other side has answered."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
        media: MediaFactory,
        board: Switchboard,
    ) -> None:
        self.settings = SipSettings()
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._transports = transports
        self._media = media
        self._board = board
        self._dialling: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Dial no more; what is being looked up is forgotten."""
        for task in self._dialling:
            task.cancel()

    def dial(self, order: Dial) -> str:
        """Begin a call; the result is its name. Raises CommandRefused."""
        if not self.settings.enabled:
            raise CommandRefused("sip_off", "SIP is switched off")
        account = self._account(order.account)
        try:
            uri = Uri.parse(order.uri if _SCHEME.match(order.uri) else f"sip:{order.uri}")
            target = _way_to(uri, account)
        except RemoteProtocolError as error:
            raise CommandRefused("bad_uri", f"cannot call {order.uri!r}: {error}") from None
        if len(self._board.calls) >= self.settings.max_calls:
            raise CommandRefused("busy", "there are as many calls as the settings allow")
        call = self._board.begin(Direction.OUTGOING, account, local_uri="", remote_uri=str(uri))
        self._board.move(call, CallStatus.CALLING, CallReason.INITIATED)
        connecting = self._connect(call, target, account, self._context.trace.current)
        task = asyncio.get_running_loop().create_task(connecting)
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return call.id

    async def _connect(
        self, call: Call, target: Flow, account: Account, cause: Cause | None
    ) -> None:
        try:
            host = await self._transports.resolve(target.remote.host, target.remote.port)
            flow = self._transports.flow_to(target.transport, host, target.remote.port)
        except OSError:
            flow = None
        if call.id not in self._board.calls:
            return  # hung up meanwhile
        with self._context.trace.because(cause):
            if flow is None:
                logger.info("call %s: there is no way to %s", call.id, target.remote)
                self._board.finish(call, CallReason.FAILED)
            else:
                self._invite(call, flow, account)

    def _invite(self, call: Call, flow: Flow, account: Account) -> None:
        call.flow = flow
        user = f"{account.user_id}@" if account.user_id else ""
        call.local_uri = f"sip:{user}{flow.local}"
        try:
            options = MediaOptions.of(account)
            call.media = self._media.open(flow, lambda: self._board.hear(call), options)
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            self._board.finish(call, CallReason.FAILED)
            return
        call.media.begin(proven=True)
        try:
            leg = self._driver.feed(
                self._endpoint.invite,
                flow,
                call.remote_uri,
                call.media.offer(),
                from_uri=call.local_uri,
                from_display=account.caller_id,
                timeout=float(self.settings.calling_timeout),
            )
        except (LocalProtocolError, RemoteProtocolError) as error:
            logger.warning("call %s cannot be made: %s", call.id, error)
            self._board.finish(call, CallReason.FAILED)
        else:
            self._board.enter_leg(call, leg)

    def progress(self, news: CallProgress) -> None:
        """A provisional response, perhaps with early media."""
        call, media = self._board.leg(news.call)
        if news.body is not None:
            self._board.take_answer(call, media, news.body)

    def accepted(self, news: CallAccepted) -> None:
        """The other side has answered."""
        call, media = self._board.leg(news.call)
        if news.body is not None and not self._board.take_answer(call, media, news.body):
            self._board.give_up(call)
        elif not media.agreed:
            logger.info("call %s was accepted without an answer to our offer", call.id)
            self._board.give_up(call)
        else:
            self._board.activate(call, CallReason.ACCEPTED_BY_REMOTE)

    def _account(self, name: str | None) -> Account:
        if name is None:
            return default_account(self.settings)
        for account in self.settings.accounts:
            if account.name == name:
                return account
        raise CommandRefused("unknown_account", f"there is no account {name!r}")


def _way_to(uri: Uri, account: Account) -> Flow:
    """Where to call: over the account's transport unless the URI names one."""
    transport = transport_of(uri, Transport(account.transport.upper()))
    nowhere = Address("", 0)
    target = next_hop(uri, Flow(Transport.UDP, nowhere, nowhere))
    remote = Address(target.remote.host, uri.port or transport.usual_port)
    return Flow(transport, nowhere, remote)
