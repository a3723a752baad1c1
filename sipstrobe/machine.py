"""A core without I/O, and what runs it."""

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from sipstrobe.clock import Clock, Handle
from sipstrobe.trace import Cause, Input, Trace

T = TypeVar("T")
R = TypeVar("R")


class Machine(Protocol[T]):
    """Inputs are methods with a keyword `now`; wishes wait in `outbox`; `deadline` calls `wake`."""

    outbox: deque[T]

    @property
    def deadline(self) -> float | None: ...
    def wake(self, *, now: float) -> None: ...


class Driver(Generic[T]):
    """Run one machine: stamp each input with the clock, deliver outputs, keep the single timer.

    Outputs are delivered after the step is complete, in the order they were left, each with the
    cause it was left for; so a handler may feed the same machine again, and what that leaves
    comes after what waits already. `first` are the exception: outputs of this type, which have no
    effect on the machine, are delivered ahead of all that waits, so that nobody who has been
    answered waits for what follows from it here.
    """

    def __init__(
        self,
        machine: Machine[T],
        deliver: Callable[[T], None],
        clock: Clock,
        trace: Trace,
        *,
        name: str = "",
        first: type[T] | None = None,
    ) -> None:
        self.machine = machine
        self._deliver = deliver
        self._clock = clock
        self._trace = trace
        self._name = name or type(machine).__name__
        self._first = first
        self._waiting: deque[tuple[T, Cause | None]] = deque()
        self._delivering = False
        self._timer: Handle | None = None
        self._timer_at: float | None = None

    def feed(self, step: Callable[..., R], *args: object, **kwargs: object) -> R:
        """Call ``step(*args, now=clock.now(), **kwargs)``, deliver the outbox, re-arm the timer.

        The result is the step's own.
        """
        result = step(*args, now=self._clock.now(), **kwargs)
        self._settle()
        return result

    def close(self) -> None:
        """Stop the timer for good."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, None

    def _settle(self) -> None:
        outbox, first = self.machine.outbox, self._first
        ahead: list[T] = []
        if outbox:
            cause = self._trace.current
            for output in outbox:
                if first is not None and isinstance(output, first):
                    ahead.append(output)
                else:
                    self._waiting.append((output, cause))
            outbox.clear()
        try:
            for output in ahead:
                self._deliver(output)
            if self._waiting and not self._delivering:
                self._deliver_all()
        finally:  # a handler that fails takes neither the timer with it nor what waits
            if self.machine.deadline != self._timer_at:
                self._arm()

    def _deliver_all(self) -> None:
        trace = self._trace
        before = trace.current
        self._delivering = True
        try:
            while self._waiting:
                output, trace.current = self._waiting.popleft()
                self._deliver(output)
        finally:
            trace.current = before
            self._delivering = False

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = deadline = self.machine.deadline
        if deadline is not None:
            self._timer = self._clock.call_at(deadline, self._wake)

    def _wake(self) -> None:
        self._timer, self._timer_at = None, None
        now = self._clock.now()
        with self._trace.because(None):
            self._trace.current = self._trace.link(Input("timer", self._name), now)
            self.machine.wake(now=now)
            self._settle()
