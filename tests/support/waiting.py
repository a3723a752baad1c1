"""Waiting on a real loop for what has to come, without saying how long it takes."""

import asyncio
from collections.abc import Callable

PATIENCE = 60.0  # seconds that only pass when it never comes


async def until(what: Callable[[], object]) -> None:
    """Let the loop run until it is so."""
    tried = 0
    async with asyncio.timeout(PATIENCE):
        while not what():
            tried += 1
            await asyncio.sleep(0 if tried < 50 else 0.001)


async def turns(number: int = 20) -> None:
    """Let the loop do what there is to do now: within a machine a datagram takes no time."""
    for _ in range(number):
        await asyncio.sleep(0)
