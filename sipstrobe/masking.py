"""Text that people are shown, without what nobody must learn from it.

What is logged holds no secret in the first place (see `secret`); a SIP message does, and so may the
words of a library or of a peer.
"""

import re
from typing import Final

MASK: Final = "***"

_SECRETS: Final = re.compile(
    r"""
      (?P<before>
        \b(?:response|cnonce|nextnonce|rspauth)\s*=\s*"?      # RFC 3261 §22, RFC 7616 §3.4
      | \b(?:proxy-)?authorization\s*:\s*(?:basic|bearer)\s+  # RFC 7617, RFC 6750
      | \bbearer\s+(?=[A-Za-z0-9._~+/=-]{16})
      | \binline:                                             # RFC 4568 §6.1
      | \ba=ice-pwd:                                          # RFC 8839 §5.4
      | ^k=(?:clear|base64|uri):                              # RFC 4566 §5.12
      | ^Signal\s*=\s*                                        # a key, perhaps of a PIN, in an INFO
      | \b(?:password|passwd|passphrase|secret|token|pin)"?\s*[=:]\s*"?(?=[^\s"*])
      )
      [^\s",;|]+
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
"""What stands before a secret, and the secret."""

_WORDS: Final = (
    *("response", "nonce", "rspauth", "authorization", "bearer", "cookie", "inline:", "ice-pwd"),
    *("k=", "signal", "passw", "passphrase", "secret", "token", "pin"),
)
"""One of them is in each: to look for these costs a twentieth."""

_COOKIE: Final = re.compile(r"(\bcookie\s*:\s*)[^\r\n]+", re.IGNORECASE)  # RFC 6265

_LOGIN: Final = re.compile(
    r"""(\b[a-z][a-z0-9+.-]{1,15}:(?://)?[^\s/:@;<>"]{1,128}:)[^\s@<>"]{1,128}(?=@)""",
    re.IGNORECASE,
)
"""A password in a URI, between the user and the host."""

_KEYS: Final = re.compile(
    r"(?P<head>^Content-Type\s*:\s*(?:application/dtmf|audio/telephone-event)\s*$.*?^\s*$\n?).+",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
"""A body that is nothing but the keys that somebody has pressed."""


def masked(text: str) -> str:
    """The text with *** in place of passwords, digests, keys of media, tokens, and cookies."""
    lower = text.lower()
    if any(word in lower for word in _WORDS):
        text = _COOKIE.sub(_mask, _SECRETS.sub(_mask, text))
    return _LOGIN.sub(_mask, text) if "@" in text else text


def masked_message(text: str) -> str:
    """The same of a whole SIP message, whose body may be a PIN."""
    return _KEYS.sub(lambda found: found["head"] + MASK, masked(text))


def whole(text: str) -> str:
    """The text with half characters written out: what came over a wire and was no UTF-8 is carried
    as such (surrogateescape), and neither JSON nor a disk takes it."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _mask(found: re.Match[str]) -> str:
    return found[1] + MASK
