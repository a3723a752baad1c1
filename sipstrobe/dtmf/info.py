"""Digits in SIP INFO: the bodies ``application/dtmf-relay`` and ``application/dtmf``.

No RFC describes them (RFC 6086 §1 leaves them as they were found); what is taken here is what
phones and PBXs send: ``Signal=5`` on a line of its own, with other lines about it, or ``5`` alone.
"""

import re
from typing import Final

from sipstrobe.dtmf.event import DIGITS
from sipstrobe.dtmf.sign import Sign
from sipstrobe.errors import RemoteProtocolError

RELAY: Final = "application/dtmf-relay"
PLAIN: Final = "application/dtmf"
MAX_BODY_BYTES: Final = 256
_CODE: Final = re.compile(r"[0-9]{2}")
_LENGTH: Final = re.compile(r"[0-9]{1,6}")  # in milliseconds


def sign_of(content_type: str, body: bytes) -> Sign | None:
    """The digit in the body of an INFO, and how long it was pressed; None for other signals, such
    as flash.

    content_type in lower case, without parameters. Raises RemoteProtocolError for what is no DTMF.
    """
    if content_type not in (RELAY, PLAIN) or len(body) > MAX_BODY_BYTES:
        raise RemoteProtocolError(f"no DTMF: {content_type}, {len(body)} bytes", status=415)
    text = body.decode("ascii", "replace")
    signal = _value(text, "signal") if content_type == RELAY else text.strip()
    if not signal:
        raise RemoteProtocolError("DTMF without a signal")
    digit = _digit(signal)
    if digit is None:
        return None
    said = _value(text, "duration")
    milliseconds = int(said) if _LENGTH.fullmatch(said) else 0
    return Sign(digit, begins=True, seconds=milliseconds / 1000, ended=True)


def body_of(code: int, seconds: float) -> bytes:
    """The body of an INFO of the type `RELAY`. code: of RFC 4733 §3.2."""
    return f"Signal={DIGITS[code]}\r\nDuration={round(seconds * 1000)}\r\n".encode()


def _digit(signal: str) -> str | None:
    if _CODE.fullmatch(signal):  # of RFC 4733 §3.2
        code = int(signal)
        return DIGITS[code] if code < len(DIGITS) else None
    signal = signal.upper()
    return signal if len(signal) == 1 and signal in DIGITS else None


def _value(text: str, wanted: str) -> str:
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() == wanted:
            return value.strip()
    return ""
