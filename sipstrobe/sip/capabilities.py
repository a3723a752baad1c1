"""What this end can do, and how a request that wants something else is refused. RFC 3261 §8.2."""

from msgspec import Struct

from sipstrobe.sip.grammar import parse_params, unfold
from sipstrobe.sip.headers import parse_media_type
from sipstrobe.sip.message import Request, Response

METHODS = (
    *("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "PRACK", "UPDATE"),
    *("MESSAGE", "REFER", "SUBSCRIBE"),
)
EXTENSIONS = ("100rel", "timer", "answermode", "norefersub")  # RFC 3262, 4028, 5373, 4488
_OTHER_METHODS = ("REGISTER", "NOTIFY", "PUBLISH")
SESSION_TYPE = "application/sdp"
TEXT_TYPE = "text/plain"
INFO_TYPES = ("application/dtmf-relay", "application/dtmf")
DIALOG_EVENT = "dialog"  # RFC 4235

Fields = tuple[tuple[str, str], ...]
ALLOW: Fields = (("Allow", ", ".join(METHODS)),)
ALLOW_EVENTS: Fields = (("Allow-Events", DIALOG_EVENT),)  # RFC 6665 §8.2.2
SUPPORTED: Fields = (("Supported", ", ".join(EXTENSIONS)),)
ALLOW_AND_SUPPORTED: Fields = ALLOW + SUPPORTED
CAPABILITIES: Fields = (  # RFC 3261 §11.2
    *ALLOW,
    *ALLOW_EVENTS,
    ("Accept", f"{SESSION_TYPE}, {TEXT_TYPE}"),
    ("Accept-Encoding", "identity"),
    ("Accept-Language", "en"),
    *SUPPORTED,
)
_INFO_ACCEPT: Fields = (("Accept", ", ".join(INFO_TYPES)), ("Accept-Encoding", "identity"))
_TEXT_ACCEPT: Fields = (("Accept", TEXT_TYPE), ("Accept-Encoding", "identity"))
_SESSION_ACCEPT: Fields = (("Accept", SESSION_TYPE), ("Accept-Encoding", "identity"))
_WITH_SESSION = ("INVITE", "UPDATE", "PRACK", "ACK")


class Refusal(Struct, frozen=True):
    """A response that turns a request down."""

    status: int
    fields: Fields = ()


def refusal(request: Request) -> Refusal | None:
    """Why a request cannot be worked on whatever its dialog, in the order of RFC 3261 §8.2."""
    if request.method not in METHODS:
        # RFC 3261 §8.2.1 and §21.5.2: known but not for us, or not known at all.
        return Refusal(405 if request.method in _OTHER_METHODS else 501, ALLOW)
    if not request.request_uri.is_sip:
        return Refusal(416)
    if "Require" in request.headers:
        unknown = [tag for tag in request.tokens("Require") if tag.lower() not in EXTENSIONS]
        if unknown:
            return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if request.body and (found := _refuse_body(request)):
        return found
    if request.method == "INVITE" and "Accept" in request.headers and not _accepts_session(request):
        return Refusal(406, (("Accept", SESSION_TYPE),))
    return None


def session_of(message: Request | Response) -> bytes | None:
    """The session description that a message carries; None if there is none."""
    return message.body if message.body and message.content_type == SESSION_TYPE else None


def _refuse_body(request: Request) -> Refusal | None:
    """RFC 3261 §8.2.3: the type and the encoding must be known, unless they are optional."""
    types, accept = (SESSION_TYPE,), _SESSION_ACCEPT
    if request.method == "INFO":
        types, accept = INFO_TYPES, _INFO_ACCEPT
    elif request.method == "MESSAGE":
        types, accept = (TEXT_TYPE,), _TEXT_ACCEPT
    elif request.method not in _WITH_SESSION:
        return None  # nothing depends on it
    encoding = request.headers.first("Content-Encoding")
    known = request.content_type in types and (not encoding or encoding.lower() == "identity")
    return None if known or _is_optional(request) else Refusal(415, accept)


def _is_optional(request: Request) -> bool:
    disposition = unfold(request.headers.first("Content-Disposition") or "")
    _, semicolon, params = disposition.partition(";")
    return parse_params(semicolon + params).get("handling", "").lower() == "optional"


def _accepts_session(request: Request) -> bool:
    values = [v for line in request.headers.all("Accept") for v in line.split(",") if v.strip()]
    ranges = {parse_media_type(value.strip()) for value in values}
    return not ranges.isdisjoint((SESSION_TYPE, "application/*", "*/*"))
