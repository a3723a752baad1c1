"""Lamps at this machine: to open and drive them may block, and is done in a thread of its own."""

from collections.abc import Callable
from threading import Condition, Thread
from typing import Protocol


class Port(Protocol):
    """An open device. Methods may block; `write` raises OSError."""

    def write(self, levels: bytes) -> None: ...
    def close(self) -> None: ...


class Attached:
    """Show the newest picture at a port, which is opened, and opened again, when there is one.

    open_port raises OSError when it cannot be had, or cannot work on this machine.
    """

    def __init__(self, name: str, open_port: Callable[[], Port]) -> None:
        self._name = name
        self._open_port = open_port
        self._port: Port | None = None
        self._news = Condition()
        self._levels: bytes | None = None
        self._closing = False
        self._problem = ""
        Thread(target=self._run, name=f"light {name}").start()

    def send(self, levels: bytes) -> None:
        with self._news:
            self._levels = levels
            self._news.notify()
        self.check()

    def check(self) -> None:
        """What came of the last picture that was tried."""
        if self._problem:
            raise OSError(self._problem)

    def close(self) -> None:
        """What was sent last is still shown; the process ends after that."""
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
        """The newest picture, as soon as there is one; None: it is over."""
        with self._news:
            while self._levels is None and not self._closing:
                self._news.wait()
            levels, self._levels = self._levels, None
        return levels

    def _give_up(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None


def _words(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) else None
    return words or str(error) or type(error).__name__
