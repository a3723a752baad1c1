"""INVITE server transaction: RFC 3261 §17.2.1, as amended by RFC 6026 §7.1.

Deviation: transport errors are not fed to it. RFC 6026 lets it stay where it is; its timers, and
those of the session that uses it, end it.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

from sipstrobe.sip.transaction import T1, T2, T4, TIMEOUT, AckTimeout, Table, Transaction, Transmit

TRYING_AFTER = 0.2  # seconds; RFC 3261 §17.2.1: 100 is due unless the user has answered by then


class State(Enum):
    PROCEEDING = auto()
    ACCEPTED = auto()  # RFC 6026: a 2xx has gone out; the session repeats it
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Input(Enum):
    INVITE = auto()  # again
    ACK = auto()
    SEND_1XX = auto()
    SEND_2XX = auto()
    SEND_3XX_6XX = auto()
    TRYING_DUE = auto()
    TIMER_G = auto()
    TIMER_H = auto()
    TIMER_I = auto()
    TIMER_L = auto()


class InviteServerTransaction(Transaction):
    """Carry the responses to one INVITE and repeat the last until the caller has seen it.

    trying: makes the bytes of its 100 response, sent when the user takes longer than 200 ms.
    """

    __slots__ = ("_interval", "_last", "_trying")

    def __init__(self, trying: Callable[[], bytes], *, reliable: bool, now: float) -> None:
        super().__init__(State.PROCEEDING, reliable=reliable)
        self._trying: Callable[[], bytes] | None = trying
        self._last = b""
        self._interval = T1
        self._timers.start(Input.TRYING_DUE, now + TRYING_AFTER)

    @property
    def open(self) -> bool:
        """No final response has been given yet."""
        return self.state is State.PROCEEDING

    @property
    def accepted(self) -> bool:
        return self.state is State.ACCEPTED

    def repeated(self, *, now: float) -> None:
        """The same INVITE has come again."""
        self._step(Input.INVITE, now)

    def ack(self, *, now: float) -> None:
        self._step(Input.ACK, now)

    def respond(self, status: int, data: bytes, *, now: float) -> None:
        """Send a response; a 2xx is given once more for each repetition (RFC 3261 §13.3.1.4)."""
        if status < 200:
            event = Input.SEND_1XX
        elif status < 300:
            event = Input.SEND_2XX
        else:
            event = Input.SEND_3XX_6XX
        if (self.state, event) in self.table:
            self._last = data
            self._step(event, now)

    def _try(self, now: float) -> None:
        assert self._trying is not None
        self._last = self._trying()
        self._send(now)

    def _send(self, now: float) -> None:
        self._timers.stop(Input.TRYING_DUE)
        self.outbox.append(Transmit(self._last))

    def _answer_again(self, now: float) -> None:
        if self._last:
            self._send(now)
        else:
            self._try(now)

    def _accept(self, now: float) -> None:
        self._send_2xx(now)
        self._trying = None
        self._timers.start(Input.TIMER_L, now + TIMEOUT)

    def _send_2xx(self, now: float) -> None:
        self._send(now)
        self._last = b""  # RFC 6026: a repeated INVITE is absorbed

    def _reject(self, now: float) -> None:
        self._send(now)
        self._trying = None
        if not self.reliable:
            self._timers.start(Input.TIMER_G, now + self._interval)
        self._timers.start(Input.TIMER_H, now + TIMEOUT)

    def _repeat(self, now: float) -> None:
        self._send(now)
        self._interval = min(2 * self._interval, T2)
        self._timers.start(Input.TIMER_G, now + self._interval)

    def _confirm(self, now: float) -> None:
        self._timers.stop_all()
        self._last = b""
        if self.reliable:
            self.state = State.TERMINATED
        else:
            self._timers.start(Input.TIMER_I, now + T4)

    def _give_up(self, now: float) -> None:
        self.outbox.append(AckTimeout.TIMER_H)

    end = State.TERMINATED
    table: ClassVar[
        Table
    ] = {  # RFC 3261 Figure 7 with RFC 6026: (state, input) -> (action, next state)
        (State.PROCEEDING, Input.INVITE): (_answer_again, State.PROCEEDING),
        (State.PROCEEDING, Input.TRYING_DUE): (_try, State.PROCEEDING),
        (State.PROCEEDING, Input.SEND_1XX): (_send, State.PROCEEDING),
        (State.PROCEEDING, Input.SEND_2XX): (_accept, State.ACCEPTED),
        (State.PROCEEDING, Input.SEND_3XX_6XX): (_reject, State.COMPLETED),
        (State.ACCEPTED, Input.INVITE): (Transaction.nothing, State.ACCEPTED),
        (State.ACCEPTED, Input.ACK): (Transaction.nothing, State.ACCEPTED),
        (State.ACCEPTED, Input.SEND_2XX): (_send_2xx, State.ACCEPTED),
        (State.ACCEPTED, Input.TIMER_L): (Transaction.nothing, State.TERMINATED),
        (State.COMPLETED, Input.INVITE): (_send, State.COMPLETED),
        (State.COMPLETED, Input.TIMER_G): (_repeat, State.COMPLETED),
        (State.COMPLETED, Input.ACK): (_confirm, State.CONFIRMED),
        (State.COMPLETED, Input.TIMER_H): (_give_up, State.TERMINATED),
        (State.CONFIRMED, Input.ACK): (Transaction.nothing, State.CONFIRMED),
        (State.CONFIRMED, Input.TIMER_I): (Transaction.nothing, State.TERMINATED),
    }
