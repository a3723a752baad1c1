"""The phone: accounts and calls, joined from signalling, SDP and media.

Listens to: the SIP endpoint. Serves: Dial, AnswerCall, HangUp, SendDigits,
SayInCall. Publishes: CallState, then CallStateChanged, for every step of a call; DigitReceived,
SequenceReceived, PinRefused, MessageReceived.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sipstrobe.audio.latency import Latency
from sipstrobe.audio.source import SayInCall
from sipstrobe.codecs.registry import CODECS
from sipstrobe.commands import AnswerCall, Dial, HangUp, SendDigits
from sipstrobe.context import Context
from sipstrobe.dtmf.settings import DtmfSettings
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import CallStatus, MessageReceived
from sipstrobe.io.names import Names
from sipstrobe.io.udp import Tap
from sipstrobe.rules.extensions import Directory, Extension
from sipstrobe.services.accounts import Accounts
from sipstrobe.services.busy_lamps import BusyLamps
from sipstrobe.services.call_media import MediaFactory
from sipstrobe.services.calls import CallSnapshot
from sipstrobe.services.delayed_pages import DelayedPages
from sipstrobe.services.finger import Finger
from sipstrobe.services.incoming import Incoming
from sipstrobe.services.keepalives import KeepAlives
from sipstrobe.services.keypad import Keypad
from sipstrobe.services.lanes import Recordable
from sipstrobe.services.locator import Locator
from sipstrobe.services.moves import Moves
from sipstrobe.services.nat import Nat
from sipstrobe.services.network import Changes, Network
from sipstrobe.services.outgoing import Outgoing
from sipstrobe.services.speech import LiveSource, SoundSource
from sipstrobe.services.switchboard import Record, Switchboard
from sipstrobe.services.transfers import Transfers
from sipstrobe.services.transports import SipTransports
from sipstrobe.services.voice import Voice
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Registered, RegistrationFailed, Unregistered
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallAccepted,
    CallConfirmed,
    CallDenied,
    CallEnded,
    CallProgress,
    CloseConnection,
    IncomingCall,
    InfoAnswered,
    InfoReceived,
    KeepAlive,
    KeepAliveAnswer,
    OfferReceived,
    Output,
    Send,
    ServerSilent,
    StateWanted,
    TextReceived,
    TransferAsked,
)
from sipstrobe.sip.settings import SipSettings, default_account
from sipstrobe.sip.transaction import T1
from sipstrobe.sip.transport import Address, Flow
from sipstrobe.sip.uri import readable

logger = logging.getLogger(__name__)

GOODBYE_LIMIT = 3 * T1 + 0.1  # seconds for last words: whoever says nothing has been told thrice
MAX_NAMES = 64  # of servers and of those whom we call, looked up at once
DECLINED = 486  # Busy Here; RFC 3261 §21.4.24


class Onlooker(Protocol):
    """Is shown what is said, as it is said."""

    def message(self, data: bytes, flow: Flow, *, sent: bool) -> None: ...
    def named(self, call_id: str, call: str) -> None: ...


class Phone:
    """Accounts and calls of one device."""

    def __init__(
        self,
        context: Context,
        greet: Callable[[], SoundSource | None],
        instance_id: str = "",
        record: Record | None = None,
        folder: Path | None = None,
        listen: Callable[[], LiveSource | None] = lambda: None,
    ) -> None:
        """greet: what the next caller is to hear when answered; None: silence.

        instance_id: a URN by which registrars know the device, the same at every start (RFC 5626
        §4.1); "" does without outbound and GRUU. record: told of each call at its end.
        folder: where a certificate of our own making is kept, and pages that are heard later;
        None: there are none. listen: begins to listen to the microphone, for the other side of an
        active call; None while it is off.
        """
        self._context = context
        self._settings = SipSettings()
        self._endpoint = Endpoint(self._settings, context.random_bytes)
        self._driver = context.driver(self._endpoint, self._deliver, name="SIP timer", first=Send)
        self.transports = SipTransports(context, self._driver, self._endpoint, self._needs, folder)
        self.nat = Nat(context, self._routed)
        self._media = MediaFactory(context, self._settings.rtp_start_port, self.nat)
        self._board = Switchboard(context, self._driver, self._endpoint)
        self._board.record = record
        signalling = (context, self._driver, self._endpoint)
        self._names = Names(MAX_NAMES)
        self._network = Network(context, self._network_changed)
        self._left_at: float | None = None
        self._onlooker: Onlooker | None = None
        locator = Locator(self._names, context.random_bytes)
        self.accounts = Accounts(*signalling, self.transports, locator, instance_id)
        self._endpoint.ask_callers(self.accounts.callers_of)
        self._keypad = Keypad(context, self._board)
        self._finger = Finger(*signalling, self._board)
        calls = (self.accounts, self._media, self._board, self._keypad)
        self._voice = Voice(greet, listen)
        self._board.on_begin.append(self._voice.begin)
        self._board.on_end.append(self._voice.leave)
        self._board.turns.on_turn.append(lambda call: self._voice.beep(self._board.calls[call]))
        self.delayed_pages = DelayedPages(context, folder) if folder is not None else None
        if self.delayed_pages is not None:
            self._board.on_begin.append(self.delayed_pages.begin)
            self._board.on_end.append(self.delayed_pages.end)
        self._incoming = Incoming(*signalling, self.transports, *calls, self._voice)
        self._outgoing = Outgoing(*signalling, *calls)
        self._transfers = Transfers(*signalling, self._board, self.accounts, self._outgoing.call)
        self._moves = Moves(self._driver, self._endpoint, self.transports, self._board)
        self._lamps = BusyLamps(*signalling, self._board)
        keepalives = KeepAlives(context.random_bytes, self._driver, self._endpoint, self.transports)
        self._routes = self._routes_of(keepalives)
        self._serve()

    def _routes_of(self, keepalives: KeepAlives) -> dict[type[Output], Callable[..., None]]:
        """Who takes which output of the endpoint."""
        return {
            Send: self._send,
            CloseConnection: self._close_connection,
            KeepAlive: keepalives.ask,
            KeepAliveAnswer: keepalives.take,
            IncomingCall: self._incoming.take,
            CallDenied: self._incoming.deny,
            CallProgress: self._outgoing.progress,
            CallAccepted: self._outgoing.accepted,
            CallConfirmed: self._confirmed,
            OfferReceived: self._offered,
            AnswerReceived: self._answered,
            InfoReceived: self._info,
            InfoAnswered: self._info_answered,
            TransferAsked: self._transfers.take,
            TextReceived: self._read,
            StateWanted: self._lamps.wanted,
            CallEnded: self._outgoing.ended,
            Registered: self.accounts.registered,
            RegistrationFailed: self.accounts.failed,
            Unregistered: self.accounts.unregistered,
            ServerSilent: self.accounts.silent,
        }

    def _serve(self) -> None:
        context, limits = self._context, self._endpoint.limits
        dispatcher = context.dispatcher
        dispatcher.serve(Dial, self._outgoing.dial)
        dispatcher.serve(AnswerCall, self._answer_call)
        dispatcher.serve(HangUp, self._hang_up)
        dispatcher.serve(SayInCall, self._say)
        dispatcher.serve(SendDigits, self._send_digits)
        context.measures.gauge("sip_calls", "Calls at this moment", lambda: len(self._board.calls))
        context.measures.gauge("sip_dropped", "Messages beyond limits", lambda: limits.dropped)
        context.measures.gauge("sip_sources", "Sources told apart", lambda: limits.size)

    # --- settings and life ----------------------------------------------------------------------

    def apply(self, wanted: SipSettings) -> None:
        """Bring settings into effect; calls go on."""
        before, self._settings = self._settings, wanted
        self._incoming.settings = self._outgoing.settings = wanted
        self._lamps.apply(wanted)
        self._board.turns.apply(wanted.calls_together)
        self._driver.feed(self._endpoint.apply, wanted)
        self._media.apply(wanted)
        self._keypad.apply_accounts(wanted.accounts)
        if before.enabled and not wanted.enabled:
            self._board.end_all()
            self._driver.feed(self._endpoint.dismiss_watchers)
        self.nat.apply(wanted)
        if wanted.enabled:
            self.transports.apply(wanted)
            self.accounts.apply(wanted)
            self._network.open()
        else:  # those who are to hear of it are told before we are deaf
            self._network.close()
            self.accounts.apply(wanted)
            self.transports.apply(None)

    def leave(self) -> None:
        """Hang up and take leave. Nothing new begins from now on."""
        if self._left_at is not None:
            return
        self._left_at = self._context.clock.now()
        self._network.close()
        self._board.end_all()
        self._driver.feed(self._endpoint.dismiss_watchers)
        self._outgoing.stop()
        self.accounts.stop()
        self._incoming.stop()
        self.transports.apply(None)  # no new calls meanwhile

    async def aclose(self) -> None:
        """Leave, give the last words a moment to be answered, counted from then, and close."""
        self.leave()
        pages = self.delayed_pages
        waited = (self._say_last_words(), self.nat.aclose())
        await asyncio.gather(*waited, *([] if pages is None else [pages.aclose()]))
        await self.transports.aclose()
        self._driver.close()

    async def _say_last_words(self) -> None:
        clock = self._context.clock
        assert self._left_at is not None
        limit = self._left_at + GOODBYE_LIMIT
        while self._endpoint.waiting and clock.now() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    def apply_extensions(self, extensions: Sequence[Extension]) -> None:
        """What calls to these numbers do from now on; calls that run go on."""
        self._incoming.extensions = directory = Directory(extensions)
        self._lamps.apply_extensions(directory)

    def apply_latency(self, latency: Latency) -> None:
        """How long the sound of the calls to come waits."""
        self._media.latency = latency

    def apply_dtmf(self, wanted: DtmfSettings) -> None:
        """Which sequences of digits count from now on."""
        self._keypad.apply(wanted)

    def recordable(self, call: str | None) -> Recordable | None:
        """This call, or the one that is active longest; None if it is not."""
        active = [c for c in self._board.calls.values() if c.state is CallStatus.ACTIVE]
        for one in sorted(active, key=lambda c: c.since):
            parameters = one.media.parameters if one.media is not None else None
            if one.media is not None and parameters is not None and call in (None, one.id):
                return Recordable(one.id, one.media.stream, CODECS[parameters.codec].sample_rate)
        return None

    def pages(self) -> dict[str, Any]:
        """The calls of pages that are heard later: taken down, waiting, playing."""
        return self.delayed_pages.snapshot() if self.delayed_pages is not None else {}

    def refresh_microphone(self) -> None:
        """It has been switched on or off: for the calls that are active too."""
        calls = self._board.calls.values()
        self._voice.refresh([call for call in calls if call.state is CallStatus.ACTIVE])

    def snapshot(self) -> list[CallSnapshot]:
        """The running calls, oldest first."""
        return [call.snapshot() for call in self._board.calls.values()]

    def speak(self, call: str, source: SoundSource | None) -> None:
        """Let the other side of a call hear this; None: silence."""
        media = self._board.known(call).media
        if media is not None:
            media.stream.source = source

    @property
    def media_tap(self) -> Tap:
        """Tells what goes through the sockets of all calls."""
        return self._media.tap

    def connections(self) -> list[tuple[str, tuple[str, int], bool]]:
        """Those that stand: transport, the other side, and whether it has opened it."""
        return self.transports.connections()

    def look_on(self, onlooker: Onlooker) -> None:
        """Tell of every SIP message from now on, and by which Call-ID each call is known."""
        self._onlooker = onlooker
        self._endpoint.heard = partial(onlooker.message, sent=False)
        call_id = self._endpoint.call_id
        self._board.on_leg.append(lambda call, leg: onlooker.named(call_id(leg), call))

    @property
    def settings(self) -> SipSettings:
        return self._settings

    # --- orders ---------------------------------------------------------------------------------

    def _answer_call(self, order: AnswerCall) -> None:
        if order.call is None:
            ringing = (c for c in self._board.calls.values() if c.state is CallStatus.RINGING)
            call = next(ringing, None)
            if call is None:
                raise CommandRefused("not_ringing", "no call is ringing")
        else:
            call = self._board.known(order.call)
            if call.state is not CallStatus.RINGING:
                raise CommandRefused("not_ringing", f"call {call.id} is {call.state}")
        self._incoming.accept(call)

    def _hang_up(self, order: HangUp) -> None:
        if order.call is None:
            self._board.end_all(DECLINED)
        elif order.call in self._board.calls or not order.tolerant:
            self._board.end(self._board.known(order.call), DECLINED)

    def _say(self, order: SayInCall) -> None:
        self._voice.say(self._board.known(order.call), order.sound)

    def _send_digits(self, order: SendDigits) -> None:
        if order.call is None:
            calls = [c for c in self._board.calls.values() if c.state is CallStatus.ACTIVE]
            if not calls:
                raise CommandRefused("not_active", "no call is active")
        else:
            calls = [self._board.known(order.call)]
        for call in calls:
            self._finger.press(call, order.digits)

    # --- within a call --------------------------------------------------------------------------

    def _confirmed(self, news: CallConfirmed) -> None:
        """The ACK; it carries the answer if the 2xx carried our offer."""
        call, media = self._board.leg(news.call)
        media.prove()
        if media.agreed or (
            news.body is not None and self._board.take_answer(call, media, news.body)
        ):
            self._voice.follow(call)
            self._finger.acknowledged(call)
        else:
            self._board.give_up(call)

    def _offered(self, news: OfferReceived) -> None:
        call, media = self._board.leg(news.call)
        try:
            body = media.offer() if news.body is None else media.answer(news.body)
        except RemoteProtocolError as error:
            self._driver.feed(self._endpoint.reject_offer, news.call, error.status)
        else:
            self._driver.feed(self._endpoint.answer_offer, news.call, body)
            self._voice.follow(call)

    def _answered(self, news: AnswerReceived) -> None:
        call, media = self._board.leg(news.call)
        if news.status < 300 and news.body is not None:
            self._board.take_answer(call, media, news.body)
            self._voice.follow(call)

    def _info(self, news: InfoReceived) -> None:
        call, _ = self._board.leg(news.call)
        self._keypad.in_info(call, news.content_type, news.body)

    def _info_answered(self, news: InfoAnswered) -> None:
        call, _ = self._board.leg(news.call)
        self._finger.answered(call, news.status)

    def _read(self, news: TextReceived) -> None:
        """A text message: told, and no more."""
        request = news.request
        account = self.accounts.called_by(request, news.flow) or default_account(self._settings)
        sender = readable(str(request.from_.uri))
        logger.info("a message from %s of %d characters", sender, len(news.text))
        self._context.bus.publish(
            MessageReceived(
                account=account.name,
                remote_uri=sender,
                local_uri=readable(request.uri),
                text=news.text,
            )
        )

    def _network_changed(self, changes: Changes) -> None:
        self._names.forget()
        self.transports.network_changed(changes.lost)
        self.accounts.network_changed(changes)
        self._moves.network_changed(changes)

    def _routed(self, public: tuple[str, int] | None) -> None:
        """A router lets others in to our SIP port at this address."""
        address = None if public is None else Address(*public)
        self._driver.feed(self._endpoint.routed, address)

    def _needs(self, port: int) -> bool:
        """Peers know a call by this SIP port, or wait there for a last word of ours."""
        flows = (call.flow for call in self._board.calls.values() if call.flow is not None)
        return self._endpoint.waiting or any(flow.local.port == port for flow in flows)

    def _deliver(self, output: Output) -> None:
        self._routes[type(output)](output)

    def _send(self, output: Send) -> None:
        if self._onlooker is not None:
            self._onlooker.message(output.data, output.flow, sent=True)
        self.transports.send(output.flow, output.data)

    def _close_connection(self, output: CloseConnection) -> None:
        self.transports.close_connection(output.connection)
