"""What every service is given: the foundation of one device, in one hand."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sipstrobe.bus import Bus, Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.machine import Driver, Machine
from sipstrobe.measure import Measures
from sipstrobe.trace import Trace

T = TypeVar("T")


@dataclass(slots=True)
class Context:
    """Clock, cause, bus, dispatcher and measures of one device; randomness enters here too."""

    clock: Clock
    random_bytes: Callable[[int], bytes] = os.urandom
    trace: Trace = field(default_factory=Trace)
    measures: Measures = field(default_factory=Measures)
    bus: Bus = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.bus = Bus(self.clock, self.trace)
        self.dispatcher = Dispatcher(self.clock, self.trace)

    def driver(
        self,
        machine: Machine[T],
        deliver: Callable[[T], None],
        *,
        name: str = "",
        first: type[T] | None = None,
    ) -> Driver[T]:
        return Driver(machine, deliver, self.clock, self.trace, name=name, first=first)
