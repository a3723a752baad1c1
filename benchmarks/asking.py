"""Who asks an HTTP server as fast as it answers, in a process of his own."""

import asyncio
import hashlib
import multiprocessing
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
MORE = 30.0  # seconds beyond those wanted until the answers must be there


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kind of request. login: an account and what was challenged with, for Digest."""

    method: str
    path: str
    headers: str = ""
    body: bytes = b""
    login: tuple[str, str, str, str] | None = None  # name, password, realm, nonce


def ask(port: int, wanted: Wanted, connections: int, seconds: float) -> tuple[int, float]:
    """How many answers came, and in how many seconds; all of them said 200."""
    here, there = multiprocessing.Pipe()
    arguments = (port, wanted, connections, seconds, there)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=arguments)
    process.start()
    there.close()
    assert here.poll(seconds + MORE), "the answers do not come"
    found: tuple[int, float] = here.recv()
    process.join()
    return found


def _run(port: int, wanted: Wanted, connections: int, seconds: float, done: Connection) -> None:
    done.send(asyncio.run(_ask(port, wanted, connections, seconds)))


async def _ask(port: int, wanted: Wanted, connections: int, seconds: float) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    make = requests_of(wanted)
    began = time.monotonic()
    lines: list[_Line] = []
    for _ in range(connections):
        _, line = await loop.create_connection(
            lambda: _Line(make, began + seconds), "127.0.0.1", port
        )
        lines.append(line)
    for line in lines:
        await line.ended
    return sum(line.answers for line in lines), time.monotonic() - began


def requests_of(wanted: Wanted) -> Callable[[], bytes]:
    """The bytes of one request after the other; of Digest each with a count of its own."""
    start = f"{wanted.method} {wanted.path} HTTP/1.1\r\nHost: localhost\r\n{wanted.headers}"
    if wanted.body:
        start += f"Content-Length: {len(wanted.body)}\r\n"
    if wanted.login is None:
        whole = f"{start}\r\n".encode() + wanted.body
        return lambda: whole
    name, password, realm, nonce = wanted.login
    ha1, ha2 = _md5(f"{name}:{realm}:{password}"), _md5(f"{wanted.method}:{wanted.path}")
    count = 0

    def make() -> bytes:
        nonlocal count
        count += 1
        nc = f"{count:08x}"
        response = _md5(f"{ha1}:{nonce}:{nc}:c:auth:{ha2}")
        line = (
            f'Authorization: Digest username="{name}", realm="{realm}", nonce="{nonce}", '
            f'uri="{wanted.path}", algorithm=MD5, qop=auth, nc={nc}, cnonce="c", '
            f'response="{response}"\r\n'
        )
        return f"{start}{line}\r\n".encode() + wanted.body

    return make


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class _Line(asyncio.Protocol):
    """One connection: the next request follows the answer at once."""

    def __init__(self, make: Callable[[], bytes], until: float) -> None:
        self.answers = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._make = make
        self._until = until
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(HEAD_END)
        length = LENGTH.search(head)
        if not end or length is None or len(rest) < int(length[1]):
            return
        assert self._transport is not None
        self._data = b""
        self.answers += 1
        if not head.startswith(b"HTTP/1.1 200"):
            self.ended.set_exception(AssertionError(head.decode("latin-1")))
        elif time.monotonic() < self._until:
            self._transport.write(self._make())
            return
        else:
            self.ended.set_result(None)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(f"it has ended: {exc}"))
