"""Transfers: REFER within a call, and telling what came of it. RFC 3515, 3892, 4488, 7647.

Who follows one calls where it is sent; the peer that sent it learns by NOTIFY what came of that,
and is expected to take leave.
"""

from typing import Final
from urllib.parse import unquote_to_bytes

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.capabilities import Fields
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog
from sipstrobe.sip.exchange import Serving
from sipstrobe.sip.grammar import parse_params
from sipstrobe.sip.headers import NameAddr
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import TransferAsked
from sipstrobe.sip.reasons import reason_phrase
from sipstrobe.sip.session import Session
from sipstrobe.sip.subscription import Subscription, event_value
from sipstrobe.sip.uri import Uri

FRAGMENT_TYPE: Final = "message/sipfrag;version=2.0"  # RFC 3420
PATIENCE: Final = 32.0  # seconds beyond those that our call may take to be answered
DECLINED: Final = 603
PENDING: Final = 491


class Referral(Subscription):
    """The peer's implicit subscription to what comes of its REFER: RFC 3515 §2.4.4."""

    __slots__ = ("_status",)

    def __init__(self, core: Core, dialog: Dialog, contact: tuple[str, str], event: str) -> None:
        super().__init__(core, dialog, contact, event)
        self._status = 100

    def report(self, status: int, *, now: float) -> None:
        self._status = status
        if status < 200:
            self.changed(now=now)
        else:
            self.end("noresource", now=now)

    def compose(self) -> tuple[str, bytes]:
        line = f"SIP/2.0 {self._status} {reason_phrase(self._status)}\r\n"
        return FRAGMENT_TYPE, line.encode()


class Referrals:
    """The transfers under way, one a call at most."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._pending: dict[str, Referral | None] = {}  # by call; None: nobody wants to know

    def take(
        self, session: Session, serving: Serving, request: Request, dialog: Dialog, *, now: float
    ) -> None:
        """A REFER within the dialog of a call. Raises RemoteProtocolError."""
        settings = self._core.settings
        if not settings.follow_transfers or not session.established:
            serving.respond(DECLINED, now=now)
        elif session.name in self._pending:
            serving.respond(PENDING, now=now)
        else:
            uri, fields = _target(request)
            silent = (request.headers.first("Refer-Sub") or "").strip().lower() == "false"
            quiet: Fields = (("Refer-Sub", "false"),) if silent else ()  # RFC 4488 §4
            serving.respond(202, headers=(session.contact, *quiet), now=now)
            referral = None
            if not silent:
                event = event_value("refer", str(request.cseq.number))
                referral = Referral(self._core, dialog, session.contact, event)
                referral.last(settings.calling_timeout + PATIENCE, now=now)
                referral.report(100, now=now)
            self._pending[session.name] = referral
            self._core.outbox.append(TransferAsked(session.name, uri, fields))

    def report(self, call: str, status: int, *, now: float) -> None:
        """What has come of the transfer that this call has asked for; the last word is ≥ 200."""
        referral = self._pending.get(call)
        if status >= 200:
            self._pending.pop(call, None)
        if referral is not None:
            referral.report(status, now=now)


def _target(request: Request) -> tuple[str, Fields]:
    """Whom to call, and what to tell them. Raises RemoteProtocolError."""
    value = request.headers.only("Refer-To")
    if value is None:
        raise RemoteProtocolError("no Refer-To")  # RFC 3515 §2.4.2
    uri = NameAddr.parse(value).uri
    if not uri.is_sip:
        raise RemoteProtocolError(f"cannot call a {uri.scheme} URI", status=416)
    if uri.params.get("method", "INVITE").upper() != "INVITE":
        raise RemoteProtocolError("a REFER to something else than a call", status=DECLINED)
    fields: list[tuple[str, str]] = []
    for name, text in uri.headers:
        if name.lower() == "replaces":  # RFC 3891 §3; others are not ours to say: RFC 3261 §19.1.5
            fields += [("Replaces", _replaces(text)), ("Require", "replaces")]
    referrer = request.headers.only("Referred-By")
    if referrer is not None:
        fields.append(("Referred-By", str(NameAddr.parse(referrer))))  # RFC 3892 §2.2
    return _callable(uri), tuple(fields)


def _replaces(text: str) -> str:
    """The value of Replaces out of the header of a URI."""
    value = unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "replace")
    call_id, semicolon, params = value.partition(";")
    tags = parse_params(semicolon + params)
    if not (call_id and value.isprintable() and tags.get("to-tag") and tags.get("from-tag")):
        raise RemoteProtocolError("bad Replaces")
    return value


def _callable(uri: Uri) -> str:
    """The URI without headers and method, as it can stand in an INVITE."""
    address, *params = str(uri.bare).split(";")
    kept = [param for param in params if not param.lower().startswith("method=")]
    return ";".join([address, *kept])
