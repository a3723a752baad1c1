"""What waits to be published, what the broker has not confirmed yet, and what it must keep for us.

Of a state only the latest value waits, so that nothing of it is lost however long there is no
broker; what has been published as retained is published again when the broker does not know us any
more, since it may have been started anew without it. All else waits in order, up to a bound; then
the oldest is dropped, and counted.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from sipstrobe.mqtt.packets import MAX_PACKET_ID, Ack, Message, Type, Version, publish

MAX_WAITING: Final = 1000  # messages
MAX_WAITING_BYTES: Final = 2 * 1024 * 1024
MAX_RETAINED: Final = 1024  # topics; of more, the one that was published first is forgotten
MAX_IN_FLIGHT: Final = 20  # messages that are not confirmed, unless the broker wants fewer

Token = int
"""Names a message whose fate somebody waits for; 0: nobody does."""


@dataclass(slots=True)
class Waiting:
    """A message on its way."""

    message: Message
    token: Token = 0
    state: bool = False  # a later one of the same topic may take its place
    received: bool = False  # QoS 2: PUBREC has come, PUBREL has been sent

    @property
    def size(self) -> int:
        return len(self.message.topic) + len(self.message.payload)


@dataclass(frozen=True, slots=True)
class Limits:
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
        self.lost: list[Token] = []  # tokens whose message will never be sent
        self._queue: OrderedDict[str | int, Waiting] = OrderedDict()
        self._size = 0
        self._flying: dict[int, Waiting] = {}
        self._retained: OrderedDict[str, Message] = OrderedDict()
        self._moved = False  # the next broker is another one
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

        ordered: the values of a state are sent one after the other, as long as not too much waits.
        first: before all that waits, and never again: it is about this connection.
        """
        if message.retain and not first:
            self._remember(message)
        entry = Waiting(message, token, (state or message.retain) and not token)
        if entry.state and message.topic in self._queue:
            self._remove(message.topic)
        key = message.topic if entry.state and not ordered else next(self._serials)
        self._add(key, entry, first=first)
        if self._is_full():
            self._collapse()
        while self._is_full():
            self._drop(self._oldest())

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
        for entry in self._flying.values():
            if entry.token == token:
                entry.token = 0

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

    def _drop(self, key: str | int) -> None:
        entry = self._remove(key)
        self.dropped += 1
        if entry.token:
            self.lost.append(entry.token)

    def _remove(self, key: str | int) -> Waiting:
        entry = self._queue.pop(key)
        self._size -= entry.size
        return entry

    # --- towards the broker ---------------------------------------------------------------------

    def greet(self, version: Version, *, known: bool) -> Iterator[bytes]:
        """We are connected. known: the broker has kept our session; then what is in flight goes on
        (§4.4), else it begins anew, and what is to be retained with it."""
        if known:
            for packet_id, entry in self._flying.items():
                if entry.received:
                    yield bytes(Ack(Type.PUBREL, packet_id))
                else:
                    message = self._fit(entry.message)
                    yield publish(version, message, packet_id, duplicate=True)
            if not self._moved:
                return
        self._moved = False
        flying, self._flying = list(self._flying.values()), {}
        again = [e for e in flying if not e.received and (e.token or not e.message.retain)]
        for entry in reversed(again):
            self._add(next(self._serials), entry, first=True)
        for topic, message in reversed(self._retained.items()):
            if topic not in self._queue:
                self._add(topic, Waiting(message, state=True), first=True)

    def next(self, version: Version) -> tuple[bytes, Token] | None:
        """What may be sent now, and whose fate is decided by that."""
        while self._queue:
            key, entry = next(iter(self._queue.items()))
            message = self._fit(entry.message)
            if message.qos and len(self._flying) >= min(MAX_IN_FLIGHT, self.limits.in_flight):
                return None
            packet_id = self._free_id() if message.qos else 0
            packet = publish(version, message, packet_id)
            if self.limits.packet_bytes is not None and len(packet) > self.limits.packet_bytes:
                self._drop(key)
                self._retained.pop(message.topic, None)
                continue
            self._remove(key)
            self.sent += 1
            if not message.qos:
                return packet, entry.token
            self._flying[packet_id] = entry
            return packet, 0
        return None

    def leave(self) -> None:
        """There is no broker: what merely happened and need not arrive is dropped (QoS 0)."""
        self._collapse()
        for key, entry in list(self._queue.items()):
            if isinstance(key, int) and not entry.message.qos:
                self._drop(key)

    def clear(self) -> None:
        """Forget whatever was meant for another broker, but for what is to be retained."""
        for key, entry in list(self._queue.items()):
            if not entry.message.retain or entry.token:
                self._drop(key)
        self.lost += [entry.token for entry in self._flying.values() if entry.token]
        self._flying.clear()
        self._moved = True

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
