"""A caller asks to be answered at once: RFC 5373, and what intercoms and PBXs say instead.

Some say it in Alert-Info (``<sip:x>;info=alert-autoanswer;delay=0``, ``info=Auto Answer``), some in
Call-Info (``<sip:x>;answer-after=0``); no RFC describes these two.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import parse_params, split_commas
from sipstrobe.sip.message import Request

MAX_DELAY: Final = 60  # seconds; who wants to be answered later rings
_INFO: Final = ("alert-autoanswer", "auto answer", "auto-answer", "autoanswer", "intercom")


class AnswerWish(Struct, frozen=True):
    """after: seconds until the call is to be answered, None: not by itself. required: or not at
    all (RFC 5373 §4.4)."""

    after: float | None
    required: bool = False


def answer_wish(request: Request) -> AnswerWish | None:
    """What an INVITE says of how it is to be answered; None if nothing that can be understood.

    Priv-Answer-Mode is taken as Answer-Mode: whom to obey is decided before it comes to this.
    """
    for name in ("Priv-Answer-Mode", "Answer-Mode"):
        mode = request.headers.first(name)
        if mode is not None:
            return _of_mode(mode)
    for params in _params(request, "Alert-Info"):
        info = params.get("info", "").strip("<>").lower()
        if info in _INFO:
            return AnswerWish(_delay(params.get("delay", "0")))
    for params in _params(request, "Call-Info"):
        if "answer-after" in params:
            return AnswerWish(_delay(params["answer-after"]))
    return None


def _of_mode(text: str) -> AnswerWish | None:
    """RFC 5373 §4.1: ``Auto`` or ``Manual``, perhaps with ``;require``."""
    mode, semicolon, rest = text.partition(";")
    try:
        required = "require" in parse_params(semicolon + rest)
    except RemoteProtocolError:
        return None
    match mode.strip().lower():
        case "auto":
            return AnswerWish(0.0, required)
        case "manual":
            return AnswerWish(None, required)
        case _:
            return None


def _params(request: Request, name: str) -> Iterator[Mapping[str, str]]:
    """The parameters of each value; ``info=alert-autoanswer`` alone is taken for one as well."""
    for line in request.headers.all(name):
        try:
            for value in split_commas(line):
                yield parse_params(_after_uri(value))
        except RemoteProtocolError:
            continue  # what it says is not needed to take the call


def _after_uri(value: str) -> str:
    _, bracket, params = value.rpartition(">")
    if bracket:
        return params.strip()
    first, semicolon, rest = value.partition(";")
    return semicolon + rest if ":" in first else ";" + value


def _delay(text: str) -> float | None:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        return None
    seconds = int(text)
    return float(seconds) if seconds <= MAX_DELAY else None
