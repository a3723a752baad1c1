"""What lasts longer than the request that began it: live feeds and streams end with the right to
them, when the account, its password, role, session or token is no more."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

from sipstrobe.clock import Clock, Handle
from sipstrobe.web.exchange import Response
from sipstrobe.web.live import Listener

LOOK_AGAIN: Final = 10.0  # seconds from one look to the next at whose time is over


class Presence:
    """Who has a live feed open. A feed whose reader has gone is forgotten by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: WeakKeyDictionary[Listener, Callable[[], bool]] = WeakKeyDictionary()
        self._timer: Handle | None = None

    def add(self, listener: Listener, still: Callable[[], bool]) -> None:
        """still: whether whoever reads it may go on."""
        self._open[listener] = still
        if self._timer is None:
            self._wait()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def review(self) -> None:
        """End what is no longer allowed, and nothing else."""
        for listener, still in tuple(self._open.items()):
            if not still():
                del self._open[listener]
                listener.close()

    def _wait(self) -> None:
        self._timer = self._clock.call_at(self._clock.now() + LOOK_AGAIN, self._look)

    def _look(self) -> None:
        self._timer = None
        self.review()
        if self._open:
            self._wait()


def while_allowed(response: Response, still: Callable[[], bool]) -> Response:
    """The same answer, whose stream ends when who asked for it may no longer have it."""
    if response.stream is None:
        return response
    return replace(response, stream=_checked(response.stream, still))


async def read_while_allowed(
    content: AsyncIterator[bytes], insist: Callable[[], None]
) -> AsyncIterator[bytes]:
    """The same body, of which nothing is taken of whoever may no longer send it: a long one is on
    its way for minutes. insist: raises what is to be answered then."""
    async for piece in content:
        insist()
        yield piece
    insist()


async def _checked(
    stream: AsyncGenerator[bytes], still: Callable[[], bool]
) -> AsyncGenerator[bytes]:
    try:
        async for piece in stream:
            if not still():
                return
            yield piece
    finally:
        await stream.aclose()
