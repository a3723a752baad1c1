"""Non-INVITE server transaction: RFC 3261 §17.2.2."""

from enum import Enum, auto
from typing import ClassVar

from sipstrobe.sip.transaction import TIMEOUT, Table, Transaction, Transmit


class State(Enum):
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    REQUEST = auto()  # again
    SEND_1XX = auto()
    SEND_2XX_6XX = auto()
    TIMER_J = auto()


class ServerTransaction(Transaction):
    """Carry the response to one request and give it again each time the request comes again."""

    __slots__ = ("_last",)

    def __init__(self, *, reliable: bool) -> None:
        super().__init__(State.TRYING, reliable=reliable)
        self._last = b""

    @property
    def open(self) -> bool:
        """No final response has been given yet."""
        return self.state is State.TRYING or self.state is State.PROCEEDING

    def repeated(self, *, now: float) -> None:
        """The same request has come again."""
        self._step(Input.REQUEST, now)

    def respond(self, status: int, data: bytes, *, now: float) -> None:
        if self.open:
            self._last = data
            self._step(Input.SEND_1XX if status < 200 else Input.SEND_2XX_6XX, now)

    def _send(self, now: float) -> None:
        self.outbox.append(Transmit(self._last))

    def _complete(self, now: float) -> None:
        self._send(now)
        if self.reliable:
            self.state = State.TERMINATED  # timer J is zero
        else:
            self._timers.start(Input.TIMER_J, now + TIMEOUT)

    end = State.TERMINATED
    table: ClassVar[Table] = {  # RFC 3261 Figure 8: (state, input) -> (action, next state)
        (State.TRYING, Input.REQUEST): (Transaction.nothing, State.TRYING),
        (State.TRYING, Input.SEND_1XX): (_send, State.PROCEEDING),
        (State.TRYING, Input.SEND_2XX_6XX): (_complete, State.COMPLETED),
        (State.PROCEEDING, Input.REQUEST): (_send, State.PROCEEDING),
        (State.PROCEEDING, Input.SEND_1XX): (_send, State.PROCEEDING),
        (State.PROCEEDING, Input.SEND_2XX_6XX): (_complete, State.COMPLETED),
        (State.COMPLETED, Input.REQUEST): (_send, State.COMPLETED),
        (State.COMPLETED, Input.TIMER_J): (Transaction.nothing, State.TERMINATED),
    }
