"""A part that fails is started again, and everybody is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged

logger = logging.getLogger(__name__)

FIRST_DELAY = 0.1  # seconds until the first restart; then twice as long each time
LONGEST_DELAY = 30.0
HEALTHY = 60.0  # seconds after which a failure is a new story


async def supervise(
    context: Context, name: str, run: Callable[[Callable[[], None]], Awaitable[None]]
) -> None:
    """Run until it returns or we are cancelled; start it again when it fails.

    `run` is given a function to call when it works. Its failures are logged, and published as
    ServiceStateChanged.
    """
    delay = FIRST_DELAY

    def tell(problem: str) -> None:
        with context.trace.input("service", name, context.clock.now()):
            context.bus.publish(
                ServiceStateChanged(service=name, working=not problem, problem=problem)
            )

    while True:
        began = context.clock.now()
        try:
            await run(lambda: tell(""))
        except Exception as error:
            if context.clock.now() - began > HEALTHY:
                delay = FIRST_DELAY
            known = isinstance(error, OSError)
            words = str(error) or type(error).__name__
            logger.warning("%s: %s; again in %g s", name, words, delay, exc_info=not known)
            tell(words)
        else:
            return
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY)
