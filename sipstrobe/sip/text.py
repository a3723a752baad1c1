"""Text messages to people: RFC 3428."""

from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.capabilities import TEXT_TYPE
from sipstrobe.sip.grammar import parse_params, unfold
from sipstrobe.sip.message import Request

MAX_TEXT_BYTES: Final = 1300  # RFC 3428 §8: what fits through every network
_CODECS: Final = {"utf-8": "utf-8", "us-ascii": "utf-8", "iso-8859-1": "latin-1"}


def text_of(request: Request) -> str:
    """What a MESSAGE says, printable and on one line; "" for nothing that can be read.

    Raises RemoteProtocolError: 513 for more than MAX_TEXT_BYTES, 415 for an unknown charset.
    """
    if len(request.body) > MAX_TEXT_BYTES:
        raise RemoteProtocolError(f"a text of more than {MAX_TEXT_BYTES} bytes", status=513)
    if not request.body or request.content_type != TEXT_TYPE:
        return ""
    content_type = unfold(request.headers.first("Content-Type") or "")
    _, semicolon, params = content_type.partition(";")
    charset = parse_params(semicolon + params).get("charset", "utf-8").lower()
    codec = _CODECS.get(charset)
    if codec is None:
        raise RemoteProtocolError(f"unknown charset: {charset[:40]!r}", status=415)
    text = request.body.decode(codec, "replace")
    return "".join([c if c.isprintable() else " " for c in text]).strip()
