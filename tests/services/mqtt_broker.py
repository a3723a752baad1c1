"""A broker of the tests: it says what a story wants, be it right or wrong."""

import asyncio
from types import TracebackType

from sipstrobe.mqtt.packets import Message, Type, publish
from tests.mqtt.bench import Said, acknowledges, connack, packet, said
from tests.support.waiting import until


class StubBroker:
    """Lets everybody in and confirms everything, over TCP on a port of its own."""

    def __init__(self) -> None:
        self.said: list[Said] = []  # by all clients
        self.connections = 0
        self.lets_in = True
        self.confirms = True
        self.retained: dict[str, bytes] = {}  # told to whoever subscribes to exactly that
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._handling: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "StubBroker":
        await self.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.end()

    async def begin(self) -> None:
        """Be there, again at the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def end(self) -> None:
        """Go, without a word."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.kick()
        while self._handling:
            await asyncio.wait(list(self._handling))

    def kick(self) -> None:
        """Break off the connection."""
        if self._writer is not None:
            self._writer.transport.abort()

    def say(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    def tell(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.say(publish("3.1.1", Message(topic, payload, 0, retain), 0))

    def messages(self) -> list[tuple[str, bytes]]:
        return [(m.topic, m.payload) for m in self.published()]

    def published(self) -> list[Message]:
        return [s.message for s in self.said if s.type is Type.PUBLISH]

    async def heard(self, kind: Type, count: int = 1) -> None:
        await until(lambda: sum(s.type is kind for s in self.said) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)
        self.connections += 1
        self._writer = writer
        try:
            while True:
                for one in said(await _packet(reader)):
                    self.said.append(one)
                    self._answer(one)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def _answer(self, one: Said) -> None:
        match one.type:
            case Type.CONNECT if self.lets_in:
                self.say(connack())
            case Type.SUBSCRIBE:
                self.say(packet(Type.SUBACK, one.packet_id.to_bytes(2, "big") + b"\x00"))
                topic = one.body[4:-1].decode(errors="replace")
                if topic in self.retained:
                    self.tell(topic, self.retained[topic], retain=True)
            case Type.PUBLISH if self.confirms and one.flags & 2:
                self.say(acknowledges(Type.PUBACK, one.packet_id))
            case Type.PINGREQ:
                self.say(packet(Type.PINGRESP, b""))
            case _:
                pass


async def _packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(1)
    size = shift = 0
    while True:
        octet = await reader.readexactly(1)
        head += octet
        size |= (octet[0] & 127) << shift
        shift += 7
        if octet[0] < 128:
            return head + await reader.readexactly(size)
