"""A client at a bench: what it wants is seen, and what a broker says is put in by hand."""

from collections.abc import Iterator
from dataclasses import dataclass

from sipstrobe.mqtt.client import Client
from sipstrobe.mqtt.outputs import (
    Arrived,
    Close,
    Delivered,
    Dial,
    Down,
    Hold,
    Options,
    Output,
    Send,
    Trouble,
    Up,
)
from sipstrobe.mqtt.packets import Connect, Message, Type, Version, publish

Outputs = Dial | Hold | Close | Up | Down | Arrived | Delivered | Trouble


@dataclass(frozen=True)
class Said:
    """One packet of the client."""

    type: Type
    flags: int
    body: bytes

    @property
    def packet_id(self) -> int:
        """Of PUBLISH with a QoS, and of all that begin with it."""
        at = 2 + int.from_bytes(self.body[:2], "big") if self.type is Type.PUBLISH else 0
        return int.from_bytes(self.body[at : at + 2], "big")

    @property
    def message(self) -> Message:
        """Of PUBLISH in 3.1.1."""
        size = int.from_bytes(self.body[:2], "big")
        qos = self.flags >> 1 & 3
        at = 2 + size + (2 if qos else 0)
        topic = self.body[2 : 2 + size].decode()
        return Message(topic, self.body[at:], qos, bool(self.flags & 1))


def said(data: bytes) -> Iterator[Said]:
    """The packets that these octets are."""
    at = 0
    while at < len(data):
        size = shift = 0
        begin = at + 1
        while True:
            size |= (data[begin] & 127) << shift
            shift += 7
            begin += 1
            if data[begin - 1] < 128:
                break
        yield Said(Type(data[at] >> 4), data[at] & 15, data[begin : begin + size])
        at = begin + size


def packet(kind: Type, body: bytes, flags: int = 0) -> bytes:
    """What a broker says, shorter than 128 octets."""
    return bytes((kind << 4 | flags, len(body))) + body


def connack(
    reason: int = 0, *, present: bool = False, version: Version = "3.1.1", properties: bytes = b""
) -> bytes:
    body = bytes((present, reason))
    if version == "5":
        body += bytes((len(properties),)) + properties
    return packet(Type.CONNACK, body)


def acknowledges(kind: Type, packet_id: int) -> bytes:
    return packet(kind, packet_id.to_bytes(2, "big"), 2 if kind is Type.PUBREL else 0)


def options(
    version: Version = "3.1.1",
    *,
    clean: bool = True,
    keep_alive: int = 60,
    reconnect: bool = True,
    where: str = "here",
    client_id: str = "us",
    will: Message | None = None,
) -> Options:
    connect = Connect(
        version=version, client_id=client_id, clean=clean, keep_alive=keep_alive, will=will
    )
    return Options(connect, 60.0, reconnect, where)


class Bench:
    """See above. `now` is moved by `advance` only."""

    def __init__(self, wanted: Options | None = None) -> None:
        self.client = Client(lambda n: bytes(n))
        self.now = 100.0
        self.wanted = wanted or options()
        self.wire: list[Said] = []  # since the last look
        self.told: list[Outputs] = []

    def start(self) -> None:
        self.client.start(self.wanted, now=self.now)
        self._settle()

    def up(self, answer: bytes | None = None) -> None:
        """Be let in, and forget what was said and told on the way."""
        self.start()
        self.open(answer)
        self.look()
        self.told.clear()

    def open(self, answer: bytes | None = None) -> None:
        """The line is there, and the broker lets us in."""
        self.client.opened(now=self.now)
        self._settle()
        self.hear(answer or connack(version=self.wanted.connect.version))
        self.advance(0.001)

    def hear(self, *data: bytes) -> None:
        self.client.feed(b"".join(data), now=self.now)
        self._settle()

    def break_off(self, words: str = "gone") -> None:
        self.client.closed(words, now=self.now)
        self._settle()

    def again(self, answer: bytes | None = None) -> None:
        """The line breaks off, and stands again once the client has dialled."""
        self.break_off()
        self.advance(70)
        assert Dial() in self.told
        self.wire.clear()
        self.open(answer)

    def say(self, message: Message, *, state: bool = False, token: int = 0) -> None:
        self.client.publish(message, now=self.now, state=state, token=token)
        self._settle()

    def subscribe(self, **filters: int) -> None:
        self.client.subscribe(filters, now=self.now)
        self._settle()

    def stop(self, goodbye: Message | None = None) -> None:
        self.client.stop(goodbye, now=self.now)
        self._settle()

    def writable(self, so: bool) -> None:
        self.client.writable(so, now=self.now)
        self._settle()

    def advance(self, seconds: float) -> None:
        """Let time pass, and the client wake up on the way."""
        end = self.now + seconds
        while (at := self.client.deadline) is not None and at <= end:
            self.now = max(self.now, at)
            self.client.wake(now=self.now)
            self._settle()
        self.now = end

    def look(self) -> list[Said]:
        """What was said since the last look."""
        seen, self.wire = self.wire, []
        return seen

    def published(self) -> list[tuple[str, bytes]]:
        """Topics and payloads of what was published since the last look."""
        seen = [s.message for s in self.look() if s.type is Type.PUBLISH]
        return [(message.topic, message.payload) for message in seen]

    def _settle(self) -> None:
        outputs: list[Output] = list(self.client.outbox)
        self.client.outbox.clear()
        for output in outputs:
            if isinstance(output, Send):
                self.wire += said(output.data)
            else:
                self.told.append(output)


def from_broker(
    topic: str, payload: bytes = b"", *, qos: int = 0, retain: bool = False, packet_id: int = 0
) -> bytes:
    """A message, in 3.1.1."""
    return publish("3.1.1", Message(topic, payload, qos, retain), packet_id)
