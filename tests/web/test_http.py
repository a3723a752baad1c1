"""The HTTP server beside everything else on the loop."""

import asyncio

from sipstrobe.clock import LoopClock
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

    def listen(self, request: Request) -> Response:
        raise NotImplementedError


async def test_requests_that_come_at_once_leave_turns_to_calls_and_sound() -> None:
    """Each of them may take a millisecond; a stream that waits for twenty has run dry."""
    loop = asyncio.get_running_loop()
    desk = Desk()
    server = HttpServer(desk, LoopClock(loop))
    await server.listen("127.0.0.1", 0, None)
    [(_, port)] = server.addresses()
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MANY)]

    for _, writer in connections:
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(5):
        await desk.run()

    assert len(set(desk.answered)) == MANY, "no two at the same turn"
    for reader, writer in connections:
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
    await server.aclose()
