"""Libraries that wait for their sockets, each in a thread that the loop can break off."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

STEP_LIMIT: Final = 20.0  # seconds that one answer, or one piece of data, may take
_NUMERIC: Final = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class Lifeline:
    """What a thread has open. Cut by the loop, whatever it waits for fails."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cut: list[Callable[[], None]] = []
        self.is_cut = False

    def hold(self, cut: Callable[[], None]) -> None:
        """Call this when the work is broken off; at once, if it has been."""
        with self._lock:
            if not self.is_cut:
                self._cut.append(cut)
                return
        cut()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection that ends with the lifeline. Raises OSError."""
        opened = socket.create_connection((host, port), timeout=STEP_LIMIT / 2)
        opened.settimeout(STEP_LIMIT)
        self.hold(lambda: shut(opened))
        return opened

    def cut(self) -> None:
        with self._lock:
            self.is_cut = True
            cuts, self._cut = self._cut, []
        for cut in cuts:
            cut()


def shut(opened: socket.socket | None) -> None:
    """End a connection under the hands of whoever reads or writes it."""
    if opened is not None:
        with suppress(OSError):
            socket.socket.shutdown(opened, socket.SHUT_RDWR)


async def in_thread(name: str, work: Callable[[Lifeline], None]) -> None:
    """Do the work beside the loop; nobody waits for a thread that hangs, nor does the end of the
    process. Raises what the work raises."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    lifeline = Lifeline()

    def tell(failure: Exception | None) -> None:
        if done.done():
            return
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)

    def run() -> None:
        failure = None
        try:
            work(lifeline)
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(tell, failure)

    Thread(target=run, name=name, daemon=True).start()
    try:
        await done
    except asyncio.CancelledError:
        lifeline.cut()
        raise


async def addresses(host: str, port: int, family: int = 0) -> list[tuple[int, str]]:
    """The families and addresses of a host; name servers that are silent hold up nobody else.

    Raises OSError.
    """
    found: list[tuple[int, str]] = []

    def look_up(_: Lifeline) -> None:
        try:
            infos = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        except UnicodeError:  # a label that is empty or too long
            raise socket.gaierror(socket.EAI_NONAME, "no name") from None
        for of, _type, _proto, _name, at in infos:
            found.append((of, socket.getnameinfo(at, _NUMERIC)[0]))

    await in_thread("names", look_up)
    return found
