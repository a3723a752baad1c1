"""HTTP/1.0 requests whose body goes on until its sender closes the connection.

RFC 1945 §7.2.2 wants a Content-Length of every body, and parsers take a request without one to have
none. Senders of live audio cannot know theirs, and some leave it out. Such a request is given the
largest length that there can be, before it is parsed.
"""

import re
from collections.abc import Callable
from typing import Final

HEAD_MAX: Final = 8192  # bytes
_METHOD = b"POST "
_LENGTH = b"\r\nContent-Length: 9223372036854775807"
_FRAMED = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


class UnframedBody:
    """Looks at how a connection begins, until it is known whether that is such a request."""

    def __init__(self, is_endless: Callable[[str], bool]) -> None:
        """is_endless: whether to this path a body may be sent that has no end."""
        self._is_endless = is_endless
        self._head: bytes | None = b""  # None: it is known

    def __call__(self, data: bytes) -> bytes:
        """What the parser is to be given, of this and of what was kept back before."""
        if self._head is None:
            return data
        head = self._head + data
        self._head = None
        if head[: len(_METHOD)] != _METHOD[: len(head)] or len(head) > HEAD_MAX:
            return head
        line, ended, _ = head.partition(b"\r\n")
        if ended and not line.endswith(b" HTTP/1.0"):
            return head
        end = head.find(b"\r\n\r\n")
        if end < 0:
            self._head = head
            return b""
        path = line[len(_METHOD) :].partition(b" ")[0].partition(b"?")[0]
        if _FRAMED.search(head, 0, end) or not self._is_endless(path.decode("latin-1")):
            return head
        return head[:end] + _LENGTH + head[end:]
