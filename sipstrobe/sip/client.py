"""Non-INVITE client transaction: RFC 3261 §17.1.2."""

from enum import Enum, auto
from typing import ClassVar

from sipstrobe.sip.message import Response
from sipstrobe.sip.transaction import (
    T1,
    T2,
    T4,
    TIMEOUT,
    Deliver,
    Failure,
    Table,
    Transaction,
    Transmit,
)


class State(Enum):
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    RECEIVE_1XX = auto()
    RECEIVE_2XX_6XX = auto()
    TRANSPORT_ERROR = auto()
    TIMER_E = auto()
    TIMER_F = auto()
    TIMER_K = auto()


class ClientTransaction(Transaction):
    """Send one request, again and again if need be, and deliver its one final response."""

    __slots__ = ("_data", "_interval", "_response")

    def __init__(self, data: bytes, *, reliable: bool, now: float) -> None:
        super().__init__(State.TRYING, reliable=reliable)
        self._data = data
        self._interval = T1
        self._response: Response | None = None
        self.outbox.append(Transmit(data))
        self._timers.start(Input.TIMER_F, now + TIMEOUT)
        if not reliable:
            self._timers.start(Input.TIMER_E, now + T1)

    def receive(self, response: Response, *, now: float) -> None:
        self._response = response
        self._step(Input.RECEIVE_1XX if response.status < 200 else Input.RECEIVE_2XX_6XX, now)
        self._response = None

    def transport_failed(self, *, now: float) -> None:
        self._step(Input.TRANSPORT_ERROR, now)

    def _deliver(self, now: float) -> None:
        assert self._response is not None
        self.outbox.append(Deliver(self._response))

    def _complete(self, now: float) -> None:
        self._deliver(now)
        self._timers.stop_all()
        self._data = b""
        if self.reliable:
            self.state = State.TERMINATED  # timer K is zero
        else:
            self._timers.start(Input.TIMER_K, now + T4)

    def _repeat(self, now: float) -> None:
        self.outbox.append(Transmit(self._data))
        self._interval = T2 if self.state is State.PROCEEDING else min(2 * self._interval, T2)
        self._timers.start(Input.TIMER_E, now + self._interval)

    def _time_out(self, now: float) -> None:
        self.outbox.append(Failure.TIMEOUT)

    def _fail(self, now: float) -> None:
        self.outbox.append(Failure.TRANSPORT)

    end = State.TERMINATED
    table: ClassVar[Table] = {  # RFC 3261 Figure 6: (state, input) -> (action, next state)
        (State.TRYING, Input.TIMER_E): (_repeat, State.TRYING),
        (State.TRYING, Input.TIMER_F): (_time_out, State.TERMINATED),
        (State.TRYING, Input.TRANSPORT_ERROR): (_fail, State.TERMINATED),
        (State.TRYING, Input.RECEIVE_1XX): (_deliver, State.PROCEEDING),
        (State.TRYING, Input.RECEIVE_2XX_6XX): (_complete, State.COMPLETED),
        (State.PROCEEDING, Input.TIMER_E): (_repeat, State.PROCEEDING),
        (State.PROCEEDING, Input.TIMER_F): (_time_out, State.TERMINATED),
        (State.PROCEEDING, Input.TRANSPORT_ERROR): (_fail, State.TERMINATED),
        (State.PROCEEDING, Input.RECEIVE_1XX): (_deliver, State.PROCEEDING),
        (State.PROCEEDING, Input.RECEIVE_2XX_6XX): (_complete, State.COMPLETED),
        (State.COMPLETED, Input.RECEIVE_2XX_6XX): (Transaction.nothing, State.COMPLETED),
        (State.COMPLETED, Input.TIMER_K): (Transaction.nothing, State.TERMINATED),
    }
