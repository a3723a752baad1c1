"""What the four transactions of RFC 3261 §17 have in common: timer values, signals, the step."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, ClassVar

from msgspec import Struct

from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.message import Response
from sipstrobe.timers import Timers

T1 = 0.5  # seconds; RFC 3261 §17.1.1.1: estimate of the round-trip time
T2 = 4.0  # longest interval between repetitions
T4 = 5.0  # how long a message can stay in the network
TIMEOUT = 64 * T1  # timers B, D, F, H, J, L and M


class Transmit(Struct, frozen=True):
    """Put these bytes on the transaction's flow."""

    data: bytes


class Deliver(Struct, frozen=True):
    """A response for the transaction user."""

    response: Response


class Failure(Enum):
    """Why a client transaction ended without a response.

    The value is the response that RFC 3261 §8.1.3.1 wants it to be treated as.
    """

    TIMEOUT = 408
    TRANSPORT = 503


class AckTimeout(Enum):
    """Timer H: our final response to an INVITE was never acknowledged."""

    TIMER_H = auto()


Signal = Transmit | Deliver | Failure | AckTimeout
Table = Mapping[tuple[Enum, Enum], tuple[Callable[[Any, float], None], Enum]]


class Transaction:
    """One of the RFC's figures, run from its table; `outbox` is emptied by whoever feeds it."""

    __slots__ = ("_timers", "entry", "outbox", "reliable", "state", "terminated")

    table: ClassVar[Table]
    end: ClassVar[Enum]  # the state in which nothing is left to do

    def __init__(self, first: Enum, *, reliable: bool) -> None:
        self.state = first
        self.reliable = reliable
        self.terminated = False
        self.entry: Entry | None = None
        self.outbox: list[Signal] = []
        self._timers: Timers[Enum] = Timers()

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    def wake(self, *, now: float) -> None:
        for timer in self._timers.due(now):
            self._step(timer, now)

    def _step(self, event: Enum, now: float) -> None:
        row = self.table.get((self.state, event))
        if row is None:
            return  # no such arrow in the figure: ignored
        action, state = row
        self.state = state
        action(self, now)
        if self.state is self.end:
            self.terminated = True
            self._timers.stop_all()

    def nothing(self, now: float) -> None:
        """The arrow without an action."""
