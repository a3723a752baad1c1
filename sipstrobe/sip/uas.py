"""User agent server: what a request means, and who works on it. RFC 3261 §8.2, §9.2, §12.2.2.

A request that needs no memory is answered without any (RFC 3261 §8.2.7): OPTIONS, and all that is
turned down before it makes or reaches a call.
"""

from collections.abc import Callable, Iterator
from ipaddress import ip_address

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.callee import IncomingSession
from sipstrobe.sip.capabilities import CAPABILITIES, Fields, refusal
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog, contact, dialog_key
from sipstrobe.sip.exchange import ServerKey, Serving
from sipstrobe.sip.layer import RETRY_AFTER, merge_key, server_key
from sipstrobe.sip.limits import ASTRAY
from sipstrobe.sip.message import Message, Request, received_from, validate
from sipstrobe.sip.modify import MIN_SE
from sipstrobe.sip.outputs import CallDenied, TextReceived
from sipstrobe.sip.referral import Referrals
from sipstrobe.sip.session_timer import too_brief
from sipstrobe.sip.text import text_of
from sipstrobe.sip.transport import Flow
from sipstrobe.sip.watchers import Watchers

MAX_BEHIND = 0.25  # seconds; half of T1, before a caller begins to repeat itself
_GUARDED = ("INVITE", "SUBSCRIBE", "REFER", "MESSAGE")  # outside of dialogs
_OVERLOADED: Fields = (("Retry-After", str(RETRY_AFTER)),)
_NOT_ENCRYPTED: Fields = (("Warning", '380 - "SIPS Not Allowed"'),)  # RFC 5630 §5.3, §8.1


class UserAgentServer:
    """Take requests: absorb repeated ones, refuse bad ones, give the rest to their call."""

    def __init__(self, core: Core, names: Iterator[int]) -> None:
        self._core = core
        self._layer = core.layer
        self._names = names
        self.watchers = Watchers(core)
        self.referrals = Referrals(core)
        self.behind = 0.0  # seconds that the message in hand had to wait for us

    @property
    def full(self) -> bool:
        """No further call can be taken on."""
        return self._layer.full or self._busy

    @property
    def _busy(self) -> bool:
        """There are as many calls as the settings allow."""
        return len(self._core.sessions) >= self._core.settings.max_calls

    def _may_hold(self, flow: Flow) -> bool:
        """No single source takes all calls for itself."""
        return self._layer.limits.may_hold(flow.remote.host, self._core.settings.max_calls)

    def take(self, request: Request, flow: Flow, *, now: float) -> None:
        """Raises RemoteProtocolError for a request that cannot be understood."""
        key = server_key(request)
        serving = self._layer.servers.get(key)
        if request.method == "ACK":
            self._take_ack(request, flow, serving, now)
        elif serving is not None:
            self._layer.counters.absorbed += 1
            serving.repeated(now=now)
        else:
            request = received_from(request, flow.remote.host, flow.remote.port)
            validate(request)
            read_all(request)
            if request.method == "CANCEL":
                self._take_cancel(request, flow, key, now)
            elif found := refusal(request):
                self._refuse(request, flow, found.status, found.fields)
            elif request.request_uri.scheme == "sips" and not flow.transport.secure:
                self._refuse(request, flow, 480, _NOT_ENCRYPTED)
            elif self._would_be_forwarded(request, flow):
                self._refuse(request, flow, 483)
            elif request.to.tag:
                self._take_within_dialog(request, flow, key, now)
            else:
                self._take_outside(request, flow, key, now)

    def _would_be_forwarded(self, request: Request, flow: Flow) -> bool:
        """It may go no further (RFC 3261 §8.1.1.6) and is for another address than ours.

        A name may well be one of ours, which only the DNS knows.
        """
        if request.max_forwards != 0:
            return False
        ours = (flow.local.host, self._layer.mappings.reached_at(flow).host)
        try:
            asked = ip_address(request.request_uri.host)
            return all(asked != ip_address(host) for host in ours)
        except ValueError:
            return False

    def _refuse(self, request: Request, flow: Flow, status: int, fields: Fields = ()) -> None:
        self._layer.counters.refused += 1
        self._layer.reply(request, flow, status, fields)

    def _refuse_more(self, request: Request, flow: Flow) -> None:
        self._layer.counters.overloaded += 1
        self._refuse(request, flow, 503, _OVERLOADED)

    # --- ACK and CANCEL --------------------------------------------------------------------

    def _take_ack(self, request: Request, flow: Flow, serving: Serving | None, now: float) -> None:
        """To a rejection it belongs to the transaction, to a 2xx to the call."""
        limits = self._layer.limits
        if serving is not None and not serving.accepted:
            if serving.tag == request.to.tag:
                limits.prove(flow.remote.host)
            serving.ack(now=now)
            return
        found = self._core.dialogs.get(dialog_key(request))
        if found is None or request.cseq.method != "ACK":
            if request.to.tag == self._layer.tag_without_memory(request, flow):
                limits.prove(flow.remote.host)  # it acknowledges a rejection that we forgot at once
                return
            self._layer.counters.stray += 1
            limits.charge(flow.remote.host, ASTRAY, now=now)
            return
        limits.prove(flow.remote.host)
        _ = request.content_type  # refused here, if at all
        found[0].acknowledged(request, now=now)

    def _take_cancel(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        """RFC 3261 §9.2: it is answered for itself, and INVITE with 487 if that still waits."""
        invite = self._layer.servers.get((*key[:-1], "INVITE"))
        if invite is None:
            self._refuse(request, flow, 481)
            return
        self._layer.reply(request, flow, 200, to_tag=invite.tag)
        if invite.cancelled is not None:
            invite.cancelled(now)

    # --- within a dialog -------------------------------------------------------------------

    def _take_within_dialog(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        if request.method == "SUBSCRIBE":
            self._take_refresh(request, flow, key, now)
            return
        found = self._core.dialogs.get(dialog_key(request))
        if found is None:
            self._layer.limits.charge(flow.remote.host, ASTRAY, now=now)
            self._refuse(request, flow, 481)
            return
        self._layer.limits.prove(flow.remote.host)
        session, dialog = found
        if self._layer.full and request.method != "BYE":
            self._refuse_more(request, flow)
        elif not dialog.in_order(request):
            self._refuse(request, flow, 500)
        elif request.method == "OPTIONS":
            self._layer.reply(request, flow, 200, CAPABILITIES)
        elif request.method == "MESSAGE":
            self._take_text(request, flow, key, now)
        else:
            dialog.flow = flow
            serving = self._layer.serve(request, flow, key, now=now)
            try:
                if request.method == "REFER":
                    self.referrals.take(session, serving, request, dialog, now=now)
                else:
                    session.receive(serving, request, dialog, now=now)
            except RemoteProtocolError as e:
                if serving.open:
                    serving.respond(e.status, now=now)

    def _take_refresh(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        found = self.watchers.find(request)
        if found is None:
            self._layer.limits.charge(flow.remote.host, ASTRAY, now=now)
            self._refuse(request, flow, 481)
            return
        self._layer.limits.prove(flow.remote.host)
        if self._layer.full:
            self._refuse_more(request, flow)
        elif not found.dialog.in_order(request):
            self._refuse(request, flow, 500)
        else:
            _ = contact(request)  # refused if it cannot be reached
            serving = self._layer.serve(request, flow, key, now=now)
            self.watchers.refresh(found, serving, request, flow, now=now)

    # --- outside of dialogs ----------------------------------------------------------------

    def _take_outside(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        if request.method in _GUARDED and self._denied(request, flow, now):
            return
        match request.method:
            case "OPTIONS":
                self._layer.reply(request, flow, 200, CAPABILITIES)
            case "INVITE":
                self._take_invite(request, flow, key, now)
            case "MESSAGE" | "SUBSCRIBE" if not self._core.settings.allow_incoming:
                self._refuse(request, flow, 403)
            case "MESSAGE":
                self._take_text(request, flow, key, now)
            case "SUBSCRIBE":
                self._take_subscribe(request, flow, key, now)
            case "REFER":  # RFC 3515 §2.4.2: nobody but who talks to us sends us elsewhere
                self._refuse(request, flow, 403)
            case _:
                self._refuse(request, flow, 481)

    def _denied(self, request: Request, flow: Flow, now: float) -> bool:
        denial = self._core.guard.denial(request, flow, now=now)
        if denial is None:
            return False
        self._refuse(request, flow, denial.status, denial.fields)
        if denial.why and request.method == "INVITE":
            self._core.outbox.append(CallDenied(flow, request, denial.why))
        return True

    def _take_text(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        """RFC 3428 §7. It is answered in a transaction, so that it is read once."""
        text = text_of(request)
        if self._layer.full:
            self._refuse_more(request, flow)
        elif merge_key(request) in self._layer.merging:
            self._refuse(request, flow, 482)
        else:
            serving = self._layer.serve(request, flow, key, now=now)
            self._layer.note_merging(serving, request)
            serving.respond(200, now=now)
            if text:
                self._core.outbox.append(TextReceived(flow, request, text))

    def _take_subscribe(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        if found := self.watchers.refusal(request, flow):
            self._refuse(request, flow, found.status, found.fields)
        elif self._layer.full:
            self._refuse_more(request, flow)
        elif merge_key(request) in self._layer.merging:
            self._refuse(request, flow, 482)
        else:
            serving = self._layer.serve(request, flow, key, now=now)
            self._layer.note_merging(serving, request)
            self.watchers.take(serving, request, flow, now=now)

    def _take_invite(self, request: Request, flow: Flow, key: ServerKey, now: float) -> None:
        _ = contact(request)  # refused if it cannot be reached
        mark = self._layer.mark
        if any(mark in line for line in request.headers.lines("Via")):
            self._refuse(request, flow, 482)  # it has been sent by us
        elif merge_key(request) in self._layer.merging:
            self._refuse(request, flow, 482)  # RFC 3261 §8.2.2.2: it came on another path as well
        elif too_brief(request):
            self._refuse(request, flow, 422, MIN_SE)
        elif self._layer.full or self.behind > MAX_BEHIND:
            self._refuse_more(request, flow)
        elif self._busy or not self._may_hold(
            flow
        ):  # RFC 3261 §21.4.24; a 503 would make proxies take us for dead
            self._layer.counters.overloaded += 1
            self._refuse(request, flow, 486, _OVERLOADED)
        else:
            dialog = Dialog.as_uas(request, self._layer.new_tag(), flow)
            serving = self._layer.serve(request, flow, key, now=now)
            self._layer.note_merging(serving, request)
            self._layer.counters.incoming_calls += 1
            name = f"in-{next(self._names)}"
            self._core.begin_incoming(name, flow.remote.host)
            IncomingSession(self._core, name, serving, request, dialog, now)


def read_all(message: Message) -> None:
    """Read every field that the work on a message may ask for, so that nothing fails later.

    Raises RemoteProtocolError.
    """
    headers = message.headers
    _ = message.to, message.cseq, message.contacts
    if message.body:
        _ = message.content_type
    for name, read in _READERS:
        if name in headers:
            read(message)


_READERS: tuple[tuple[str, Callable[[Message], object]], ...] = (
    ("Record-Route", lambda message: message.record_routes),
    ("Session-Expires", lambda message: message.session_expires),
    ("Min-SE", lambda message: message.min_se),
    ("RSeq", lambda message: message.rseq),
    ("RAck", lambda message: message.rack),
    ("Expires", lambda message: message.expires),
    ("Require", lambda message: message.tokens("Require")),
    ("Supported", lambda message: message.tokens("Supported")),
)
