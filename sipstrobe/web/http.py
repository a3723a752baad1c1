"""HTTP/1.1 and WebSocket by aiohttp on one side, values on the other.

Nothing but this and `connections` knows aiohttp. Imported by `server.open` only, off the loop: it
takes a third of a second, and a call may come in meanwhile.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import contextmanager
from functools import partial
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Protocol

from aiohttp import web

from sipstrobe.clock import Clock
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.connections import (
    SHUTDOWN_TIME,
    Connection,
    Door,
    Entrance,
    HttpClient,
    Server,
    answer_of,
)
from sipstrobe.web.exchange import ENDLESS, HttpProblem, Request, Response, problem
from sipstrobe.web.live import Listener

logger = logging.getLogger(__name__)

BODY_TIME = 30.0  # seconds in which a request's body must be complete
STREAM_TIME = 1800.0  # seconds in which one must be that is taken as it comes, and has an end
PIECE_TIME = 30.0  # seconds until its next bytes
LEAST_PACE = 8000  # bytes a second that must come of it all along, but for the first PIECE_TIME
HEARTBEAT = 15.0  # seconds between pings; without a pong for half of it the socket is closed
SAID_MAX = 20  # messages of a listener within a second; who says more is cut off
UNREAD_BYTES = 8192  # of a listener that wait for us: nobody can say much at once
CLOSE_TIME = 0.5  # seconds in which the other side has to agree to the end of a WebSocket


class Desk(Protocol):
    """What answers: it is given whole requests, and always has an answer."""

    def body_max_bytes(self, method: str, path: str) -> int: ...
    def is_streamed(self, method: str, path: str) -> bool: ...
    async def respond(self, request: Request) -> Response: ...
    async def listen(self, request: Request) -> "Listener | Response":
        """Admit a WebSocket: what it will be sent, or the refusal."""
        ...


class HttpServer:
    """Doors whose requests go to a desk, or to a detour for those that came in the wrong way."""

    def __init__(self, desk: Desk, clock: Clock, detour: Desk | None = None) -> None:
        self._desk = desk
        self._clock = clock
        self._server = Server(partial(self._handle, desk), clock, self._is_endless)
        led = partial(self._handle, detour or desk)
        self._detour = Server(led, clock, lambda _: False)
        self._turn = asyncio.Lock()
        self._doors: list[Door] = []
        self._lasting: set[asyncio.Transport | None] = set()  # of what may go on for long

    async def listen(self, host: str, port: int, entrance: Entrance) -> "Door":
        """Raises OSError if the address is taken."""
        door = Door(self._server, self._detour, entrance)
        self._doors.append(door)  # before we may be cancelled, so that it will be closed
        try:
            await door.open(host, port)
        except BaseException:
            self._doors.remove(door)
            raise
        return door

    def clients(self) -> list[HttpClient]:
        """The connections that stand."""
        found = (*self._server.connections, *self._detour.connections)
        clients = [one.client for one in found if isinstance(one, Connection)]
        return [client for client in clients if client is not None]

    @property
    def doors(self) -> "list[Door]":
        return [door for door in self._doors if door.addresses]

    async def aclose(self) -> None:
        for door in self._doors:
            door.shut()
        self._doors.clear()
        for transport in self._lasting:
            if transport is not None:
                transport.abort()
        for server in (self._server, self._detour):
            server.pre_shutdown()
        # Once until it ends, once until it obeys.
        await asyncio.gather(
            self._server.shutdown(SHUTDOWN_TIME / 2), self._detour.shutdown(SHUTDOWN_TIME / 2)
        )

    async def _handle(self, desk: Desk, incoming: web.BaseRequest) -> web.StreamResponse:
        try:
            request = await self._request(desk, incoming)
        except RemoteProtocolError as refusal:
            return answer_of(problem(refusal.status, str(refusal)))
        if incoming.headers.get("Upgrade", "").lower() != "websocket":
            async with self._turn:  # of many that come at once, one at each turn of the loop:
                await asyncio.sleep(0)  # calls and sound have theirs in between
            return await self._respond(desk, incoming, request)
        listener = await desk.listen(request)
        if isinstance(listener, Response):
            return answer_of(listener)
        return await _serve_live(incoming, listener)

    async def _respond(
        self, desk: Desk, incoming: web.BaseRequest, request: Request
    ) -> web.StreamResponse:
        if request.content is None:
            response = await desk.respond(request)
        else:
            with self._lasts(incoming):
                response = await desk.respond(request)
        if response.stream is None:
            return answer_of(response)
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

    async def _request(self, desk: Desk, incoming: web.BaseRequest) -> Request:
        limit = desk.body_max_bytes(incoming.method, incoming.path)
        pieces = _pieces(incoming, limit)
        streamed = desk.is_streamed(incoming.method, incoming.path)
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


async def _send_stream(
    incoming: web.BaseRequest, response: Response, stream: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Send what comes, until it ends or the other side has enough, which is seen at once: there may
    be nothing to send for long."""
    answer = answer_of(response)
    connection = incoming.protocol
    assert isinstance(connection, Connection)
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
        timeout=CLOSE_TIME,
        heartbeat=HEARTBEAT,
        compress=False,
        max_msg_size=1024,
        autoping=False,
    )
    try:
        try:
            await socket.prepare(incoming)
        except web.HTTPException as refusal:  # RFC 6455 §4.2.2
            return answer_of(problem(refusal.status, refusal.text or refusal.reason))
        transport = incoming.transport

        def cut() -> None:
            if transport is not None:
                transport.abort()

        listener.on_cut(cut)
        if transport is not None:
            _listen_to_little(transport)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(socket, listener))
            await _hear(socket, listener, cut)
            sending.cancel()
    except* ConnectionError:
        logger.debug("live connection of %s ended early", incoming.remote)
    finally:
        listener.close()
    return socket


async def _hear(socket: web.WebSocketResponse, listener: Listener, cut: Callable[[], None]) -> None:
    """Take what a listener says until he ends it, or says far more than anybody has to say."""
    clock = asyncio.get_running_loop().time
    times: deque[float] = deque(maxlen=SAID_MAX)
    async for said in socket:
        now = clock()
        if len(times) == SAID_MAX and now - times[0] < 1.0:
            logger.info("a listener of the live page says too much: cut off")
            cut()
            return
        times.append(now)
        if said.type is web.WSMsgType.TEXT:  # the name of the view that is looked at
            listener.look(said.data)
        elif said.type is web.WSMsgType.PING:
            await socket.pong(said.data)


def _listen_to_little(transport: asyncio.Transport) -> None:
    """Thousands of the smallest frames would be one long turn of the loop."""
    line = transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(SOL_SOCKET, SO_RCVBUF, UNREAD_BYTES)


async def _send(socket: web.WebSocketResponse, listener: Listener) -> None:
    async for message in listener:
        await socket.send_str(message)
    await socket.close(code=1001)  # going away
