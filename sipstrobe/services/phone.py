"""The phone: accounts and calls, joined from signalling, SDP and media.

Listens to: the SIP endpoint. Serves: Dial, AnswerCall, HangUp, SendDigits. Publishes:
CallState, then CallStateChanged, for every step of a call.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.commands import AnswerCall, Dial, HangUp, SendDigits
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, LocalProtocolError, RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.calls import Call, CallSnapshot
from sipstrobe.services.stream import SoundSource
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallAccepted,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CloseConnection,
    Ended,
    IncomingCall,
    InfoReceived,
    OfferReceived,
    Output,
    Send,
)
from sipstrobe.sip.settings import Account, SipSettings
from sipstrobe.sip.target import next_hop
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uri import Uri, readable, user_of
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)

CALL_RANK = 5  # among the sources of the speaker
_SCHEME = re.compile(r"(?i)(sips?|tel):")  # anything else before a colon is a user or a host
GOODBYE_LIMIT = 2.0  # seconds that BYEs have at shutdown
DECLINED = 486  # Busy Here; RFC 3261 §21.4.24


class Phone:
    """Accounts and calls of one device."""

    def __init__(self, context: Context, greet: Callable[[], SoundSource | None]) -> None:
        """greet: what the next caller is to hear when answered; None: silence."""
        self._context = context
        self._settings = SipSettings()
        self._greet = greet
        self._endpoint = Endpoint(self._settings, context.random_bytes)
        self._driver = context.driver(self._endpoint, self._deliver, name="SIP timer")
        self.transports = SipTransports(context, self._driver, self._endpoint, self._needs)
        self._media = MediaFactory(context, self._settings.rtp_start_port)
        self._calls: dict[str, Call] = {}
        self._legs: dict[str, Call] = {}  # by the endpoint's name
        self._serials = count(1)
        self._dialling: set[asyncio.Task[None]] = set()
        self._routes: dict[type[Output], Callable[..., None]] = {
            Send: self._send,
            CloseConnection: self._close_connection,
            IncomingCall: self._incoming,
            CallProgress: self._progress,
            CallAccepted: self._accepted,
            CallConfirmed: self._confirmed,
            OfferReceived: self._offered,
            AnswerReceived: self._answered,
            InfoReceived: self._info,
            CallEnded: self._ended,
        }
        dispatcher = context.dispatcher
        dispatcher.serve(Dial, self._dial)
        dispatcher.serve(AnswerCall, self._answer_call)
        dispatcher.serve(HangUp, self._hang_up)
        dispatcher.serve(SendDigits, self._send_digits)
        context.measures.gauge("sip_calls", "Calls at this moment", lambda: len(self._calls))

    # --- settings and life ----------------------------------------------------------------------

    def apply(self, wanted: SipSettings) -> None:
        """Bring settings into effect; calls go on."""
        before, self._settings = self._settings, wanted
        self._driver.feed(self._endpoint.apply, wanted)
        if wanted.rtp_start_port != before.rtp_start_port:
            self._media.move(wanted.rtp_start_port)
        if before.enabled and not wanted.enabled:
            self._end_all()
        self.transports.apply(wanted.port if wanted.enabled else None)

    async def aclose(self) -> None:
        """Hang up, give the BYEs a moment to be answered, and close."""
        self._end_all()
        for task in self._dialling:
            task.cancel()
        self.transports.apply(None)  # no new calls meanwhile
        limit = self._context.clock.now() + GOODBYE_LIMIT
        while self._endpoint.waiting and self._context.clock.now() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        await self.transports.aclose()
        self._driver.close()

    def snapshot(self) -> list[CallSnapshot]:
        """The running calls, oldest first."""
        return [call.snapshot() for call in self._calls.values()]

    def speak(self, call: str, source: SoundSource | None) -> None:
        """Let the other side of a call hear this; None: silence."""
        media = self._known(call).media
        if media is not None:
            media.stream.source = source

    @property
    def settings(self) -> SipSettings:
        return self._settings

    # --- orders ---------------------------------------------------------------------------------

    def _dial(self, order: Dial) -> str:
        if not self._settings.enabled:
            raise CommandRefused("sip_off", "SIP is switched off")
        account = self._account(order.account)
        try:
            uri = Uri.parse(order.uri if _SCHEME.match(order.uri) else f"sip:{order.uri}")
            target = _way_to(uri, account)
        except RemoteProtocolError as error:
            raise CommandRefused("bad_uri", f"cannot call {order.uri!r}: {error}") from None
        if len(self._calls) >= self._settings.max_calls:
            raise CommandRefused("busy", "there are as many calls as the settings allow")
        call = self._begin(Direction.OUTGOING, account, local_uri="", remote_uri=str(uri))
        self._move(call, CallStatus.CALLING, CallReason.INITIATED)
        connecting = self._connect(call, target, account, self._context.trace.current)
        task = asyncio.get_running_loop().create_task(connecting)
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return call.id

    def _answer_call(self, order: AnswerCall) -> None:
        if order.call is None:
            ringing = (c for c in self._calls.values() if c.state is CallStatus.RINGING)
            call = next(ringing, None)
            if call is None:
                raise CommandRefused("not_ringing", "no call is ringing")
        else:
            call = self._known(order.call)
            if call.state is not CallStatus.RINGING:
                raise CommandRefused("not_ringing", f"call {call.id} is {call.state}")
        self._accept(call)

    def _hang_up(self, order: HangUp) -> None:
        if order.call is None:
            self._end_all(DECLINED)
        else:
            self._end(self._known(order.call), DECLINED)

    def _send_digits(self, order: SendDigits) -> None:
        call = self._known(order.call)
        if call.state is not CallStatus.ACTIVE or call.media is None:
            raise CommandRefused("not_active", f"call {call.id} is {call.state}")
        try:
            call.media.stream.send_digits(order.digits)
        except ValueError as error:
            raise CommandRefused("digits", str(error)) from None

    # --- incoming -------------------------------------------------------------------------------

    def _incoming(self, news: IncomingCall) -> None:
        if not self.transports.accepts(news.flow):
            self._driver.feed(self._endpoint.reject, news.call, 480)
            return
        if not self._endpoint.running(news.call):
            return  # given up in the same breath: nobody calls any more
        request = news.request
        account = self._account(None)
        call = self._begin(
            Direction.INCOMING,
            account,
            local_uri=readable(request.uri),
            remote_uri=readable(str(request.from_.uri)),
            extension=user_of(request.request_uri),
        )
        call.flow, call.leg = news.flow, news.call
        self._legs[news.call] = call
        if not self._settings.allow_incoming:
            self._refuse(call, 403, CallReason.DENIED)
            return
        try:
            call.media = self._media.open(news.flow, lambda: self._hear(call))
            call.answer = call.media.offer() if news.body is None else call.media.answer(news.body)
        except RemoteProtocolError as error:
            logger.info("call %s from %s: %s", call.id, call.remote_uri, error)
            self._refuse(call, error.status, CallReason.FAILED)
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            self._refuse(call, 503, CallReason.FAILED)
        else:
            self._announce(call, account)

    def _announce(self, call: Call, account: Account) -> None:
        if account.answer_automatically:
            self._accept(call)
        else:
            self._driver.feed(self._endpoint.ring, call.leg)
            self._move(call, CallStatus.RINGING, CallReason.INITIATED)
        logger.info("call %s from %s to %s", call.id, call.remote_uri, call.local_uri)

    def _accept(self, call: Call) -> None:
        assert call.media is not None
        call.media.stream.source = self._greet()
        call.media.begin(proven=False)
        self._driver.feed(self._endpoint.accept, call.leg, call.answer)
        self._activate(call, CallReason.ACCEPTED_BY_DEVICE)

    def _refuse(self, call: Call, status: int, reason: CallReason) -> None:
        """A call that never sounds or lights: only its pulse tells of it."""
        self._driver.feed(self._endpoint.reject, call.leg, status)
        self._silence(call)
        self._calls.pop(call.id)
        self._context.bus.publish(call.moved(CallStatus.TERMINATED, reason))

    # --- outgoing -------------------------------------------------------------------------------

    async def _connect(
        self, call: Call, target: Flow, account: Account, cause: Cause | None
    ) -> None:
        try:
            host = await self.transports.resolve(target.remote.host, target.remote.port)
            flow = self.transports.flow_to(target.transport, host, target.remote.port)
        except OSError:
            flow = None
        if call.id not in self._calls:
            return  # hung up meanwhile
        with self._context.trace.because(cause):
            if flow is None:
                logger.info("call %s: there is no way to %s", call.id, target.remote)
                self._finish(call, CallReason.FAILED)
            else:
                self._invite(call, flow, account)

    def _invite(self, call: Call, flow: Flow, account: Account) -> None:
        call.flow = flow
        user = f"{account.user_id}@" if account.user_id else ""
        call.local_uri = f"sip:{user}{flow.local}"
        try:
            call.media = self._media.open(flow, lambda: self._hear(call))
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            self._finish(call, CallReason.FAILED)
            return
        call.media.begin(proven=True)
        try:
            call.leg = self._driver.feed(
                self._endpoint.invite,
                flow,
                call.remote_uri,
                call.media.offer(),
                from_uri=call.local_uri,
                from_display=account.caller_id,
                timeout=float(self._settings.calling_timeout),
            )
        except LocalProtocolError as error:
            logger.warning("call %s cannot be made: %s", call.id, error)
            self._finish(call, CallReason.FAILED)
        else:
            self._legs[call.leg] = call

    def _progress(self, news: CallProgress) -> None:
        call, media = self._leg(news.call)
        if news.body is not None:
            self._take_answer(call, media, news.body)

    def _accepted(self, news: CallAccepted) -> None:
        call, media = self._leg(news.call)
        if news.body is not None and not self._take_answer(call, media, news.body):
            self._give_up(call)
        elif not media.agreed:
            logger.info("call %s was accepted without an answer to our offer", call.id)
            self._give_up(call)
        else:
            self._activate(call, CallReason.ACCEPTED_BY_REMOTE)

    # --- within a call --------------------------------------------------------------------------

    def _confirmed(self, news: CallConfirmed) -> None:
        """The ACK; it carries the answer if the 2xx carried our offer."""
        call, media = self._leg(news.call)
        media.prove()
        if media.agreed:
            return
        if news.body is None or not self._take_answer(call, media, news.body):
            self._give_up(call)

    def _offered(self, news: OfferReceived) -> None:
        _, media = self._leg(news.call)
        try:
            body = media.offer() if news.body is None else media.answer(news.body)
        except RemoteProtocolError as error:
            self._driver.feed(self._endpoint.reject_offer, news.call, error.status)
        else:
            self._driver.feed(self._endpoint.answer_offer, news.call, body)

    def _answered(self, news: AnswerReceived) -> None:
        call, media = self._leg(news.call)
        if news.status < 300 and news.body is not None:
            self._take_answer(call, media, news.body)

    def _take_answer(self, call: Call, media: CallMedia, body: bytes) -> bool:
        try:
            media.accept(body)
        except RemoteProtocolError as error:
            logger.info("call %s: the answer cannot be used: %s", call.id, error)
            return False
        return True

    def _info(self, news: InfoReceived) -> None:
        logger.debug("call %s: INFO with %s", news.call, news.content_type)

    def _leg(self, leg: str) -> tuple[Call, CallMedia]:
        """The call of whose leg there is news; it has media before it has a leg."""
        call = self._legs[leg]
        assert call.media is not None
        return call, call.media

    # --- the end --------------------------------------------------------------------------------

    def _ended(self, news: CallEnded) -> None:
        call = self._legs.pop(news.call, None)
        if call is None or call.id not in self._calls:
            return
        status = f"{news.status} " if news.status else ""
        logger.info("call %s has ended: %s, %s%s", call.id, news.how.value, status, news.words)
        self._finish(call, _reason(news, call))

    def _give_up(self, call: Call) -> None:
        """There can be no sound: hang up, and say that it failed."""
        call.failed = True
        self._end(call)

    def _end(self, call: Call, status: int = 480) -> None:
        """Hang up, whatever the state; status is for one that rings here still."""
        if call.leg is None:
            self._finish(call, CallReason.TERMINATED)
            return
        self._driver.feed(self._endpoint.hang_up, call.leg, status=status)

    def _end_all(self, status: int = 480) -> None:
        for call in list(self._calls.values()):
            self._end(call, status)

    def _finish(self, call: Call, reason: CallReason) -> None:
        """The call is over: silence first, then the news."""
        self._silence(call)
        self._calls.pop(call.id)
        self._move(call, CallStatus.TERMINATED, reason)

    # --- common steps ---------------------------------------------------------------------------

    def _begin(
        self,
        direction: Direction,
        account: Account,
        *,
        local_uri: str,
        remote_uri: str,
        extension: str = "",
    ) -> Call:
        prefix = "in" if direction is Direction.INCOMING else "out"
        call = Call(
            id=f"{prefix}-{next(self._serials)}",
            direction=direction,
            account=account.name,
            local_uri=local_uri,
            remote_uri=remote_uri,
            extension=extension,
            since=self._context.clock.now(),
        )
        self._calls[call.id] = call
        return call

    def _activate(self, call: Call, reason: CallReason) -> None:
        call.since = self._context.clock.now()
        self._move(call, CallStatus.ACTIVE, reason)

    def _hear(self, call: Call) -> None:
        """The other side has begun to speak; a caller of ours also before the answer."""
        assert call.media is not None
        order = AddSource(
            owner=call.id, kind=SourceKind.CALL, ring=call.media.stream.ring, rank=CALL_RANK
        )
        try:
            self._context.dispatcher.execute(order)
            call.heard = True
        except CommandRefused as refusal:
            logger.warning("call %s is not heard: %s", call.id, refusal)

    def _move(self, call: Call, state: CallStatus, reason: CallReason) -> None:
        """State first, so that a rule triggered by the change finds it to hold already."""
        change = call.moved(state, reason)
        self._context.bus.publish(call.property(), change)

    def _silence(self, call: Call) -> None:
        if call.heard:
            call.heard = False
            self._context.dispatcher.execute(RemoveSource(owner=call.id))
        if call.media is not None:
            call.media.close()

    def _needs(self, port: int) -> bool:
        """Peers know a call by this SIP port, or wait there for a last word of ours."""
        flows = (call.flow for call in self._calls.values() if call.flow is not None)
        return self._endpoint.waiting or any(flow.local.port == port for flow in flows)

    def _account(self, name: str | None) -> Account:
        for account in self._settings.accounts:
            if account.name == name or (name is None and account.default):
                return account
        raise CommandRefused("unknown_account", f"there is no account {name!r}")

    def _known(self, call: str) -> Call:
        found = self._calls.get(call)
        if found is None:
            raise CommandRefused("unknown_call", f"there is no call {call!r}")
        return found

    def _deliver(self, output: Output) -> None:
        self._routes[type(output)](output)

    def _send(self, output: Send) -> None:
        self.transports.send(output.flow, output.data)

    def _close_connection(self, output: CloseConnection) -> None:
        self.transports.close_connection(output.connection)


def _way_to(uri: Uri, account: Account) -> Flow:
    """Where to call: over the account's transport unless the URI names one."""
    nowhere = Address("", 0)
    target = next_hop(uri, Flow(Transport.UDP, nowhere, nowhere))
    if "transport" in uri.params:
        return target
    return replace(target, transport=Transport(account.transport.upper()))


def _reason(news: CallEnded, call: Call) -> CallReason:
    if call.failed:
        return CallReason.FAILED
    match news.how:
        case Ended.NO_ANSWER:
            return CallReason.NO_ANSWER
        case Ended.REJECTED if call.direction is Direction.INCOMING:
            return CallReason.DENIED
        case Ended.REJECTED if news.status in (486, 600):
            return CallReason.BUSY
        case Ended.REJECTED if news.status in (403, 603):
            return CallReason.DENIED
        case Ended.REJECTED | Ended.UNREACHABLE if call.direction is Direction.OUTGOING:
            return CallReason.FAILED
        case Ended.NO_ACK | Ended.UNREACHABLE:
            return CallReason.FAILED
        case _:
            return CallReason.TERMINATED
