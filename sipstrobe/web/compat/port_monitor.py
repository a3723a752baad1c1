"""Ports as they change: the endless multipart answer of port.cgi?monitor=."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

from sipstrobe.bus import Bus
from sipstrobe.clock import Clock
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, InputPortChanged, OutputPortChanged
from sipstrobe.web.views import PortView

BOUNDARY: Final = "ioboundary"
_BOUNDARY_LINE: Final = f"--{BOUNDARY}\r\n".encode()
MAX_LISTENERS: Final = 8
WAITING_MAX: Final = 64  # changes kept for a listener that reads slowly; of more, the newest
PULSE: Final = 15.0  # seconds between empty parts, while nothing changes


class PortMonitor:
    """Those who watch ports."""

    def __init__(self, bus: Bus, clock: Clock, ports: Callable[[], Sequence[PortView]]) -> None:
        self._bus = bus
        self._clock = clock
        self._ports = ports
        self._listeners = 0

    def open(self, numbers: Sequence[int]) -> AsyncGenerator[bytes]:
        r"""One part with the states (H active, L not) of these ports, then one for each change
        (/ active, \ not). Begins when it is first asked, ends when it is closed.

        Raises CommandRefused: too_many_listeners.
        """
        if self._listeners >= MAX_LISTENERS:
            raise CommandRefused("too_many_listeners", f"{MAX_LISTENERS} watch already")
        return self._watch(numbers)

    async def _watch(self, numbers: Sequence[int]) -> AsyncGenerator[bytes]:
        if self._listeners >= MAX_LISTENERS:  # that have come meanwhile
            return
        self._listeners += 1
        ports = {port.port: port for port in self._ports() if port.port in numbers}
        changes: deque[str] = deque(maxlen=WAITING_MAX)
        filled = asyncio.Event()
        active = {number: port.active for number, port in ports.items()}

        def note(event: Event) -> None:
            if not isinstance(event, InputPortChanged | OutputPortChanged):
                return
            letter = "I" if isinstance(event, InputPortChanged) else "O"
            known = ports.get(event.port)
            if known is None or letter != _letter(known) or event.active is active[event.port]:
                return
            active[event.port] = event.active
            changes.append(_line(known, "/" if event.active else "\\"))
            filled.set()

        stop = [self._bus.subscribe(kind, note) for kind in (InputPortChanged, OutputPortChanged)]
        try:
            yield _BOUNDARY_LINE + _part(
                [_line(port, "H" if port.active else "L") for port in ports.values()]
            )
            while True:
                if not changes:
                    await self._filled(filled)
                yield _part([changes.popleft()] if changes else [])
        finally:
            for end in stop:
                end()
            self._listeners -= 1

    async def _filled(self, filled: asyncio.Event) -> None:
        """Wait for a change, or for as long as a listener may go without a sign of life."""
        filled.clear()
        timer = self._clock.call_at(self._clock.now() + PULSE, filled.set)
        try:
            await filled.wait()
        finally:
            timer.cancel()


def _letter(port: PortView) -> str:
    return "I" if port.direction == "input" else "O"


def _line(port: PortView, state: str) -> str:
    return f"{port.port}{_letter(port)}:{state}"


def _part(lines: Sequence[str]) -> bytes:
    """With the boundary behind it, so that nobody has to wait for the next part to see its end."""
    content = "".join(f"{line}\r\n" for line in lines)
    return f"Content-Type: text/plain\r\n\r\n{content}\r\n".encode() + _BOUNDARY_LINE
