"""The HTTP server beside everything else on the loop."""

import asyncio
from collections.abc import AsyncGenerator

from sipstrobe.clock import LoopClock
from sipstrobe.web.connections import Entrance
from sipstrobe.web.exchange import Request, Response, json
from sipstrobe.web.http import HttpServer

MANY = 20


class Desk:
    """Notes at which turn of the loop each request is answered."""

    def __init__(self) -> None:
        self.turn = 0
        self.answered: list[int] = []

    async def run(self) -> None:
        """What else there is to do: once at each turn."""
        while len(self.answered) < MANY:
            self.turn += 1
            await asyncio.sleep(0)

    def body_max_bytes(self, method: str, path: str) -> int:
        return 0

    def is_streamed(self, method: str, path: str) -> bool:
        return False

    async def respond(self, request: Request) -> Response:
        self.answered.append(self.turn)
        return json({})

    async def listen(self, request: Request) -> Response:
        raise NotImplementedError


async def test_requests_that_come_at_once_leave_turns_to_calls_and_sound() -> None:
    """Each of them may take a millisecond; a stream that waits for twenty has run dry."""
    loop = asyncio.get_running_loop()
    desk = Desk()
    server = HttpServer(desk, LoopClock(loop))
    [(_, port)] = (await server.listen("127.0.0.1", 0, Entrance("plain"))).addresses
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MANY)]

    for _, writer in connections:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(30):
        await desk.run()

    assert len(set(desk.answered)) == MANY, "no two at the same turn"
    for reader, writer in connections:
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
    await server.aclose()


class Silence(Desk):
    """Has one stream, which says one thing and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    async def respond(self, request: Request) -> Response:
        return Response(stream=self._say())

    async def _say(self) -> AsyncGenerator[bytes]:
        try:
            yield b"once"
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def test_a_stream_ends_with_its_connection_though_there_is_nothing_to_send() -> None:
    """Else who watches ports, goes and comes again would find the places taken by himself."""
    desk = Silence()
    server = HttpServer(desk, LoopClock(asyncio.get_running_loop()))
    [(_, port)] = (await server.listen("127.0.0.1", 0, Entrance("plain"))).addresses
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(30):
        await reader.readuntil(b"once")

        writer.close()
        await desk.ended.wait()
    await server.aclose()
