"""MQTT control packets, of 3.1.1 and of 5, as a client reads and writes them.

Cited as MQTT 3.1.1 §… (OASIS Standard, 29 October 2014) and MQTT 5 §… (7 March 2019); where both
say the same, without a version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Literal

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError

Version = Literal["3.1.1", "5"]

MAX_PACKET_BYTES: Final = 128 * 1024  # of what is kept of one that comes; announced in MQTT 5
MAX_TEXT_BYTES: Final = 65_535  # §1.5.3 (MQTT 5 §1.5.4)
MAX_PACKET_ID: Final = 65_535

_LEVEL: Final[Mapping[Version, int]] = {"3.1.1": 4, "5": 5}  # §3.1.2.2


class Type(IntEnum):
    """§2.2.1 (MQTT 5 §2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Property(IntEnum):
    """Those of MQTT 5 §2.2.2.2 that we obey."""

    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_IDENTIFIER = 0x0B
    SESSION_EXPIRY = 0x11
    SERVER_KEEP_ALIVE = 0x13
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    SUBSCRIPTION_IDENTIFIERS_AVAILABLE = 0x29


_BYTES: Final[Mapping[int, int]] = {  # MQTT 5 table 2-4: properties that are numbers
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
}
_TEXTS: Final = frozenset((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F))
_BINARY: Final = frozenset((0x09, 0x16))

Properties = Mapping[int, int | str | bytes]
"""By identifier, without those that may come more than once."""


class Message(Struct, frozen=True):
    """An application message. retain: of one that comes, that it is the retained one.

    response_topic, correlation: where an answer is wanted, and what goes with it (MQTT 5 §4.10).
    """

    topic: str
    payload: bytes = b""
    qos: int = 0  # 0…2
    retain: bool = False
    response_topic: str = ""
    correlation: bytes = b""


@dataclass(frozen=True, slots=True)
class ConnAck:
    """§3.2. reason: 0 when we are let in."""

    session_present: bool
    reason: int
    properties: Properties = field(default_factory=dict[int, "int | str | bytes"])


class Publish(Struct, frozen=True):
    """§3.3. packet_id: 0 for QoS 0. cut: it was too large, and its payload is not here.

    subscriptions: the identifiers of those that it is sent for (MQTT 5 §3.3.2.3.8).
    """

    message: Message
    packet_id: int = 0
    duplicate: bool = False
    cut: bool = False
    subscriptions: tuple[int, ...] = ()


class Ack(Struct, frozen=True):
    """PUBACK, PUBREC, PUBREL or PUBCOMP: §3.4–§3.7. reason: from 0x80 on a refusal (MQTT 5)."""

    type: Type
    packet_id: int
    reason: int = 0

    def __bytes__(self) -> bytes:
        flags = 2 if self.type is Type.PUBREL else 0  # §3.6.1
        return bytes((self.type << 4 | flags, 2)) + self.packet_id.to_bytes(2, "big")


class SubAck(Struct, frozen=True):
    """SUBACK or UNSUBACK: §3.9, §3.11. reasons: one for each filter, from 0x80 on a refusal."""

    type: Type
    packet_id: int
    reasons: bytes


class PingResp(Struct, frozen=True):
    """§3.13."""


class Disconnect(Struct, frozen=True):
    """MQTT 5 §3.14: the broker says why it leaves."""

    reason: int
    words: str = ""


Packet = ConnAck | Publish | Ack | SubAck | PingResp | Disconnect


# --- writing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """§3.1. keep_alive: seconds. session_expiry: seconds, of MQTT 5."""

    version: Version
    client_id: str
    clean: bool
    keep_alive: int
    user: str = ""
    password: str = field(default="", repr=False)
    will: Message | None = None

    def __bytes__(self) -> bytes:
        will, five = self.will, self.version == "5"
        flags = 2 * self.clean
        if will is not None:
            flags |= 4 | will.qos << 3 | 32 * will.retain
        flags |= 64 * bool(self.password) | 128 * bool(self.user or self.password)
        body = _text("MQTT") + bytes((_LEVEL[self.version], flags))
        body += self.keep_alive.to_bytes(2, "big")
        if five:
            expiry = b"" if self.clean else bytes((Property.SESSION_EXPIRY,)) + b"\xff" * 4
            size = bytes((Property.MAXIMUM_PACKET_SIZE,)) + MAX_PACKET_BYTES.to_bytes(4, "big")
            body += _counted(expiry + size)
        body += _text(self.client_id)
        if will is not None:
            body += (b"\0" if five else b"") + _text(will.topic) + _binary(will.payload)
        if self.user or self.password:
            body += _text(self.user)
        if self.password:
            body += _binary(self.password.encode())
        return _packet(Type.CONNECT, 0, body)


def publish(
    version: Version, message: Message, packet_id: int, *, duplicate: bool = False
) -> bytes:
    """§3.3; packet_id counts only with a QoS above 0."""
    head = _text(message.topic)
    if message.qos:
        head += packet_id.to_bytes(2, "big")
    if version == "5":
        data = message.correlation
        head += _counted(bytes((Property.CORRELATION_DATA,)) + _binary(data) if data else b"")
    flags = 8 * duplicate | message.qos << 1 | message.retain
    return _packet(Type.PUBLISH, flags, head + message.payload)


def subscribe(
    version: Version, packet_id: int, filters: Iterable[tuple[str, int]], number: int = 0
) -> bytes:
    """§3.8; filters with the highest QoS at which messages are wanted. number: the identifier that
    their messages carry, with MQTT 5; 0: none."""
    body = packet_id.to_bytes(2, "big")
    if version == "5":
        name = bytes((Property.SUBSCRIPTION_IDENTIFIER,))
        body += _counted(name + _variable(number) if number else b"")
    for topic_filter, qos in filters:
        body += _text(topic_filter) + bytes((qos,))
    return _packet(Type.SUBSCRIBE, 2, body)


def unsubscribe(version: Version, packet_id: int, filters: Iterable[str]) -> bytes:
    """§3.10."""
    body = packet_id.to_bytes(2, "big") + (b"\0" if version == "5" else b"")
    return _packet(Type.UNSUBSCRIBE, 2, body + b"".join(map(_text, filters)))


PINGREQ: Final = bytes((Type.PINGREQ << 4, 0))
DISCONNECT: Final = bytes((Type.DISCONNECT << 4, 0))


def _packet(kind: Type, flags: int, body: bytes) -> bytes:
    return bytes((kind << 4 | flags,)) + _variable(len(body)) + body


def _variable(number: int) -> bytes:
    """§2.2.3: seven bits to an octet, the lowest first."""
    octets = bytearray()
    while True:
        number, low = number >> 7, number & 127
        octets.append(low | 128 if number else low)
        if not number:
            return bytes(octets)


def _counted(properties: bytes) -> bytes:
    return _variable(len(properties)) + properties


def _text(text: str) -> bytes:
    return _binary(text.encode())


def _binary(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


# --- reading ------------------------------------------------------------------------------------


class Reader:
    """Cut a stream of octets into packets; it keeps MAX_PACKET_BYTES and one piece at most."""

    def __init__(self, version: Version) -> None:
        self._five = version == "5"
        self._buffer = bytearray()
        self._skip = 0  # octets of a packet that is too large, which are not kept

    @property
    def waiting(self) -> int:
        """Octets that have come and were not read."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._buffer += data

    def next(self) -> Packet | None:
        """The next whole packet, None while there is none. Raises RemoteProtocolError."""
        if not self._buffer:
            return None
        head = self._buffer[0]
        if head >> 4 != Type.PUBLISH and head & 15 != (2 if head >> 4 == Type.PUBREL else 0):
            raise RemoteProtocolError("it does not speak MQTT: wrong flags")  # §2.2.2
        size = self._size()
        if size is None:
            return None
        begin, length = size
        kept = min(length, MAX_PACKET_BYTES)
        if len(self._buffer) < begin + kept:
            return None
        body = bytes(self._buffer[begin : begin + kept])
        there = min(length, len(self._buffer) - begin)
        del self._buffer[: begin + there]
        self._skip = length - there
        return _read(head, body, five=self._five, cut=kept < length)

    def _size(self) -> tuple[int, int] | None:
        """Where the body begins, and how long it is."""
        length = 0
        for n in range(4):
            if len(self._buffer) < n + 2:
                return None
            octet = self._buffer[n + 1]
            length |= (octet & 127) << 7 * n
            if octet < 128:
                return n + 2, length
        raise RemoteProtocolError("it does not speak MQTT: a length without end")


def _read(head: int, body: bytes, *, five: bool, cut: bool) -> Packet:
    kind, flags = head >> 4, head & 15
    if cut and kind != Type.PUBLISH:
        raise RemoteProtocolError("its packet is too large")
    octets = _Octets(body)
    match kind:
        case Type.CONNACK:
            return _connack(octets, five)
        case Type.PUBLISH:
            return _published(octets, flags, five=five, cut=cut)
        case Type.PUBACK | Type.PUBREC | Type.PUBREL | Type.PUBCOMP:
            packet_id, reason = octets.packet_id(), octets.number(1) if five and octets.left else 0
            return Ack(Type(kind), packet_id, reason)
        case Type.SUBACK | Type.UNSUBACK:
            packet_id = octets.packet_id()
            if five:
                octets.properties()
            return SubAck(Type(kind), packet_id, octets.rest())
        case Type.PINGRESP:
            return PingResp()
        case Type.DISCONNECT if five:
            reason = octets.number(1) if octets.left else 0
            properties = octets.properties() if octets.left else {}
            return Disconnect(reason, str(properties.get(Property.REASON_STRING, "")))
        case _:
            raise RemoteProtocolError(f"it does not speak MQTT: a packet of type {kind}")


def _connack(octets: "_Octets", five: bool) -> ConnAck:
    flags, reason = octets.number(1), octets.number(1)
    if flags > 1:
        raise RemoteProtocolError("it does not speak MQTT: wrong flags")
    return ConnAck(bool(flags), reason, octets.properties() if five and octets.left else {})


def _published(octets: "_Octets", flags: int, *, five: bool, cut: bool) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3:  # §3.3.1.2
        raise RemoteProtocolError("it does not speak MQTT: no such QoS")
    topic = octets.text()
    if not topic or "+" in topic or "#" in topic:  # §3.3.2.1
        raise RemoteProtocolError("it does not speak MQTT: no topic")
    packet_id = octets.packet_id() if qos else 0
    retain = bool(flags & 1)
    if cut:
        return Publish(Message(topic, b"", qos, retain), packet_id, bool(flags & 8), cut=True)
    numbers: list[int] = []
    found = octets.properties(numbers) if five else {}
    if Property.TOPIC_ALIAS in found:  # MQTT 5 §3.3.2.3.4: we have allowed none
        raise RemoteProtocolError("it breaks the protocol: a topic alias")
    response, data = found.get(Property.RESPONSE_TOPIC, ""), found.get(Property.CORRELATION_DATA)
    message = Message(
        topic,
        octets.rest(),
        qos,
        retain,
        response if isinstance(response, str) else "",
        data if isinstance(data, bytes) else b"",
    )
    return Publish(message, packet_id, bool(flags & 8), subscriptions=tuple(numbers))


class _Octets:
    """Read what a packet has, in order. All raise RemoteProtocolError where there is no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise RemoteProtocolError("it does not speak MQTT: a packet that is too short")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        return self.take(self.left)

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def packet_id(self) -> int:
        found = self.number(2)
        if not found:  # §2.3.1
            raise RemoteProtocolError("it does not speak MQTT: packet identifier 0")
        return found

    def text(self) -> str:
        try:
            text = self.take(self.number(2)).decode()
        except UnicodeDecodeError:
            raise RemoteProtocolError("it does not speak MQTT: no UTF-8") from None
        if "\0" in text:  # §1.5.3
            raise RemoteProtocolError("it does not speak MQTT: a null character")
        return text

    def variable(self) -> int:
        number = 0
        for n in range(4):
            octet = self.number(1)
            number |= (octet & 127) << 7 * n
            if octet < 128:
                return number
        raise RemoteProtocolError("it does not speak MQTT: a number without end")

    def properties(self, numbers: list[int] | None = None) -> dict[int, int | str | bytes]:
        """MQTT 5 §2.2.2. numbers: takes the subscription identifiers."""
        inside = _Octets(self.take(self.variable()))
        found: dict[int, int | str | bytes] = {}
        while inside.left:
            name = inside.variable()
            value = inside.value(name)
            if name == Property.SUBSCRIPTION_IDENTIFIER:
                if numbers is not None and isinstance(value, int):
                    numbers.append(value)
            elif name in found:
                raise RemoteProtocolError("it does not speak MQTT 5: a property twice")
            elif name != Property.USER_PROPERTY:
                found[name] = value
        return found

    def value(self, name: int) -> int | str | bytes:
        """What a property has."""
        if name in _BYTES:
            return self.number(_BYTES[name])
        if name in _TEXTS:
            return self.text()
        if name in _BINARY:
            return self.take(self.number(2))
        if name == Property.SUBSCRIPTION_IDENTIFIER:
            return self.variable()
        if name == Property.USER_PROPERTY:
            return f"{self.text()}={self.text()}"
        raise RemoteProtocolError(f"it does not speak MQTT 5: property {name}")
