"""What waits to be published, what the broker has not confirmed yet, and what it must keep for us.

Of a state only the latest value waits, so that nothing of it is lost however long there is no
broker; what has been published as retained is published again when the broker does not know us any
more, since it may have been started anew without it. All else waits in order, up to a bound; then
the oldest is dropped, and counted.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.mqtt.packets import MAX_PACKET_ID, Ack, Message, Type, Version, publish

MAX_WAITING: Final = 1000  # messages
MAX_WAITING_BYTES: Final = 2 * 1024 * 1024
MAX_RETAINED: Final = 1024  # topics; of more, the one that was published first is forgotten
MAX_IN_FLIGHT: Final = 20  # messages that are not confirmed, unless the broker wants fewer
SUSPECT: Final = 2  # connections that have ended on a message: from then on it is sent alone
GUILTY: Final = 5  # … and no more: a broker without MQTT 5 has no other way to refuse it

Token = int | str
"""Names a message whose fate somebody waits for; 0: nobody does."""

NOBODY: Final = "there is no broker"
ANOTHER: Final = "it was meant for another broker"
UNBEARABLE: Final = "the broker breaks off whenever it is sent"
TOO_MUCH: Final = "it was dropped: too much waits"
TOO_LARGE: Final = "it is larger than the broker takes"
HOPELESS: Final = frozenset((UNBEARABLE, TOO_LARGE))  # however often it is tried


@dataclass(slots=True)
class Waiting:
    """A message on its way."""

    message: Message
    token: Token = 0
    state: bool = False  # a later one of the same topic may take its place
    once: bool = False  # it is about this connection
    ends: int = 0  # connections that have ended when it was the next to be confirmed
    received: bool = False  # QoS 2: PUBREC has come, PUBREL has been sent

    @property
    def size(self) -> int:
        return len(self.message.topic) + len(self.message.payload)


class Limits(Struct, frozen=True):
    """What the broker can take (MQTT 5 §3.2.2.3)."""

    in_flight: int = MAX_IN_FLIGHT
    qos: int = 2
    retain: bool = True
    packet_bytes: int | None = None


class Delivery:
    """Queue, flight and memory of one client."""

    def __init__(self, first_packet_id: int) -> None:
        """first_packet_id: any number, unlike that of the run before: the broker may know its."""
        self.limits = Limits()
        self.sent = 0
        self.dropped = 0
        self.lost: list[tuple[Token, str]] = []  # whose message will never be sent, and why
        self._queue: OrderedDict[str | int, Waiting] = OrderedDict()
        self._size = 0
        self._flying: dict[int, Waiting] = {}
        self._again: deque[int] = deque()  # those in flight that this connection has not seen yet
        self._retained: OrderedDict[str, Message] = OrderedDict()
        self._serials = count()
        self._packet_id = first_packet_id % MAX_PACKET_ID

    @property
    def waiting(self) -> int:
        return len(self._queue)

    # --- what is wanted -------------------------------------------------------------------------

    def put(
        self,
        message: Message,
        *,
        state: bool,
        ordered: bool,
        token: Token = 0,
        first: bool = False,
    ) -> None:
        """Have a message sent. state: only its topic's latest counts, as of what is retained.

        token: one that is on its way already is not sent twice.
        ordered: the values of a state are sent one after the other, as long as not too much waits.
        first: before all that waits, and never again: it is about this connection.
        """
        if token and self._has(token):
            return
        if message.retain and not first:
            self._remember(message)
        entry = Waiting(message, token, (state or message.retain) and not token, once=first)
        if entry.state and message.topic in self._queue:
            self._remove(message.topic)
        key = message.topic if entry.state and not ordered else next(self._serials)
        self._add(key, entry, first=first)
        if self._is_full():
            self._collapse()
        while self._is_full():
            self._drop(self._oldest(), TOO_MUCH)

    def forget(self, topic: str) -> None:
        """Publish this topic no more, neither what waits nor anew."""
        self._retained.pop(topic, None)
        if topic in self._queue:
            self._remove(topic)

    def cancel(self, token: Token) -> None:
        """Nobody waits for this message any more; if it has not been sent, it never is."""
        for key, entry in self._queue.items():
            if entry.token == token:
                self._remove(key)
                return

    def _has(self, token: Token) -> bool:
        entries = (*self._queue.values(), *self._flying.values())
        return any(entry.token == token for entry in entries)

    def _add(self, key: str | int, entry: Waiting, *, first: bool = False) -> None:
        self._queue[key] = entry
        self._size += entry.size
        if first:
            self._queue.move_to_end(key, last=False)

    def _is_full(self) -> bool:
        return len(self._queue) > MAX_WAITING or self._size > MAX_WAITING_BYTES

    def _collapse(self) -> None:
        """Of each state keep only the latest value."""
        for key, entry in list(self._queue.items()):
            if entry.state and isinstance(key, int):
                self._remove(key)
                if entry.message.topic in self._queue:
                    self._remove(entry.message.topic)
                self._add(entry.message.topic, entry)
            elif key in self._queue:
                self._queue.move_to_end(key)

    def _remember(self, message: Message) -> None:
        self._retained.pop(message.topic, None)
        if message.payload:
            self._retained[message.topic] = message
            if len(self._retained) > MAX_RETAINED:
                self._retained.popitem(last=False)

    def _oldest(self) -> str | int:
        """What is dropped first: what merely happened, then states."""
        pulses = (key for key in self._queue if isinstance(key, int))
        return next(pulses, None) or next(iter(self._queue))

    def _drop(self, key: str | int, why: str) -> None:
        self.dropped += 1
        self._lose(self._remove(key), why)

    def _lose(self, entry: Waiting, words: str) -> None:
        if entry.token:
            self.lost.append((entry.token, words))

    def _remove(self, key: str | int) -> Waiting:
        entry = self._queue.pop(key)
        self._size -= entry.size
        return entry

    # --- towards the broker ---------------------------------------------------------------------

    def greet(self, *, known: bool) -> Iterator[bytes]:
        """We are connected. known: the broker has kept our session; then what is in flight goes on
        (§4.4), else it begins anew, and what is to be retained with it."""
        if known:
            for packet_id, entry in self._flying.items():
                if entry.received:
                    yield bytes(Ack(Type.PUBREL, packet_id))
                else:
                    self._again.append(packet_id)
        ends = {entry.message.topic: entry.ends for entry in self._flying.values()}
        for topic, message in reversed(self._retained.items()):
            # What was sent with QoS 0 may have been lost with the connection.
            if topic not in self._queue and not (known and self._fit(message).qos):
                entry = Waiting(message, state=True, ends=ends.get(topic, 0))
                self._add(topic, entry, first=True)
        if not known:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What was in flight is sent before all that came later."""
        flying, self._flying = list(self._flying.values()), {}
        for entry in reversed(flying):
            if entry.received:  # it is the broker's, which perhaps has forgotten it
                self._lose(entry, "the broker has forgotten whether it has it")
            elif (
                entry.token or not entry.message.retain or entry.message.topic not in self._retained
            ):
                self._add(next(self._serials), entry, first=True)

    def next(self, version: Version) -> tuple[bytes, Token] | None:
        """What may be sent now, and whose fate is decided by that."""
        if self._again:
            return self._next_again(version)
        while self._queue:
            key, entry = next(iter(self._queue.items()))
            message = self._fit(entry.message)
            if message.qos and self._is_flight_full():
                return None
            packet_id = self._free_id() if message.qos else 0
            packet = publish(version, message, packet_id)
            if self._is_too_large(packet):
                self._drop(key, TOO_LARGE)
                self._retained.pop(message.topic, None)
                continue
            self._remove(key)
            self.sent += 1
            if not message.qos:
                return packet, entry.token
            self._flying[packet_id] = entry
            return packet, 0
        return None

    def _next_again(self, version: Version) -> tuple[bytes, Token] | None:
        """§4.4: the next that the broker may have already; it may take less than it once did."""
        while self._again and not self._is_flight_full():
            packet_id = self._again.popleft()
            entry = self._flying[packet_id]
            message = self._fit(entry.message)
            packet = publish(version, message, packet_id, duplicate=message.qos > 0)
            if self._is_too_large(packet):
                self._lose(self._flying.pop(packet_id), TOO_LARGE)
                self.dropped += 1
            elif message.qos:
                return packet, 0
            else:
                return packet, self._flying.pop(packet_id).token
        return None if self._again else self.next(version)

    def last_word(self, version: Version, message: Message) -> bytes:
        """A message before we leave, whose answer nobody waits for: with QoS 2 the broker could
        keep it to itself until it is released (§4.3.3)."""
        message = self._fit(message)
        message = replace(message, qos=0 if self._is_flight_full() else min(message.qos, 1))
        self.sent += 1
        return publish(version, message, self._free_id() if message.qos else 0)

    def _is_flight_full(self) -> bool:
        under_way = len(self._flying) - len(self._again)
        if under_way and any(entry.ends >= SUSPECT for entry in self._flying.values()):
            return True
        return under_way >= min(MAX_IN_FLIGHT, self.limits.in_flight)

    def _is_too_large(self, packet: bytes) -> bool:
        most = self.limits.packet_bytes
        return most is not None and len(packet) > most

    def leave(self) -> None:
        """There is no broker: what merely happened and need not arrive is dropped (QoS 0), and so
        is what was about this connection."""
        for key in [key for key, entry in self._queue.items() if entry.once]:
            self._remove(key)
        flying = self._flying.items()
        self._flying = {n: entry for n, entry in flying if entry.received or not entry.once}
        self._again.clear()
        self._collapse()
        for key, entry in list(self._queue.items()):
            if isinstance(key, int) and not entry.message.qos:
                self._drop(key, NOBODY)

    def blame(self) -> None:
        """The broker has broken off. What is confirmed in order was perhaps ended by the first that
        was not, and would be ended by it for ever."""
        under_way = (n for n in self._flying if n not in self._again)
        packet_id = next((n for n in under_way if not self._flying[n].received), 0)
        if not packet_id:
            return
        entry = self._flying[packet_id]
        entry.ends += 1
        if entry.ends >= GUILTY:
            del self._flying[packet_id]
            self.dropped += 1
            self._lose(entry, UNBEARABLE)
            if self._retained.get(entry.message.topic) == entry.message:
                del self._retained[entry.message.topic]

    def clear(self) -> None:
        """Forget whatever was meant for another broker, but for what is to be retained."""
        for key, entry in list(self._queue.items()):
            if not entry.message.retain or entry.token:
                self._drop(key, ANOTHER)
        for entry in self._flying.values():
            self._lose(entry, ANOTHER)
        self._flying.clear()

    def acknowledge(self, ack: Ack) -> tuple[bytes, Token, bool]:
        """PUBACK, PUBREC or PUBCOMP has come: what to answer, whose fate is decided, and whether
        the broker has refused it."""
        entry = self._flying.get(ack.packet_id)
        refused = ack.reason >= 0x80
        if ack.type is Type.PUBREC and not refused:
            if entry is not None:
                entry.received = True
            return bytes(Ack(Type.PUBREL, ack.packet_id)), 0, False
        if entry is None:
            return b"", 0, False
        del self._flying[ack.packet_id]
        if ack.packet_id in self._again:
            self._again.remove(ack.packet_id)
        return b"", entry.token, refused

    def _fit(self, message: Message) -> Message:
        """As this broker can take it."""
        limits = self.limits
        if message.qos > limits.qos:
            message = replace(message, qos=0 if limits.qos == 0 else 1)
        if message.retain and not limits.retain:
            message = replace(message, retain=False)
        return message

    def _free_id(self) -> int:
        while True:
            self._packet_id = self._packet_id % MAX_PACKET_ID + 1
            if self._packet_id not in self._flying:
                return self._packet_id

    def packet_id(self) -> int:
        """One for a packet that is no message."""
        return self._free_id()
