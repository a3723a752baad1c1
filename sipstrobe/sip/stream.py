"""What comes by one connection, until it is whole messages: RFC 3261 §18.3, RFC 7118 §5."""

from typing import TYPE_CHECKING

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.framing import Framer
from sipstrobe.sip.outputs import CloseConnection
from sipstrobe.sip.transport import Flow

if TYPE_CHECKING:
    from sipstrobe.sip.layer import Layer

UNFINISHED_LIMIT = 30.0  # seconds for one message, from its first byte to its last


class Stream:
    """One connection as a source of messages.

    When framing is lost, or a message is not finished in time, it is to be closed: whoever sends a
    byte now and then must not hold connections for ever.
    """

    __slots__ = ("_framer", "_layer", "deadline", "entry", "flow", "lost")

    def __init__(self, layer: "Layer", flow: Flow) -> None:
        self._layer = layer
        self._framer = None if flow.transport.websocket else Framer()
        self.flow = flow
        self.entry: Entry | None = None
        self.deadline: float | None = None  # of the message that has begun
        self.lost = False  # nothing sensible can follow

    def take(self, chunk: bytes, *, now: float) -> tuple[bytes, ...]:
        """Take bytes; the result is what has become whole with them: messages, and PING."""
        framer = self._framer
        if framer is None:
            return (chunk,)
        try:
            framer.feed(chunk)
        except RemoteProtocolError:
            self._layer.counters.malformed += 1
            self.lost = True
        whole = tuple(framer.outbox)
        framer.outbox.clear()
        if not framer.waiting_bytes:
            self.deadline = None
        elif whole or self.deadline is None:
            self.deadline = now + UNFINISHED_LIMIT
        self._layer.agenda.note(self)
        return whole

    def wake(self, *, now: float) -> None:
        self.deadline = None
        self._layer.counters.malformed += 1
        self.give_up()

    def give_up(self) -> None:
        assert self.flow.connection is not None
        self._layer.outbox.append(CloseConnection(self.flow.connection))

    def close(self) -> None:
        self._layer.agenda.forget(self)
