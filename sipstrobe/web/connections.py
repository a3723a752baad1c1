"""Where requests come in: doors, their connections, and the bounds of both, on aiohttp."""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from sipstrobe.clock import Clock, Handle
from sipstrobe.io.addresses import site
from sipstrobe.io.doorway import Behind, Doorway
from sipstrobe.web.exchange import Response, problem
from sipstrobe.web.http10 import UnframedBody

logger = logging.getLogger(__name__)

CONNECTIONS_MAX = 256  # then one that rests goes for the next
CONNECTIONS_PER_ADDRESS_MAX = 128  # a browser has up to eight, and ten may be behind one address
KEEP_ALIVE = 75.0  # seconds for which an idle connection is kept
WRITE_TIME = 30.0  # seconds for which a peer may leave what we send unread
SHUTDOWN_TIME = 1.0  # seconds for what is under way when the server closes
HEADER_LINE_MAX = 8190
HEADERS_MAX = 64

HEADERS = (
    ("Server", "sipstrobe"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), display-capture=()"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'",
    ),
)


@dataclass(frozen=True, slots=True)
class Entrance:
    """Which connections of a door reach the desk: plain ones, encrypted ones, or none. The others
    are told where to go; encrypted ones only where there is a certificate for it."""

    serves: Literal["plain", "encrypted", "nobody"]
    tls: ssl.SSLContext | None = None


def answer_of(response: Response) -> web.StreamResponse:
    """The same for aiohttp, with what every answer says."""
    answer: web.StreamResponse
    if response.stream is not None:
        answer = web.StreamResponse(status=response.status)
    elif response.file is not None:
        answer = web.FileResponse(response.file, status=response.status)
    else:
        answer = web.Response(status=response.status, body=response.body)
    for name, value in HEADERS + response.headers:
        answer.headers.add(name, value)
    answer.headers["Content-Type"] = response.content_type
    answer.headers.setdefault("Cache-Control", "no-store")
    if response.status in (408, 413) or response.ends:
        answer.force_close()
    return answer


class Door:
    """One address where connections come in; how they do can be changed while it is open."""

    def __init__(self, server: "Server", detour: "Server", entrance: Entrance) -> None:
        self.entrance = entrance
        self._server = server
        self._detour = detour
        self._connections: set[Connection] = set()
        self._way: Doorway | None = None

    async def open(self, host: str, port: int) -> None:
        server = self._server
        self._way = await Doorway.open(host, port, self._behind(), server.has_room, server.clock)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it is open; none any more when it has been closed."""
        return self._way.addresses if self._way is not None else []

    def change(self, entrance: Entrance) -> None:
        """For new connections; those that would now be led elsewhere end after what they are at."""
        ends = entrance.serves != self.entrance.serves
        self.entrance = entrance
        if self._way is not None:
            self._way.behind = self._behind()
        if ends:
            self._end_connections()

    def close(self) -> None:
        """Nobody comes in any more; who is in ends after what he is at, or after a second."""
        self.shut()
        self._end_connections()

    def shut(self) -> None:
        """Nobody comes in any more."""
        if self._way is not None:
            self._way.close()
            self._way = None

    def _behind(self) -> Behind:
        served, led = (partial(one, self._connections) for one in (self._server, self._detour))
        serves = self.entrance.serves
        return Behind(
            plain=served if serves == "plain" else led,
            encrypted=served if serves == "encrypted" else led,
            tls=self.entrance.tls,
        )

    def _end_connections(self) -> None:
        """What closes them may have been told over one of them, and is answered yet."""
        ending = list(self._connections)
        clock = self._server.clock

        def cut() -> None:
            for connection in ending:
                connection.force_close()

        for connection in ending:
            connection.close()
        clock.call_at(clock.now() + SHUTDOWN_TIME, cut)


class HttpClient(NamedTuple):
    """One who is connected. busy: a request of his is being answered; websocket: he listens."""

    address: str
    port: int
    secure: bool
    busy: bool
    websocket: bool


class Server(web.Server):
    """Hand out connections of our kind, as many as the bounds allow."""

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        clock: Clock,
        is_endless: Callable[[str], bool],
    ) -> None:
        super().__init__(handler)
        self.clock = clock
        self.is_endless = is_endless
        self.by_address: Counter[str] = Counter()

    def __call__(self, among: "set[Connection] | None" = None) -> RequestHandler:
        """among: those of its door, while it lasts."""
        return Connection(
            self,
            set() if among is None else among,
            loop=self._loop,
            keepalive_timeout=KEEP_ALIVE,
            access_log=None,
            max_line_size=HEADER_LINE_MAX,
            max_field_size=HEADER_LINE_MAX,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
        )

    def has_room(self, address: str, coming: int = 0) -> bool:
        """Whether one more of this address may come, of which so many are on the way in."""
        return self.by_address[address] + coming < CONNECTIONS_PER_ADDRESS_MAX

    def make_room(self) -> bool:
        """Whether there is room for one more of whatever address. Where there is none, one gives
        up its place that asks for nothing at present: of those who have the most, the first."""
        if self.by_address.total() < CONNECTIONS_MAX:
            return True
        found = [one for one in self.connections if isinstance(one, Connection) and one.rests]
        if not found:
            return False
        max(found, key=lambda one: self.by_address[one.address]).force_close()
        return True


class Connection(RequestHandler):
    """One connection; what cannot be parsed is answered in our form too."""

    def __init__(self, server: Server, among: "set[Connection]", **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._among = among
        self.address = ""  # of IPv6: the site
        self._unread: Handle | None = None
        self.sending: asyncio.Timeout | None = None  # of a stream, which ends with the connection
        self._framed = UnframedBody(server.is_endless)

    @property
    def client(self) -> HttpClient | None:
        """Who is at the other end, and what he does; None: he has gone."""
        transport, request = self.transport, self._current_request
        if transport is None:
            return None
        peer = transport.get_extra_info("peername") or ("", 0)
        upgraded = request is not None and request.headers.get("Upgrade", "").lower() == "websocket"
        secure = transport.get_extra_info("sslcontext") is not None
        return HttpClient(str(peer[0]), int(peer[1]), secure, request is not None, upgraded)

    @property
    def rests(self) -> bool:
        """Whether it has no request, or not the whole head of one."""
        return self._current_request is None and not (self._messages or self._force_close)

    def data_received(self, data: bytes) -> None:
        super().data_received(self._framed(data))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        address = str((transport.get_extra_info("peername") or ("",))[0])
        self.address = site(address)
        full = not (self._server.has_room(self.address) and self._server.make_room())
        super().connection_made(transport)
        self._server.by_address[self.address] += 1
        self._among.add(self)
        if full:
            logger.debug("too many connections: one of %s is closed", address)
            self.force_close()

    def pause_writing(self) -> None:
        super().pause_writing()
        clock = self._server.clock
        self._unread = clock.call_at(clock.now() + WRITE_TIME, self._give_up)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._reads_again()

    def _reads_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _give_up(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._reads_again()
        if self.sending is not None:
            self.sending.reschedule(0.0)
        self._among.discard(self)
        self._server.by_address[self.address] -= 1
        if not self._server.by_address[self.address]:
            del self._server.by_address[self.address]
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun already")
        if status >= 500:
            logger.error("a request of %s failed", request.remote, exc_info=exc)
        answer = answer_of(
            problem(status, "not HTTP/1.1 as we know it" if status < 500 else "failed")
        )
        answer.force_close()
        return answer
