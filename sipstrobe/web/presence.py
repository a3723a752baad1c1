"""What lasts longer than the request that began it: live feeds and streams end with the right to
them, when the account, its password, role, session or token is no more."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

from sipstrobe.web.exchange import Response
from sipstrobe.web.live import Listener


class Presence:
    """Who has a live feed open. A feed whose reader has gone is forgotten by itself."""

    def __init__(self) -> None:
        self._open: WeakKeyDictionary[Listener, Callable[[], bool]] = WeakKeyDictionary()

    def add(self, listener: Listener, still: Callable[[], bool]) -> None:
        """still: whether whoever reads it may go on."""
        self._open[listener] = still

    def review(self) -> None:
        """End what is no longer allowed, and nothing else."""
        for listener, still in tuple(self._open.items()):
            if not still():
                del self._open[listener]
                listener.close()


def while_allowed(response: Response, still: Callable[[], bool]) -> Response:
    """The same answer, whose stream ends when who asked for it may no longer have it."""
    if response.stream is None:
        return response
    return replace(response, stream=_checked(response.stream, still))


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
