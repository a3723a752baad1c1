"""A line of a GPIO chip, by the kernel's character device (libgpiod 2).

It is wired like the connector that it stands for (IOP-05): an input is pulled up and closed when
low, an output is an open drain and conducts when closed. The kernel debounces inputs and stamps
their edges, on the clock that all here counts by. When this process ends, in whatever way, the
kernel takes the line back; most chips then leave an open drain open, but none has to.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from sipstrobe.io.lines.base import Seen

CONSUMER: Final = "sipstrobe"
DEBOUNCE: Final = timedelta(milliseconds=5)  # longer than contacts bounce
MISSING: Final = "the Python package gpiod is missing: pip install 'sipstrobe[gpio]'"


def gpiod() -> ModuleType:
    """The library. Raises OSError when it is not installed."""
    try:
        library = import_module("gpiod")
    except ImportError:
        raise OSError(MISSING) from None
    if not hasattr(library, "request_lines"):
        raise OSError("the Python package gpiod is too old: 2.0 is needed")
    return library


class GpioLine:
    """One line, asked of the kernel for ourselves alone."""

    def __init__(
        self, library: Any, chip: str, number: int, *, output: bool, closed: bool = False
    ) -> None:
        """library: the module gpiod. Raises OSError."""
        self._library = library
        self._number = number
        self._is_output = output
        self._watching: asyncio.AbstractEventLoop | None = None
        self._failed: Callable[[str], None] = lambda words: None
        self._seen: Seen = lambda closed, at: None
        line = library.line
        if output:
            wanted = library.LineSettings(
                direction=line.Direction.OUTPUT,
                drive=line.Drive.OPEN_DRAIN,
                active_low=True,
                output_value=self._value(closed),
            )
        else:
            wanted = library.LineSettings(
                direction=line.Direction.INPUT,
                edge_detection=line.Edge.BOTH,
                bias=line.Bias.PULL_UP,
                active_low=True,
                debounce_period=DEBOUNCE,
                event_clock=line.Clock.MONOTONIC,
            )
        try:
            self._request = library.request_lines(
                f"/dev/{chip}", consumer=CONSUMER, config={number: wanted}
            )
        except (OSError, ValueError) as error:  # ValueError: there is no such line on the chip
            words = error.strerror if isinstance(error, OSError) else error
            raise OSError(f"/dev/{chip} line {number}: {words}") from None

    def start(self, seen: Seen, failed: Callable[[str], None]) -> None:
        if self._is_output:
            return
        self._seen, self._failed = seen, failed
        self._watching = asyncio.get_running_loop()
        self._watching.add_reader(self._request.fd, self._read)
        try:
            closed = self._request.get_value(self._number) is self._value(True)
        except OSError as error:
            self._fail(error)
            return
        seen(closed, None)

    def drive(self, closed: bool) -> None:
        self._request.set_value(self._number, self._value(closed))

    def close(self) -> None:
        self._unwatch()
        if self._is_output:
            with contextlib.suppress(OSError):
                self.drive(False)
        self._request.release()

    def _value(self, closed: bool) -> Any:
        values = self._library.line.Value
        return values.ACTIVE if closed else values.INACTIVE

    def _read(self) -> None:
        try:
            edges = self._request.read_edge_events()
        except OSError as error:
            self._fail(error)
            return
        for edge in edges:
            closed = edge.event_type is edge.Type.RISING_EDGE  # of what is low when active
            self._seen(closed, edge.timestamp_ns / 1e9)

    def _fail(self, error: OSError) -> None:
        self._unwatch()
        self._failed(str(error))

    def _unwatch(self) -> None:
        if self._watching is not None:
            self._watching.remove_reader(self._request.fd)
            self._watching = None
