"""INVITE client transaction: RFC 3261 §17.1.1, as amended by RFC 6026 §7.2.

One arrow is added to the figure. A proceeding INVITE is the user's to end; once the user has sent
CANCEL, RFC 3261 §9.1 has it wait 64*T1 for the final response and then forget the transaction.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

from sipstrobe.sip.message import Response
from sipstrobe.sip.transaction import (
    T1,
    TIMEOUT,
    Deliver,
    Failure,
    Table,
    Transaction,
    Transmit,
)

TIMER_D = 32.0  # seconds; RFC 3261 §17.1.1.2: how long a repeated final response is acknowledged


class State(Enum):
    CALLING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()  # RFC 6026: every further 2xx, from whichever fork, goes to the user
    COMPLETED = auto()
    TERMINATED = auto()


class Input(Enum):
    RECEIVE_1XX = auto()
    RECEIVE_2XX = auto()
    RECEIVE_3XX_6XX = auto()
    CANCEL = auto()
    TRANSPORT_ERROR = auto()
    TIMER_A = auto()
    TIMER_B = auto()
    TIMER_D = auto()
    TIMER_M = auto()
    CANCEL_TIMEOUT = auto()


class InviteClientTransaction(Transaction):
    """Send one INVITE until it is heard, deliver its responses, acknowledge a rejection.

    ack: makes the bytes of the ACK for a response other than 2xx (RFC 3261 §17.1.1.3).
    """

    __slots__ = ("_ack", "_acknowledgement", "_data", "_interval", "_response")

    def __init__(
        self, data: bytes, ack: Callable[[Response], bytes], *, reliable: bool, now: float
    ) -> None:
        super().__init__(State.CALLING, reliable=reliable)
        self._data = data
        self._ack = ack
        self._acknowledgement = b""
        self._interval = T1
        self._response: Response | None = None
        self.outbox.append(Transmit(data))
        self._timers.start(Input.TIMER_B, now + TIMEOUT)
        if not reliable:
            self._timers.start(Input.TIMER_A, now + T1)

    def receive(self, response: Response, *, now: float) -> None:
        status = response.status
        self._response = response
        if status < 200:
            self._step(Input.RECEIVE_1XX, now)
        elif status < 300:
            self._step(Input.RECEIVE_2XX, now)
        else:
            self._step(Input.RECEIVE_3XX_6XX, now)
        self._response = None

    @property
    def proceeding(self) -> bool:
        """A provisional response has come, and no final one."""
        return self.state is State.PROCEEDING

    def cancel(self, *, now: float) -> None:
        """The user has sent CANCEL: do not wait for ever."""
        self._step(Input.CANCEL, now)

    def transport_failed(self, *, now: float) -> None:
        self._step(Input.TRANSPORT_ERROR, now)

    def _deliver(self, now: float) -> None:
        assert self._response is not None
        self.outbox.append(Deliver(self._response))

    def _proceed(self, now: float) -> None:
        self._timers.stop_all()
        self._data = b""
        self._deliver(now)

    def _accept(self, now: float) -> None:
        self._proceed(now)
        self._timers.start(Input.TIMER_M, now + TIMEOUT)

    def _reject(self, now: float) -> None:
        assert self._response is not None
        self._acknowledgement = self._ack(self._response)
        self._acknowledge(now)
        self._proceed(now)
        if self.reliable:
            self.state = State.TERMINATED  # timer D is zero
        else:
            self._timers.start(Input.TIMER_D, now + TIMER_D)

    def _acknowledge(self, now: float) -> None:
        self.outbox.append(Transmit(self._acknowledgement))

    def _repeat(self, now: float) -> None:
        self.outbox.append(Transmit(self._data))
        self._interval *= 2
        self._timers.start(Input.TIMER_A, now + self._interval)

    def _cancel(self, now: float) -> None:
        self._timers.start(Input.CANCEL_TIMEOUT, now + TIMEOUT)

    def _time_out(self, now: float) -> None:
        self.outbox.append(Failure.TIMEOUT)

    def _fail(self, now: float) -> None:
        self.outbox.append(Failure.TRANSPORT)

    end = State.TERMINATED
    table: ClassVar[
        Table
    ] = {  # RFC 3261 Figure 5 with RFC 6026: (state, input) -> (action, next state)
        (State.CALLING, Input.TIMER_A): (_repeat, State.CALLING),
        (State.CALLING, Input.TIMER_B): (_time_out, State.TERMINATED),
        (State.CALLING, Input.TRANSPORT_ERROR): (_fail, State.TERMINATED),
        (State.CALLING, Input.RECEIVE_1XX): (_proceed, State.PROCEEDING),
        (State.CALLING, Input.RECEIVE_2XX): (_accept, State.ACCEPTED),
        (State.CALLING, Input.RECEIVE_3XX_6XX): (_reject, State.COMPLETED),
        (State.PROCEEDING, Input.RECEIVE_1XX): (_deliver, State.PROCEEDING),
        (State.PROCEEDING, Input.RECEIVE_2XX): (_accept, State.ACCEPTED),
        (State.PROCEEDING, Input.RECEIVE_3XX_6XX): (_reject, State.COMPLETED),
        (State.PROCEEDING, Input.CANCEL): (_cancel, State.PROCEEDING),
        (State.PROCEEDING, Input.CANCEL_TIMEOUT): (_time_out, State.TERMINATED),
        (State.ACCEPTED, Input.RECEIVE_2XX): (_deliver, State.ACCEPTED),
        (State.ACCEPTED, Input.TIMER_M): (Transaction.nothing, State.TERMINATED),
        (State.COMPLETED, Input.RECEIVE_3XX_6XX): (_acknowledge, State.COMPLETED),
        (State.COMPLETED, Input.TRANSPORT_ERROR): (_fail, State.TERMINATED),
        (State.COMPLETED, Input.TIMER_D): (Transaction.nothing, State.TERMINATED),
    }
