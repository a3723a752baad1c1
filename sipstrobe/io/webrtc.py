"""Sound between browsers and the device by WebRTC (RFC 8825), in a thread with a loop of its own.

aiortc is large and not ours: it is loaded when the first browser asks, and whatever it does at
length (keys, handshakes, parsing) holds up neither calls nor sound. Here is what the device's own
loop calls; everything that comes back is called there.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sipstrobe.io.webrtc_peer import Peer

SAMPLE_RATE: Final = 48000  # of what browsers are given to hear
START_LIMIT: Final = 30.0  # seconds in which the library must have been loaded
ANSWER_LIMIT: Final = 8.0
CLOSE_LIMIT: Final = 2.0

Heard = Callable[[NDArray[np.float32], int], None]
"""A frame of sound, one channel, and its sample rate."""
Changed = Callable[[str], None]
"""The connection is connected, failed or closed."""


class Line:
    """A connection with a browser."""

    def __init__(self, peer: "Peer", loop: asyncio.AbstractEventLoop, answer: str) -> None:
        self.answer = answer
        self._peer = peer
        self._loop = loop

    def say(self, samples: NDArray[np.float32]) -> None:
        """20 ms for the browser to hear, −1…1."""
        block = np.rint(samples * np.float32(32767.0)).astype(np.int16)
        with suppress(RuntimeError):  # the other loop has ended
            self._loop.call_soon_threadsafe(self._peer.say, block)

    async def close(self) -> None:
        with suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(CLOSE_LIMIT):
                closing = asyncio.run_coroutine_threadsafe(self._peer.close(), self._loop)
                await asyncio.wrap_future(closing)


class WebRtc:
    """The thread, begun with the first connection."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._ready: Future[asyncio.AbstractEventLoop] = Future()

    async def open(self, offer: str, *, speaks: bool, heard: Heard, changed: Changed) -> Line:
        """Answer an offer. speaks: the browser is given something to hear.

        Raises RemoteProtocolError for an offer that cannot be answered, ImportError without the
        library, TimeoutError.
        """
        there = await self._running()
        here = asyncio.get_running_loop()

        def on_heard(samples: NDArray[np.float32], rate: int) -> None:
            with suppress(RuntimeError):  # the device's loop has ended
                here.call_soon_threadsafe(heard, samples, rate)

        def on_changed(state: str) -> None:
            with suppress(RuntimeError):
                here.call_soon_threadsafe(changed, state)

        async def answer() -> tuple["Peer", str]:
            from sipstrobe.io.webrtc_peer import Peer

            peer = Peer(on_heard, on_changed)
            return peer, await peer.answer(offer, speaks=speaks)

        async with asyncio.timeout(ANSWER_LIMIT):
            answering = asyncio.run_coroutine_threadsafe(answer(), there)
            peer, text = await asyncio.wrap_future(answering)
        return Line(peer, there, text)

    async def aclose(self) -> None:
        """End the thread; its lines have been closed."""
        if self._thread is None or not self._ready.done() or self._ready.exception():
            return
        self._ready.result().call_soon_threadsafe(self._ready.result().stop)
        await asyncio.to_thread(self._thread.join, CLOSE_LIMIT)

    async def _running(self) -> asyncio.AbstractEventLoop:
        if self._thread is None or (self._ready.done() and self._ready.exception()):
            self._ready = Future()
            self._thread = threading.Thread(
                target=_run, args=(self._ready,), name="webrtc", daemon=True
            )
            self._thread.start()
        async with asyncio.timeout(START_LIMIT):
            return await asyncio.shield(asyncio.wrap_future(self._ready))


def _run(ready: "Future[asyncio.AbstractEventLoop]") -> None:
    try:
        import_module("sipstrobe.io.webrtc_peer")
    except Exception as error:  # told to whoever asked
        ready.set_exception(error)
        return
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.call_soon(ready.set_result, loop)
    try:
        loop.run_forever()
        left: set[asyncio.Task[object]] = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=CLOSE_LIMIT))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
