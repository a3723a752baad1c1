"""The SIP messages of the last calls and registrations, as a ladder shows them: who says what to
whom, and when.

A message is kept as it went over the wire, by reference, and looked into only when somebody asks
for it. Each kind of exchange has room of its own, so that
neither registrations nor the questions of strangers push out the calls.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Literal

from sipstrobe.clock import Clock
from sipstrobe.sip.transport import Flow

Kind = Literal["call", "registration", "other"]

ROOM: Final[dict[Kind, int]] = {"call": 200, "registration": 50, "other": 50}
FIRST: Final = 30  # messages of an exchange that stay, beside …
LAST: Final = 30  # … the newest
MAX_BYTES: Final = 4 << 20  # of all messages; beyond, the oldest exchanges go
MESSAGE_BYTES: Final = 8192  # kept of one
CALL_ID_BYTES: Final = 256
_CALL_ID: Final = re.compile(rb"\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|[iI])[ \t]*:[ \t]*([^\r\n]{1,256})")


@dataclass(frozen=True, slots=True)
class Said:
    """One message. at: monotonic seconds."""

    at: float
    sent: bool
    flow: Flow
    data: bytes = field(repr=False)
    cut: bool = False


@dataclass(slots=True, eq=False)
class Exchange:
    """What has one Call-ID. id: its name here, which no other has in this run."""

    id: str
    call_id: bytes
    kind: Kind
    call: str = ""  # the name of the call of ours, if it is one
    first: list[Said] = field(default_factory=list[Said])
    last: deque[Said] = field(default_factory=deque[Said])
    skipped: int = 0  # messages between the two that have not been kept
    size: int = 0  # bytes

    @property
    def messages(self) -> Sequence[Said]:
        return (*self.first, *self.last)


class Ladder:
    """Looks on while the phone speaks."""

    def __init__(self, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        self.size = 0  # bytes of all messages
        self._now = clock.now
        self._max_bytes = max_bytes
        self._serials = count(1)
        self._exchanges: dict[bytes, Exchange] = {}  # by Call-ID, the one that began first first
        self._number: dict[Kind, int] = dict.fromkeys(ROOM, 0)

    # --- looking on -----------------------------------------------------------------------------

    def message(self, data: bytes, flow: Flow, *, sent: bool) -> None:
        """Keep a message that has come or goes; what has no Call-ID is none."""
        found = _CALL_ID.search(data)
        if found is None:
            return
        call_id = found[1].rstrip()
        exchange = self._exchanges.get(call_id)
        if exchange is None:
            exchange = self._begin(call_id, data)
        size = len(data)
        if size <= MESSAGE_BYTES:
            said = Said(self._now(), sent, flow, data)
        else:
            said, size = Said(self._now(), sent, flow, data[:MESSAGE_BYTES], True), MESSAGE_BYTES
        if len(exchange.first) < FIRST:
            exchange.first.append(said)
        else:
            exchange.last.append(said)
            if len(exchange.last) > LAST:
                size -= len(exchange.last.popleft().data)
                exchange.skipped += 1
        exchange.size += size
        self.size += size
        while self.size > self._max_bytes and len(self._exchanges) > 1:
            self._drop(next(iter(self._exchanges.values())))

    def named(self, call_id: str, call: str) -> None:
        """What has this Call-ID is the call of this name."""
        exchange = self._exchanges.get(_as_sent(call_id))
        if exchange is not None:
            exchange.call = call

    def _begin(self, call_id: bytes, data: bytes) -> Exchange:
        kind: Kind = "other"
        if data.startswith(b"INVITE "):
            kind = "call"
        elif data.startswith(b"REGISTER "):
            kind = "registration"
        if self._number[kind] >= ROOM[kind]:
            self._drop(next(one for one in self._exchanges.values() if one.kind == kind))
        self._number[kind] += 1
        exchange = self._exchanges[call_id] = Exchange(str(next(self._serials)), call_id, kind)
        return exchange

    def _drop(self, exchange: Exchange) -> None:
        del self._exchanges[exchange.call_id]
        self._number[exchange.kind] -= 1
        self.size -= exchange.size

    # --- reading --------------------------------------------------------------------------------

    def exchanges(self, *, call: str = "", kind: str = "") -> list[Exchange]:
        """The one that began last first; of this call of ours, or of this kind, if any is named."""
        return [
            exchange
            for exchange in reversed(self._exchanges.values())
            if call in ("", exchange.call) and kind in ("", exchange.kind)
        ]

    def find(self, name: str) -> list[Exchange]:
        """By its id, by the name of a call (which may have several, one for each way that was
        tried) or by its Call-ID."""
        if by_call_id := self._exchanges.get(_as_sent(name)):
            return [by_call_id]
        return [one for one in self._exchanges.values() if name in (one.id, one.call) and name]


def _as_sent(call_id: str) -> bytes:
    """What went over the wire; octets that are no UTF-8 stand in the text as half characters."""
    return call_id.encode("utf-8", "surrogateescape")[:CALL_ID_BYTES].rstrip()
