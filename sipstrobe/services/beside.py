"""Steps that may take long, or for ever, done beside the loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def beside(
    name: str, step: Callable[[], None], then: Callable[[BaseException | None], None]
) -> None:
    """Do a step in a thread that nothing has to wait for, not even the end of the process; then go
    on on the loop with its failure, if any."""
    loop = asyncio.get_running_loop()

    def run() -> None:
        failure = None
        try:
            step()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(then, failure)

    Thread(target=run, name=name, daemon=True).start()


def on_loop(then: Callable[[T], None]) -> Callable[[T], None]:
    """What another thread may call for this, once; nothing is done when the loop has ended."""
    loop = asyncio.get_running_loop()

    def call(value: T) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(then, value)

    return call
