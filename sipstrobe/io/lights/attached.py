"""Lamps at this machine: to open and drive them may block, and is done in a thread of its own."""

import atexit
from collections.abc import Callable
from threading import Condition, Thread
from time import monotonic
from typing import Final, Protocol
from weakref import WeakSet

PATIENCE: Final = 2.5  # seconds, as receivers in the network have
CLOSE_LIMIT: Final = 1.0  # seconds for which the end of the process waits for the last pictures

_closing: Final[WeakSet[Thread]] = WeakSet()


class Port(Protocol):
    """An open device. Methods may block; `write` raises OSError."""

    def write(self, levels: bytes) -> None: ...
    def close(self) -> None: ...


class Attached:
    """Show the newest picture at a port, which is opened, and opened again, when there is one.

    open_port raises OSError when it cannot be had, or cannot work on this machine. safe: shown when
    no picture has come for the seconds of patience, because the loop is stuck; None: nothing is.
    """

    def __init__(
        self,
        name: str,
        open_port: Callable[[], Port],
        safe: bytes | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._name = name
        self._open_port = open_port
        self._safe = safe
        self._patience = patience
        self._port: Port | None = None
        self._news = Condition()
        self._levels: bytes | None = None  # to be shown
        self._shown = safe
        self._closing = False
        self._problem = ""
        self._thread = Thread(target=self._run, name=f"light {name}", daemon=True)
        self._thread.start()

    def send(self, levels: bytes) -> None:
        """Raises OSError with what has come of the picture before."""
        problem = self._problem
        with self._news:
            self._levels = levels
            self._news.notify()
        if problem:
            raise OSError(problem)

    def check(self) -> None:
        """Raises OSError with what has come of the last picture that was tried."""
        if self._problem:
            raise OSError(self._problem)

    def close(self) -> None:
        """What was sent last is still shown; the process ends after that, or after CLOSE_LIMIT."""
        _closing.add(self._thread)
        with self._news:
            self._closing = True
            self._news.notify()

    def _run(self) -> None:
        while (levels := self._take()) is not None:
            try:
                if self._port is None:
                    self._port = self._open_port()
                self._port.write(levels)
            except Exception as error:  # of a driver that we do not know
                self._problem = f"{self._name}: {_words(error)}"
                self._give_up()
            else:
                self._problem = ""
        self._give_up()

    def _take(self) -> bytes | None:
        """The newest picture, or the safe one when there is none for long; None: it is over."""
        with self._news:
            patience = None if self._safe in (None, self._shown) else self._patience
            while self._levels is None and not self._closing:
                if not self._news.wait(patience):
                    self._levels = self._safe
                    break
            self._shown, self._levels = self._levels, None
        return self._shown

    def _give_up(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def _words(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return words or str(error) or type(error).__name__


@atexit.register
def _finish() -> None:
    """Let the last pictures be shown, where no port is stuck for ever."""
    until = monotonic() + CLOSE_LIMIT
    for thread in list(_closing):
        thread.join(max(0.0, until - monotonic()))
