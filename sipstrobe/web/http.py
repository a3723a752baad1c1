"""The one place that knows aiohttp: HTTP/1.1 and WebSocket on one side, values on the other.

Imported by `server.start` only, off the loop: it takes a third of a second, and a call may come in
meanwhile.
"""

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, Protocol

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.exchange import ENDLESS, HttpProblem, Request, Response, problem
from sipstrobe.web.http10 import UnframedBody
from sipstrobe.web.live import Listener

logger = logging.getLogger(__name__)

CONNECTIONS_MAX = 256
CONNECTIONS_PER_ADDRESS_MAX = 64
KEEP_ALIVE = 75.0  # seconds for which an idle connection is kept
BODY_TIME = 30.0  # seconds in which a request's body must be complete
STREAM_TIME = 1800.0  # seconds in which one must be that is taken as it comes, and has an end
PIECE_TIME = 30.0  # seconds until its next bytes
LEAST_PACE = 8000  # bytes a second that must come of it all along, but for the first PIECE_TIME
WRITE_TIME = 30.0  # seconds for which a peer may leave what we send unread
SHUTDOWN_TIME = 1.0  # seconds for what is under way when the server closes
HEARTBEAT = 15.0  # seconds between pings; without a pong for half of it the socket is closed
CLOSE_TIME = 0.5  # seconds in which the other side has to agree to the end of a WebSocket
HEADER_LINE_MAX = 8190
HEADERS_MAX = 64

HEADERS = (
    ("Server", "sipstrobe"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'",
    ),
)


class Desk(Protocol):
    """What answers: it is given whole requests, and always has an answer."""

    def body_max_bytes(self, method: str, path: str) -> int: ...
    def is_streamed(self, method: str, path: str) -> bool: ...
    async def respond(self, request: Request) -> Response: ...
    def listen(self, request: Request) -> "Listener | Response":
        """Admit a WebSocket: what it will be sent, or the refusal."""
        ...


class HttpServer:
    """Listening sockets whose requests go to a desk."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._server = _Server(self._handle, clock, self._is_endless)
        self._turn = asyncio.Lock()
        self._listening: list[asyncio.Server] = []
        self._lasting: set[asyncio.Transport | None] = set()  # of what may go on for long

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            self._server, host, port, ssl=tls, backlog=128, start_serving=False
        )
        self._listening.append(listening)  # before we may be cancelled, so that it will be closed
        await listening.start_serving()

    def addresses(self) -> list[tuple[str, int]]:
        return [s.getsockname()[:2] for server in self._listening for s in server.sockets]

    async def aclose(self) -> None:
        for server in self._listening:
            server.close()
        self._listening.clear()
        for transport in self._lasting:
            if transport is not None:
                transport.abort()
        self._server.pre_shutdown()
        await self._server.shutdown(SHUTDOWN_TIME / 2)  # once until it ends, once until it obeys

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        try:
            request = await self._request(incoming)
        except RemoteProtocolError as refusal:
            return _answer(problem(refusal.status, str(refusal)))
        if incoming.headers.get("Upgrade", "").lower() != "websocket":
            async with self._turn:  # of many that come at once, one at each turn of the loop:
                await asyncio.sleep(0)  # calls and sound have theirs in between
            return await self._respond(incoming, request)
        listener = self._desk.listen(request)
        if isinstance(listener, Response):
            return _answer(listener)
        return await _serve_live(incoming, listener)

    async def _respond(self, incoming: web.BaseRequest, request: Request) -> web.StreamResponse:
        if request.content is None:
            response = await self._desk.respond(request)
        else:
            with self._lasts(incoming):
                response = await self._desk.respond(request)
        if response.stream is None:
            return _answer(response)
        with self._lasts(incoming):
            return await _send_stream(incoming, response, response.stream)

    @contextmanager
    def _lasts(self, incoming: web.BaseRequest) -> Generator[None]:
        """The end of the server cuts it short."""
        transport = incoming.transport  # None when the other side has gone meanwhile
        self._lasting.add(transport)
        try:
            yield
        finally:
            self._lasting.discard(transport)

    def _is_endless(self, path: str) -> bool:
        return self._desk.body_max_bytes("POST", path) == ENDLESS

    async def _request(self, incoming: web.BaseRequest) -> Request:
        limit = self._desk.body_max_bytes(incoming.method, incoming.path)
        pieces = _pieces(incoming, limit)
        streamed = self._desk.is_streamed(incoming.method, incoming.path)
        body = b""
        if incoming.body_exists and not streamed:
            body = await _read_body(pieces)
        return Request(
            method=incoming.method,
            path=incoming.path,
            target=incoming.raw_path,
            headers={name.lower(): value for name, value in incoming.headers.items()},
            body=body,
            peer=incoming.remote or "",
            secure=incoming.secure,
            at=self._clock.now(),
            content=pieces if streamed else None,
        )


async def _read_body(pieces: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIME):
            async for piece in pieces:
                body += piece
    except TimeoutError:
        raise HttpProblem(408, f"the body did not arrive within {BODY_TIME:g} s") from None
    return bytes(body)


async def _pieces(incoming: web.BaseRequest, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes. Raises HttpProblem when it is too long, or does not go on."""
    if (incoming.content_length or 0) > limit:
        raise HttpProblem(413, f"the body may have {limit} bytes")
    if incoming.headers.get("Expect", "").lower() == "100-continue" and incoming.transport:
        incoming.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    size = 0
    began = asyncio.get_running_loop().time()
    while True:
        until = asyncio.get_running_loop().time() + PIECE_TIME
        if limit < ENDLESS:
            until = min(until, began + min(STREAM_TIME, PIECE_TIME + size / LEAST_PACE))
        try:
            async with asyncio.timeout_at(until):
                piece = await incoming.content.readany()
        except TimeoutError:
            raise HttpProblem(408, "the body does not go on") from None
        except (ConnectionError, web.RequestPayloadError):
            raise HttpProblem(400, "the body breaks off") from None
        if not piece:
            return
        size += len(piece)
        if size > limit:
            raise HttpProblem(413, f"the body may have {limit} bytes")
        yield piece


def _answer(response: Response) -> web.StreamResponse:
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
    if response.status in (408, 413):
        answer.force_close()
    return answer


async def _send_stream(
    incoming: web.BaseRequest, response: Response, stream: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Send what comes, until it ends or the other side has enough, which is seen at once: there may
    be nothing to send for long."""
    answer = _answer(response)
    connection = incoming.protocol
    assert isinstance(connection, _Connection)
    try:
        async with asyncio.timeout(None) as connection.sending:
            await answer.prepare(incoming)
            if incoming.method != "HEAD":
                async for piece in stream:
                    await answer.write(piece)
            await answer.write_eof()
    except (ConnectionError, TimeoutError):
        logger.debug("a stream for %s ended early", incoming.remote)
    finally:
        connection.sending = None
        await stream.aclose()
    return answer


async def _serve_live(incoming: web.BaseRequest, listener: Listener) -> web.StreamResponse:
    """Send what the listener is given until either side ends it."""
    socket = web.WebSocketResponse(
        timeout=CLOSE_TIME, heartbeat=HEARTBEAT, compress=False, max_msg_size=1024
    )
    try:
        try:
            await socket.prepare(incoming)
        except web.HTTPException as refusal:  # RFC 6455 §4.2.2
            return _answer(problem(refusal.status, refusal.text or refusal.reason))
        transport = incoming.transport
        listener.on_cut(lambda: transport.abort() if transport else None)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, listener))
            async for said in socket:  # the name of the view that is looked at
                if said.type is web.WSMsgType.TEXT:
                    listener.look(said.data)
            sending.cancel()
    except* ConnectionError:
        logger.debug("live connection of %s ended early", incoming.remote)
    finally:
        listener.close()
    return socket


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    async for message in listener:
        await socket.send_str(message)
    await socket.close(code=1001)  # going away


class _Server(web.Server):
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

    def __call__(self) -> RequestHandler:
        return _Connection(
            self,
            loop=self._loop,
            keepalive_timeout=KEEP_ALIVE,
            access_log=None,
            max_line_size=HEADER_LINE_MAX,
            max_field_size=HEADER_LINE_MAX,
            max_headers=HEADERS_MAX,
            auto_decompress=False,
        )

    def full(self, address: str) -> bool:
        connections = self.by_address
        return (
            connections[address] > CONNECTIONS_PER_ADDRESS_MAX
            or connections.total() > CONNECTIONS_MAX
        )


class _Connection(RequestHandler):
    """One connection; what cannot be parsed is answered in our form too."""

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._address = ""
        self._unread: Handle | None = None
        self.sending: asyncio.Timeout | None = None  # of a stream, which ends with the connection
        self._framed = UnframedBody(server.is_endless)

    def data_received(self, data: bytes) -> None:
        super().data_received(self._framed(data))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        self._server.by_address[self._address] += 1
        if self._server.full(self._address):
            logger.debug("too many connections: one of %s is closed", self._address)
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
        self._server.by_address[self._address] -= 1
        if not self._server.by_address[self._address]:
            del self._server.by_address[self._address]
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
        answer = _answer(
            problem(status, "not HTTP/1.1 as we know it" if status < 500 else "failed")
        )
        answer.force_close()
        return answer
