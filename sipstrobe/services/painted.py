"""A light on real lamps: its sides are painted, sent at their pace, and made safe in the end."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final, Protocol

from sipstrobe.context import Context
from sipstrobe.io.lights import Lamps, Picture
from sipstrobe.io.lights.datagrams import Found
from sipstrobe.lightsiren.drive import Sides
from sipstrobe.lightsiren.pacing import Pace
from sipstrobe.services.beside import beside

KEEP_ALIVE: Final = 0.9
"""Seconds. E1.31 §6.6.1 and Art-Net 4 ask for 0.8 to 1 s; WLED and E1.31 receivers give up after
2.5 s without anything, Art-Net nodes after 4 s or more. A strip that is plugged in late is lit."""
REPEATS: Final = 3  # of a new picture, E1.31 §6.6.1; a datagram that is lost does no harm so
Report = Callable[[str], None]
"""Told what keeps an output from working whenever that changes; empty: nothing does any more."""


class Painter(Protocol):
    def paint(self, light: str, sides: Sides) -> bytes: ...
    def filled(self, color: str) -> bytes: ...


class Painted:
    """A LightDriver for lamps. make_lamps is given what to call when they have missed a picture.

    safe: what they are left with in the end, and when we have trouble of our own; None: as it is.
    """

    seen: ClassVar = True
    parting: ClassVar = True

    def __init__(
        self,
        context: Context,
        painter: Painter,
        make_lamps: Callable[[Callable[[], None]], Lamps],
        report: Report,
        *,
        frame_rate: int,
        safe: bytes | None,
        name: str,
    ) -> None:
        self._painter = painter
        self._report = report
        self._problem = ""
        self._safe = safe
        self._pace = Pace(frame_rate, KEEP_ALIVE, REPEATS)
        self._driver = context.driver(self._pace, self._send, name=f"light {name}")
        self._lamps = make_lamps(self._again)
        self._driver.feed(self._pace.show, painter.filled(""))

    def show(self, picture: Picture) -> None:
        """Raises OSError with what is wrong already; what will be is told by the report."""
        try:
            levels = self._painter.paint(picture.function, picture.sides)
        except Exception:
            self._make_safe()
            raise
        self._driver.feed(self._pace.show, levels)
        if self._problem:
            raise OSError(self._problem)

    def check(self) -> None:
        self._lamps.check()

    def close(self) -> None:
        self._driver.close()
        self._make_safe()
        self._lamps.close()

    def _again(self) -> None:
        self._driver.feed(self._pace.again)

    def _make_safe(self) -> None:
        if self._safe is not None:
            with suppress(OSError):
                self._lamps.send(self._safe)

    def _send(self, levels: bytes) -> None:
        try:
            self._lamps.send(levels)
        except OSError as error:
            self._tell(str(error))
        else:
            self._tell("")

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._report(problem)


def resolve(host: str, found: Found) -> None:
    """The addresses of a name, as the system finds them (hosts, DNS, mDNS), without waiting."""
    addresses: dict[str, None] = {}

    def step() -> None:
        for info in socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM):
            addresses[str(info[4][0])] = None

    def then(failure: BaseException | None) -> None:
        if failure is None and addresses:
            found(list(addresses))
        else:
            found(OSError(getattr(failure, "errno", None), f"this name is not known: {failure}"))

    beside(f"name of light {host}", step, then)
