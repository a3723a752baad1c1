"""The circuits that ports have: opened beside the loop, and again where that fails."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.lines import Line, OpenLine

logger = logging.getLogger(__name__)

RETRY: Final = 5.0  # seconds until a line that cannot be used is tried again
CLOSE_LIMIT: Final = 1.0  # seconds that letting go of one may take

Seen = Callable[[int, bool], None]
"""(port, closed): what the circuit of an input is."""


class Wanted(Struct, frozen=True):
    """Which line a port has, and whether we switch it."""

    spec: str
    output: bool


class PortLine:
    """The line of one port. A failure is a state of the service "port N", and hurts nobody else.

    problem: what keeps it from working; empty when it works, or when the port has none.
    """

    def __init__(self, context: Context, port: int, seen: Seen, open_line: OpenLine) -> None:
        self.problem = ""
        self.tried = asyncio.Event()  # it works, or is known not to
        self.tried.set()
        self._context = context
        self._port = port
        self._seen = seen
        self._open_line = open_line
        self._wanted: Wanted | None = None
        self._closed = False
        self._line: Line | None = None
        self._broken = asyncio.Event()
        self._ours = asyncio.Lock()  # held for as long as a line of this port is open
        self._task: asyncio.Task[None] | None = None

    def apply(self, wanted: Wanted | None) -> None:
        """Have this line from now on; None: none."""
        if wanted == self._wanted:
            return
        self._wanted, self._line = wanted, None
        if self._task is not None:
            self._task.cancel()
        self._report("")
        self.tried.clear()
        self._task = asyncio.get_running_loop().create_task(self._hold(wanted))

    def drive(self, closed: bool) -> None:
        """Close or open the circuit; a line that is not there yet will be opened so."""
        self._closed = closed
        if self._line is None or self._wanted is None or not self._wanted.output:
            return
        try:
            self._line.drive(closed)
        except OSError as error:
            self._fail(str(error))

    async def aclose(self) -> None:
        """Open the circuit of an output, and let go."""
        self.apply(None)
        if self._task is not None:
            await asyncio.wait([self._task], timeout=CLOSE_LIMIT)

    async def _hold(self, wanted: Wanted | None) -> None:
        """Keep this line, once the one before has been let go of."""
        async with self._ours:
            while wanted is not None:
                self._broken.clear()
                try:
                    line = await self._open(wanted)
                except (OSError, ValueError) as error:
                    self._fail(str(error))
                else:
                    await self._keep(line, output=wanted.output)
                self.tried.set()
                await asyncio.sleep(RETRY)
        self.tried.set()

    async def _open(self, wanted: Wanted) -> Line:
        loop = asyncio.get_running_loop()
        closed = self._closed

        def work() -> Line:
            return self._open_line(wanted.spec, output=wanted.output, closed=closed)

        opening = loop.run_in_executor(None, work)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])
            if not opening.exception():
                opening.result().close()
            raise

    async def _keep(self, line: Line, *, output: bool) -> None:
        """Use the line until it fails, or is no longer wanted."""
        self._line = line
        try:
            line.start(partial(self._see, line), partial(self._lose, line))
            if output:
                self.drive(self._closed)  # which may have changed meanwhile
            if not self._broken.is_set():
                self._report("")
                self.tried.set()
            await self._broken.wait()
        finally:
            if self._line is line:
                self._line = None
            with contextlib.suppress(OSError):
                line.close()

    def _see(self, line: Line, closed: bool, at: float | None) -> None:
        if self._line is not line:
            return  # another one is wanted since
        at = self._context.clock.now() if at is None else at
        words = f"port {self._port} {'closes' if closed else 'opens'}"
        with self._context.trace.input("gpio", words, at):
            self._seen(self._port, closed)

    def _lose(self, line: Line, words: str) -> None:
        if self._line is line:
            self._fail(words)

    def _fail(self, words: str) -> None:
        self._broken.set()
        self._report(words)

    def _report(self, problem: str) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        name = f"port {self._port}"
        if problem:
            logger.warning("%s does not work: %s", name, problem)
        else:
            logger.info("%s works", name)
        with self._context.trace.input("service", name, self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service=name, working=not problem, problem=problem)
            )
