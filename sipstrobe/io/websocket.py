"""SIP or MQTT over WebSocket on bytes, without sockets: RFC 6455, RFC 7118 §4; both ends.

A channel over another one: over none for ws, over TLS for wss.
"""

import contextlib

from msgspec import Struct
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError as WrongState
from wsproto.utilities import RemoteProtocolError as BadHandshake

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.connection import Channel

MAX_REQUEST_BYTES = 16 * 1024  # of HTTP, which wsproto does not bound when it comes in one piece
_GREETING = b"This port is for phones in browsers: SIP over WebSocket, RFC 7118.\r\n"


class Subprotocol(Struct, frozen=True):
    """What is spoken. stream: where messages begin and end says nothing."""

    name: str
    words: str
    target: str = "/"
    stream: bool = False


SIP = Subprotocol("sip", "SIP")  # RFC 7118 §4


def mqtt(path: str) -> Subprotocol:
    """MQTT 3.1.1 §6 (MQTT 5 §6), at this path of the server."""
    return Subprotocol("mqtt", "MQTT", "/" + path.removeprefix("/"), stream=True)


class WebSocketChannel:
    """One end of one connection; see io.connection.Channel. What is said is whole messages."""

    def __init__(
        self,
        below: Channel | None,
        *,
        max_bytes: int,
        host: str | None = None,
        spoken: Subprotocol = SIP,
    ) -> None:
        """max_bytes: of a message. host: of the server that we call; None: we are the server."""
        self._spoken = spoken
        self._below = below
        self._host = host
        self._max_bytes = max_bytes
        kind = ConnectionType.SERVER if host is None else ConnectionType.CLIENT
        self._protocol = WSConnection(kind)
        self._wire = b""
        self._asked = False
        self._request_bytes = 0
        self._message = bytearray()
        self.partial = False
        self.open = False
        self.ended = False

    def begin(self) -> None:
        if self._below is not None:
            self._below.begin()
        self._ask()

    def receive(self, data: bytes) -> list[bytes]:
        pieces = [data] if self._below is None else self._below.receive(data)
        self._ask()
        messages: list[bytes] = []
        for piece in pieces:
            self._take(piece, messages)
        if self._below is not None and self._below.ended:
            self.ended = True
        return messages

    def send(self, data: bytes) -> None:
        """As text if it is any, which is what browsers expect; else as bytes (RFC 7118 §5)."""
        if self._spoken.stream:
            self._say(BytesMessage(data=data))
            return
        try:
            message: Message[str] | Message[bytes] = TextMessage(data=data.decode())
        except UnicodeDecodeError:
            message = BytesMessage(data=data)
        self._say(message)

    def close(self) -> None:
        if self.open and not self.ended:
            self._say(CloseConnection(code=CloseReason.GOING_AWAY))
        if self._below is not None:
            self._hand_down()
            self._below.close()

    def outgoing(self) -> bytes:
        if self._below is None:
            wire, self._wire = self._wire, b""
            return wire
        self._hand_down()
        return self._below.outgoing()

    # --- coming ---------------------------------------------------------------------------------

    def _take(self, data: bytes, messages: list[bytes]) -> None:
        if self.ended:
            return
        if not self.open:
            self._request_bytes += len(data)
            if self._request_bytes > MAX_REQUEST_BYTES:
                raise RemoteProtocolError("its WebSocket handshake is too long")
        try:
            self._protocol.receive_data(data)
        except BadHandshake as error:
            self._turn_away(error.event_hint)
            raise RemoteProtocolError(f"it does not speak WebSocket: {error}") from None
        except (UnicodeError, ValueError, WrongState):
            raise RemoteProtocolError("it does not speak WebSocket") from None
        for event in self._protocol.events():
            self._handle(event, messages)

    def _handle(self, event: Event, messages: list[bytes]) -> None:
        match event:
            case Request():
                self._welcome(event)
            case AcceptConnection():
                if event.subprotocol != self._spoken.name:
                    words = f"it does not speak {self._spoken.words} over WebSocket"
                    raise RemoteProtocolError(words)
                self.open = True
            case RejectConnection():
                raise RemoteProtocolError(f"it answers {event.status_code} to WebSocket")
            case TextMessage():
                self._collect(event.data.encode(), event.message_finished, messages)
            case BytesMessage():
                self._collect(bytes(event.data), event.message_finished, messages)
            case Ping():
                self._say(event.response())
            case CloseConnection():
                self._say(event.response())
                self.ended = True
            case _:
                pass  # Pong, and what follows a rejection

    def _collect(self, data: bytes, finished: bool, messages: list[bytes]) -> None:
        if self._spoken.stream:
            messages.append(data)
            return
        self._message += data
        self.partial = not finished
        if len(self._message) > self._max_bytes:
            self._say(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
            raise RemoteProtocolError("its message is too large", status=513)
        if finished:
            messages.append(bytes(self._message))
            self._message.clear()

    # --- shaking hands --------------------------------------------------------------------------

    def _ask(self) -> None:
        if self._host is None or self._asked or not (self._below is None or self._below.open):
            return
        self._asked = True
        spoken = self._spoken
        self._say(Request(host=self._host, target=spoken.target, subprotocols=[spoken.name]))

    def _welcome(self, request: Request) -> None:
        wanted = self._spoken.name
        if wanted not in [name.lower() for name in request.subprotocols]:
            self._turn_away(None)
            raise RemoteProtocolError(f"it does not want {self._spoken.words} over WebSocket")
        offered = next(name for name in request.subprotocols if name.lower() == wanted)
        self._say(AcceptConnection(subprotocol=offered))
        self.open = True

    def _turn_away(self, hint: Event | None) -> None:
        """Say what this port is for, to whoever has come with a browser or a wrong handshake."""
        if self._host is not None:
            return
        status = hint.status_code if isinstance(hint, RejectConnection) else 400
        headers = list(hint.headers) if isinstance(hint, RejectConnection) else []
        headers += [
            (b"Content-Type", b"text/plain"),
            (b"Content-Length", str(len(_GREETING)).encode()),
            (b"Connection", b"close"),
        ]
        self._say(RejectConnection(status_code=status, headers=headers, has_body=True))
        self._say(RejectData(data=_GREETING, body_finished=True))

    # --- going ----------------------------------------------------------------------------------

    def _say(self, event: Event) -> None:
        with contextlib.suppress(WrongState):  # the peer has taken leave already
            self._wire += self._protocol.send(event)

    def _hand_down(self) -> None:
        assert self._below is not None
        if self._wire and self._below.open:
            self._below.send(self._wire)
            self._wire = b""
