"""SIP messages out of the bytes of a stream: RFC 3261 §7.5, §18.3; keep-alives: RFC 5626 §3.5.1."""

import re
from collections import deque

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.message import MAX_MESSAGE_BYTES

PING = b"\r\n\r\n"
PONG = b"\r\n"  # what a PING is answered with

_LINE_BREAK = b"\r\n"
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*+:((?:[^\r\n]|\r\n[ \t])*+)(?=\r\n)", re.IGNORECASE
)


class Framer:
    """Cut one connection's bytes into whole messages.

    Feed what was received; take messages, and PING where the peer asks for a PONG, from `outbox`.
    When framing is lost `feed` raises RemoteProtocolError, now and ever after, and what came before
    is in the outbox: nothing sensible can follow on this connection.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.outbox: deque[bytes] = deque()
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0  # the header does not end before this
        self._needed = 0  # size of the message that has begun; 0: not known yet
        self._line_breaks = 0  # since the last message or PING
        self._failure: RemoteProtocolError | None = None

    @property
    def waiting_bytes(self) -> int:
        """How much of an unfinished message is kept."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> None:
        """Raises RemoteProtocolError with status 400, or 513 for more than max_bytes."""
        if self._failure is not None:
            raise self._failure
        self._buffer += chunk
        try:
            while self._buffer and self._take_one():
                pass
        except RemoteProtocolError as failure:
            self._failure = failure
            self._buffer.clear()
            raise

    def _take_one(self) -> bool:
        """Take a line break between messages, or a message; False if more bytes are needed."""
        buffer = self._buffer
        if not self._needed:
            if buffer[0] in _LINE_BREAK:
                return self._take_line_break()
            self._needed = self._find_size()
        if not self._needed or len(buffer) < self._needed:
            return False
        self.outbox.append(bytes(buffer[: self._needed]))
        del buffer[: self._needed]
        self._searched = self._needed = self._line_breaks = 0
        return True

    def _take_line_break(self) -> bool:
        if len(self._buffer) < 2:
            return False
        if not self._buffer.startswith(_LINE_BREAK):
            raise RemoteProtocolError("half a line break between messages")
        del self._buffer[:2]
        self._line_breaks += 1
        if self._line_breaks == 2:
            self._line_breaks = 0
            self.outbox.append(PING)
        return True

    def _find_size(self) -> int:
        """The size of the message at the front of the buffer, 0 if its header is not all there."""
        end = self._buffer.find(_HEAD_END, self._searched)
        size = len(self._buffer) if end < 0 else end + 4 + self._body_size(end)
        if size > self._max_bytes:
            raise RemoteProtocolError("message too large", status=513)
        self._searched = max(0, len(self._buffer) - 3)
        return 0 if end < 0 else size

    def _body_size(self, end: int) -> int:
        stated = {value.strip() for value in _LENGTH.findall(self._buffer, 0, end + 2)}
        if len(stated) != 1:  # RFC 3261 §18.3: on a stream there must be one
            raise RemoteProtocolError("no Content-Length, or several, on a stream")
        digits = stated.pop()
        if not digits.isdigit() or len(digits) > 10:
            raise RemoteProtocolError("bad Content-Length on a stream")
        return int(digits)
