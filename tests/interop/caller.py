"""A caller whose every byte is chosen by the test: SIP messages as text, over plain sockets."""

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

_serials: "Iterator[int]" = count(1)

OFFER = (
    "v=0\r\no=test 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {media} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
)


@dataclass
class Dialogue:
    """The messages of one caller. own: the port of this side; media: where it wants sound."""

    port: int
    own: int
    extension: str = "1099"
    transport: str = "UDP"
    media: int = 9  # discard
    offered: str = OFFER
    to_tag: str = ""
    pressed: int = 0
    name: str = field(default_factory=lambda: f"{next(_serials)}")

    @property
    def call_id(self) -> bytes:
        return f"{self.name}@127.0.0.1:{self.own}".encode()

    def invite(self) -> bytes:
        offer = self.offered.format(media=self.media)
        return self._message("INVITE", 1, "Content-Type: application/sdp\r\n", offer)

    def cancel(self) -> bytes:
        return self._message("CANCEL", 1)

    def ack(self) -> bytes:
        return self._message("ACK", 1, branch="ack")

    def ack_of_refusal(self) -> bytes:
        """RFC 3261 §17.1.1.3: it belongs to the INVITE's transaction."""
        return self._message("ACK", 1)

    def info(self, digit: str) -> bytes:
        """A key is pressed, once in a call; the BYE comes after it."""
        self.pressed = 1
        fields = "Content-Type: application/dtmf-relay\r\n"
        return self._message("INFO", 2, fields, f"Signal={digit}\r\nDuration=160\r\n", "info")

    def bye(self) -> bytes:
        return self._message("BYE", 2 + self.pressed, branch="bye")

    def options(self) -> bytes:
        return self._message("OPTIONS", 3, branch="options")

    def take(self, response: bytes) -> int:
        """Note the tag of the other side; the status."""
        if tag := re.search(rb"^To:.*;tag=([^;\r]+)", response, re.MULTILINE):
            self.to_tag = tag[1].decode()
        return status(response)

    def _message(
        self, method: str, number: int, fields: str = "", body: str = "", branch: str = "invite"
    ) -> bytes:
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        own = f"127.0.0.1:{self.own}"
        return (
            f"{method} sip:{self.extension}@127.0.0.1:{self.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.transport} {own};branch=z9hG4bK{self.name}{branch};rport\r\n"
            f"From: <sip:test@{own}>;tag=from{self.name}\r\n"
            f"To: <sip:{self.extension}@127.0.0.1:{self.port}>{tag}\r\n"
            f"Call-ID: {self.call_id.decode()}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:test@{own};transport={self.transport.lower()}>\r\n"
            f"{fields}Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def status(response: bytes) -> int:
    """The status of a response."""
    found = re.match(rb"SIP/2\.0 (\d{3}) ", response)
    assert found is not None, response
    return int(found[1])


class Wire:
    """A UDP socket of a caller."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self.patience(20.0)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def own(self) -> int:
        return int(self._socket.getsockname()[1])

    def patience(self, seconds: float) -> None:
        """How long to wait for a datagram, until TimeoutError."""
        self._socket.settimeout(seconds)

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def receive(self) -> bytes:
        return self._socket.recv(65536)

    def final(self) -> bytes:
        """The next final response."""
        while status(response := self.receive()) < 200:
            pass
        return response


class Line:
    """A TCP connection that is cut into messages by Content-Length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    @property
    def own(self) -> int:
        return int(self._socket.getsockname()[1])

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """The next message; TimeoutError after 5 s."""
        while (message := self._cut()) is None:
            chunk = self._socket.recv(65536)
            assert chunk, "the other side has closed the connection"
            self._unread += chunk
        return message

    def receive_pong(self) -> bytes:
        while len(self._unread) < 2:
            self._unread += self._socket.recv(65536)
        pong, self._unread = self._unread[:2], self._unread[2:]
        return pong

    def final(self) -> bytes:
        """The next final response."""
        while status(response := self.receive()) < 200:
            pass
        return response

    def close(self) -> None:
        self._socket.close()

    def _cut(self) -> bytes | None:
        head, found, rest = self._unread.partition(b"\r\n\r\n")
        if not found:
            return None
        length = re.search(rb"^Content-Length: *(\d+)", head, re.MULTILINE)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return None
        self._unread = rest[size:]
        return head + found + rest[:size]
