"""Host names become addresses beside the loop.

A thread that waits for a silent name server cannot be stopped, and the threads of the loop's own
pool are waited for at the end: those here are not, and hold up neither files nor the shutdown.
"""

import asyncio
import contextlib
import socket
import threading
from typing import cast

from sipstrobe.io.udp import Address, endpoint_of


class Names:
    """Looks up so many names at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = 0  # threads that have no answer yet, whether anybody still wants it or not

    async def first_address(self, host: str, port: int) -> str:
        """The first address of a name (RFC 3263 §4.2 without SRV). Raises OSError."""
        if self._waiting >= self._limit:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def settle(found: str | OSError) -> None:
            self._waiting -= 1
            if answer.done():
                return
            if isinstance(found, OSError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look_up() -> None:
            found = _look_up(host, port)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look_up, daemon=True).start()
        self._waiting += 1
        return await answer


def _look_up(host: str, port: int) -> str | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        return error
    except ValueError:
        return OSError(f"{host!r} can be no host name")
    return endpoint_of(cast("Address", found[0][4]))[0]
