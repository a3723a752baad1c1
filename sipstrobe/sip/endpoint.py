"""The SIP endpoint: everything between a datagram and "a call is ringing". RFC 3261 §8, §11–§17.

A machine of machines: transactions and calls are found here, fed, and woken when they are due.
What needs no call is answered at once and leaves nothing behind.
"""

from collections import deque
from collections.abc import Callable, KeysView
from functools import partial
from itertools import count

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.callee import IncomingSession
from sipstrobe.sip.caller import OutgoingSession
from sipstrobe.sip.capabilities import Fields
from sipstrobe.sip.challenge import Callers
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog_info import ShownDialog
from sipstrobe.sip.framing import PING, PONG
from sipstrobe.sip.headers import NameAddr
from sipstrobe.sip.identity import Binding, Identity
from sipstrobe.sip.layer import MAX_MTUS, MAX_TRANSACTIONS, Counters
from sipstrobe.sip.limits import MALFORMED, Limits
from sipstrobe.sip.message import Request, Response, parse, received_from, salvage
from sipstrobe.sip.modify import ModifiableSession
from sipstrobe.sip.outputs import KeepAliveAnswer, Output, RequestAnswered
from sipstrobe.sip.probe import Probes
from sipstrobe.sip.reasons import reason_phrase, words_of
from sipstrobe.sip.registration import Registration
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.speaker import Speaker
from sipstrobe.sip.stream import Stream
from sipstrobe.sip.target import LARGEST_UDP_REQUEST, MTU_MARGIN
from sipstrobe.sip.transaction import Failure
from sipstrobe.sip.transport import Address, Flow
from sipstrobe.sip.uas import UserAgentServer, read_all
from sipstrobe.sip.uri import Uri, readable, without_password

_STUN = range(4)  # first octets of STUN messages: RFC 7983 §7; SIP begins with a letter


class Endpoint:
    """A SIP user agent without sockets: feed it what arrives, send what it leaves in `outbox`.

    A call is known by its name from IncomingCall, or from `invite`, to CallEnded; an order that
    concerns a call which is over has no effect.
    """

    def __init__(
        self,
        settings: SipSettings,
        random_bytes: Callable[[int], bytes],
        *,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        self._core = Core(settings, random_bytes, max_transactions=max_transactions)
        self._layer = self._core.layer
        self._streams: dict[int, Stream] = {}
        self._probes = Probes(self._layer)
        self._names = count(1)
        self._obey(settings)
        self._server = UserAgentServer(self._core, self._names)
        self.heard: Callable[[bytes, Flow], None] | None = None  # is told each message that comes
        self.outbox: deque[Output] = self._core.outbox

    # --- time and settings -----------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        return self._layer.agenda.deadline

    def wake(self, *, now: float) -> None:
        self._layer.wake(now=now)

    def apply(self, settings: SipSettings, *, now: float) -> None:
        """Work by changed settings from now on; calls go on, and what they have agreed on holds."""
        self._core.settings = settings
        self._obey(settings)
        for registration in list(self._core.registrations.values()):
            registration.contact_changed(now=now)

    def _obey(self, settings: SipSettings) -> None:
        self._core.guard.apply(settings)
        self._layer.udp_to_tcp = settings.udp_to_tcp
        self._layer.mappings.in_via = settings.nat.via_rewrite
        self._layer.mappings.in_contact = settings.nat.contact_rewrite

    # --- what can be seen ------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        """How much each source may ask of us. Ask it before `receive` is given a datagram."""
        return self._layer.limits

    @property
    def counters(self) -> Counters:
        return self._layer.counters

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls that have begun and not ended."""
        return tuple([name for name, session in self._core.sessions.items() if not session.told])

    def running(self, call: str) -> bool:
        """Whether this call has not ended."""
        return self._session(call) is not None

    def call_id(self, call: str) -> str:
        """The Call-ID of a call that has not ended; empty for another."""
        session = self._session(call)
        return "" if session is None else session.call_id

    def proceeding(self, call: str) -> bool:
        """Whether anything at all has come back for a call of ours."""
        session = self._session(call)
        return isinstance(session, OutgoingSession) and session.proceeding

    @property
    def transactions(self) -> int:
        return len(self._layer.servers) + len(self._layer.clients)

    @property
    def waiting(self) -> bool:
        """A last word of ours is still on its way: a BYE, or the ACK that it waits for."""
        return self._layer.waiting or any(s.told for s in self._core.sessions.values())

    @property
    def idle(self) -> bool:
        """Nothing is remembered: no call, dialog, transaction or timer."""
        core, layer = self._core, self._layer
        remembered = (
            core.sessions,
            core.dialogs,
            core.subscriptions,
            core.registrations,
            layer.servers,
            layer.clients,
            layer.merging,
        )
        return not any(remembered) and len(layer.agenda) == 0

    # --- the wire --------------------------------------------------------------------------

    def ask_callers(self, callers: Callable[[Request, Flow], Callers | None]) -> None:
        """Let in only who knows a password, where this says so of a request; None: everybody."""
        self._core.guard.callers = callers

    def receive(
        self, data: bytes, flow: Flow, *, received_at: float | None = None, now: float
    ) -> None:
        """Take one datagram, or one whole message of a stream.

        received_at: when it came, if it had to wait. New calls that waited too long are refused
        with 503: who is behind must not fall further behind.
        """
        self._server.behind = 0.0 if received_at is None else now - received_at
        if not data.strip(b"\r\n\0"):
            return  # a keep-alive
        if data[0] in _STUN and (keeper := self._core.keepers.of(flow)) and keeper.waiting:
            self.outbox.append(KeepAliveAnswer(keeper.flow, data))
            return
        if self.heard is not None:
            self.heard(data, flow)
        counters = self._layer.counters
        counters.received += 1
        try:
            message = parse(data)
            if isinstance(message, Request):
                self._server.take(message, flow, now=now)
            else:
                read_all(message)
                self._layer.receive_response(message, flow, now=now)
        except RemoteProtocolError as e:
            counters.malformed += 1
            self.limits.charge(flow.remote.host, MALFORMED, now=now)
            request = salvage(data)
            if request is not None:
                marked = received_from(request, flow.remote.host, flow.remote.port)
                self._layer.reply(marked, flow, e.status)

    def receive_stream(self, chunk: bytes, flow: Flow, *, now: float) -> None:
        """Take bytes of the connection that the flow names; over WebSocket, one message."""
        assert flow.connection is not None
        stream = self._streams.get(flow.connection)
        if stream is None:
            stream = self._streams[flow.connection] = Stream(self._layer, flow)
            self._layer.connections.add(flow.connection)
            self.limits.prove(flow.remote.host)  # it has taken part in opening it
        keeper = self._core.keepers.of(flow)
        if keeper is not None and keeper.waiting:
            keeper.heard(now=now)
            if chunk == PONG:
                return
        pinged = False
        for message in stream.take(chunk, now=now):
            if message == PING:
                pinged = True
            elif self.limits.admit(flow.remote.host, message, now=now):
                self.receive(message, flow, now=now)
            else:
                stream.give_up()
                return
        if pinged:  # once, however often it was asked in one breath
            self._layer.send(flow, PONG)
        if stream.lost:
            stream.give_up()

    def connection_closed(self, connection: int, *, now: float) -> None:
        """The connection is gone: requests under way on it fail, responses go another way."""
        self._layer.connections.discard(connection)
        stream = self._streams.pop(connection, None)
        if stream is not None:
            stream.close()
            self._layer.transport_failed(stream.flow, "the connection is lost", now=now)
            self._core.keepers.flow_failed(stream.flow, "the connection is lost", now=now)

    def send_failed(
        self, flow: Flow, *, why: str = "nothing can be sent there", now: float
    ) -> None:
        """What was sent by this flow cannot arrive; why: for people."""
        if flow.connection is not None:
            self.connection_closed(flow.connection, now=now)
        self._layer.transport_failed(flow, why, now=now)
        self._core.keepers.flow_failed(flow, why, now=now)

    def routed(self, public: Address | None, *, now: float) -> None:
        """A router lets others in at this address, and by it to our SIP port; None: none does."""
        self._layer.mappings.router = public

    def learn_mtu(self, host: str, mtu: int) -> None:
        """How large a packet to this host can be: RFC 3261 §18.1.1 wants 200 bytes to spare."""
        mtus = self._layer.mtus
        if mtu - MTU_MARGIN >= LARGEST_UDP_REQUEST:
            mtus.pop(host, None)
            return
        mtus[host] = mtu
        if len(mtus) > MAX_MTUS:
            del mtus[next(iter(mtus))]

    def mapped(self, flow: Flow, public: Address | None, *, now: float) -> None:
        """How the peer of this flow sees us, as STUN has told; None: it has, but not that.

        What KeepAliveAnswer says. Who is registered by another address is registered anew at once,
        and calls are told.
        """
        keeper = self._core.keepers.of(flow)
        if keeper is not None:
            keeper.heard(now=now)
        if public is not None:
            self._layer.mappings.note(flow, public)
            for registration in list(keeper.users) if keeper is not None else ():
                registration.contact_changed(now=now)
            self._core.contact_changed(flow.remote, now=now)

    # --- registrations ---------------------------------------------------------------------

    def register(self, name: str, binding: Binding, flow: Flow, *, now: float) -> None:
        """Register over a flow, and stay so until RegistrationFailed or `unregister`.

        A name that is in use changes to this binding and flow: its old contact is removed. Each
        outcome is told by Registered or RegistrationFailed. Raises LocalProtocolError for what are
        no SIP URIs.
        """
        _check(binding.identity)
        names = (_sip_uri(binding.registrar).host, _sip_uri(binding.identity.uri).host)
        self._core.guard.register(name, flow.remote.host, (*names, flow.server_name))
        registration = self._core.registrations.get(name)
        if registration is None:
            registration = Registration(self._core, name, binding, flow)
        else:
            self._core.forget(registration)
        registration.change(binding, flow, now=now)
        self._core.remember(registration)

    def refresh(self, name: str, *, now: float) -> None:
        """Register again at once; without effect for a name that is not in use."""
        if registration := self._core.registrations.get(name):
            registration.refresh(now=now)

    def unregister(self, name: str, *, now: float) -> None:
        """Remove the binding; Unregistered tells when that is done, or cannot be."""
        self._core.guard.unregister(name)
        if registration := self._core.registrations.get(name):
            registration.unregister(now=now)

    def probe(self, name: str, flow: Flow, identity: Identity, uri: str, *, now: float) -> None:
        """Look after the server of this binding; ServerSilent tells when it does not answer."""
        self._probes.watch(name, flow, identity, uri, now=now)

    def stop_probing(self, name: str, *, now: float) -> None:
        """The server of this binding is of no interest any more."""
        del now
        self._probes.leave(name)

    # --- orders ----------------------------------------------------------------------------

    def invite(
        self,
        flow: Flow,
        to: str,
        body: bytes,
        *,
        identity: Identity,
        fields: Fields = (),
        timeout: float,
        now: float,
    ) -> str:
        """Call a URI over a flow, with an offer; the result is the name of the call.

        flow leads to the first hop of the identity's route. fields: what the INVITE is to say
        besides, such as Replaces. timeout: seconds until an unanswered call is cancelled and ends
        with NO_ANSWER. Raises LocalProtocolError for what is no SIP URI, and when there are too
        many calls.
        """
        if self._server.full:
            raise LocalProtocolError("there are too many calls")
        _check(identity)
        name = f"out-{next(self._names)}"
        session = OutgoingSession(self._core, name, flow, _sip_uri(to).bare, body, identity, fields)
        self._layer.counters.outgoing_calls += 1
        session.begin(timeout, now=now)
        return name

    def request(
        self,
        flow: Flow,
        method: str,
        to: str,
        *,
        identity: Identity,
        fields: Fields = (),
        body: bytes = b"",
        now: float,
    ) -> str:
        """Send a request outside of a dialog; RequestAnswered with the resulting name follows.

        fields: what this method needs beyond RFC 3261 §8.1.1; Content-Type for a body. Raises
        LocalProtocolError for what is no SIP URI, and when too much is under way.
        """
        if self._layer.full:
            raise LocalProtocolError("there are too many requests")
        _check(identity)
        uri = _sip_uri(to).bare
        name = f"req-{next(self._names)}"
        speaker = Speaker(self._layer, identity, without_password(str(uri)))
        draft = speaker.draft(method, str(uri), fields, body)
        self._layer.ask(draft, flow, partial(self._request_answered, name), now=now)
        return name

    def _request_answered(self, name: str, answer: Response | Failure, now: float) -> None:
        if isinstance(answer, Failure):
            self.outbox.append(
                RequestAnswered(name, answer.value, reason_phrase(answer.value), None)
            )
        elif answer.status >= 200:
            self.outbox.append(
                RequestAnswered(name, answer.status, words_of(answer.reason), answer)
            )

    def ring(self, call: str, *, body: bytes | None = None, now: float) -> None:
        """180, or 183 with a session description; reliably where the peer can (RFC 3262)."""
        if session := self._incoming(call):
            session.ring(body, now=now)

    def accept(self, call: str, body: bytes, *, now: float) -> None:
        """200 with our answer, or our offer if the call came without; repeated until ACK."""
        if session := self._incoming(call):
            session.accept(body, now=now)

    def reject(self, call: str, status: int, *, headers: Fields = (), now: float) -> None:
        """Refuse a ringing call with this status (300…699)."""
        if session := self._incoming(call):
            session.reject(status, headers, now=now)

    def hang_up(self, call: str, *, status: int = 480, now: float) -> None:
        """End a call in whatever state; status is for one that rings here still."""
        if session := self._session(call):
            session.hang_up(status, now=now)

    def info(self, call: str, content_type: str, body: bytes, *, now: float) -> None:
        """Send an INFO within an established call."""
        if session := self._session(call):
            session.info(content_type, body, now=now)

    def reinvite(self, call: str, body: bytes, *, now: float) -> None:
        """Offer a new session description; AnswerReceived tells what came of it."""
        if session := self._session(call):
            session.reinvite(body, now=now)

    def move(self, call: str, flow: Flow, body: bytes, *, now: float) -> None:
        """Go on with an answered call by another flow, since an address of ours is gone.

        body: an offer that names the other; AnswerReceived tells what came of it.
        """
        if session := self._session(call):
            session.move(flow, body, now=now)

    def answer_offer(self, call: str, body: bytes, *, now: float) -> None:
        """Agree to what OfferReceived has brought."""
        if session := self._session(call):
            session.answer_offer(body, now=now)

    def reject_offer(self, call: str, status: int, *, now: float) -> None:
        """Refuse what OfferReceived has brought; the call goes on as it was."""
        if session := self._session(call):
            session.reject_offer(status, now=now)

    # --- watchers and transfers ------------------------------------------------------------

    @property
    def watched(self) -> KeysView[str]:
        """The extensions that somebody watches (RFC 4235), as they change."""
        return self._server.watchers.extensions

    def show(self, extension: str, dialogs: tuple[ShownDialog, ...], *, now: float) -> None:
        """Tell who watches an extension what goes on there; what is known already is not told."""
        self._server.watchers.show(extension, dialogs, now=now)

    def dismiss_watchers(self, *, now: float) -> None:
        """Tell all watchers that nothing more is told for a while."""
        self._server.watchers.end_all(now=now)

    def report_transfer(self, call: str, status: int, *, now: float) -> None:
        """What has come of TransferAsked: the status of the call that was made for it.

        The call that asked for it may be over; its other side is told nevertheless.
        """
        self._server.referrals.report(call, status, now=now)

    def _session(self, call: str) -> ModifiableSession | None:
        session = self._core.sessions.get(call)
        return None if session is None or session.told else session

    def _incoming(self, call: str) -> IncomingSession | None:
        session = self._session(call)
        return session if isinstance(session, IncomingSession) else None


def _sip_uri(text: str) -> Uri:
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError as e:
        raise LocalProtocolError(f"not a URI: {readable(text)!r}") from e
    if not uri.is_sip:
        raise LocalProtocolError(f"not a SIP URI: {readable(text)!r}")
    return uri


def _check(identity: Identity) -> None:
    """Raises LocalProtocolError."""
    _sip_uri(identity.uri)
    for value in identity.route:
        try:
            uri = NameAddr.parse(value).uri
        except RemoteProtocolError as e:
            raise LocalProtocolError(f"not a route: {readable(value)!r}") from e
        if not uri.is_sip:
            raise LocalProtocolError(f"not a route: {readable(value)!r}")
