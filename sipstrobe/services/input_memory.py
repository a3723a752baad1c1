"""What inputs without a wire were told last, kept on the disk: nobody would say it again."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sipstrobe.clock import Clock, Handle
from sipstrobe.commands import MAX_ACTIVE_SECONDS, PORTS, VIRTUAL_INPUTS
from sipstrobe.config.files import Files
from sipstrobe.events import LineState

logger = logging.getLogger(__name__)

NAME: Final = "inputs.json"
SPACING: Final = 1.0  # seconds between two writes, so that an input that flutters spares the disk
RETRY: Final = 30.0  # seconds until what could not be written is tried again
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end

_Virtual = Annotated[int, Meta(ge=1, le=VIRTUAL_INPUTS)]
_Port = Annotated[int, Meta(ge=1, le=PORTS)]


class Lasts(Struct, frozen=True, kw_only=True):
    """When something ends by itself: on the calendar, and how long that was when it was stored."""

    until: Annotated[datetime, Meta(tz=True)]
    seconds: Annotated[float, Meta(ge=0, le=MAX_ACTIVE_SECONDS)]

    def left(self, wall: datetime) -> float:
        """Seconds; a calendar that has been set back makes it no longer than it was."""
        return min(self.seconds, (self.until - wall).total_seconds())


class Told(Struct, frozen=True, kw_only=True):
    """virtual: the active ones, and until when; told: the circuits of inputs with the driver
    none."""

    virtual: dict[_Virtual, Lasts | None] = {}
    told: dict[_Port, LineState] = {}


class InputMemory:
    """The last state, on the disk within a second; an older one until it is complete."""

    def __init__(self, clock: Clock, files: Files, state: Callable[[], Told]) -> None:
        """state: what is to be stored, asked for when it is."""
        self._clock = clock
        self._files = files
        self._state = state
        self._stored: Told | None = None
        self._timer: Handle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._changed = False

    def load(self) -> Told:
        """What was stored last; nothing, where that cannot be read."""
        try:
            data = self._files.read(NAME)
            self._stored = msgspec.json.decode(data, type=Told) if data is not None else Told()
        except (OSError, msgspec.MsgspecError, RecursionError, ValueError) as error:
            logger.warning("what inputs were told last cannot be read: %s", error)
            self._stored = Told()
        return self._stored

    def note(self) -> None:
        """The state has changed."""
        self._changed = True
        if self._writing is None and self._timer is None:
            self._write()

    async def aclose(self) -> None:
        """Store what is not stored yet."""
        await self._written_out()
        if self._changed and self._writing is None:  # else the disk hangs
            self._write()
            await self._written_out()

    async def _written_out(self) -> None:
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=CLOSE_LIMIT)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _write(self) -> None:
        """Store the state in another thread, unless it is stored already."""
        self._timer, self._changed = None, False
        state = self._state()
        if state == self._stored:
            return
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._store, msgspec.json.encode(state))
        self._writing.add_done_callback(lambda writing: self._written(writing, state))

    def _store(self, data: bytes) -> None:
        self._files.write(NAME + ".new", data, mode=0o600)
        self._files.replace(NAME, NAME + ".new")

    def _written(self, writing: "asyncio.Future[None]", state: Told) -> None:
        self._writing = None
        error = None if writing.cancelled() else writing.exception()
        pause = SPACING
        if error is None:
            self._stored = state
        else:
            logger.error("what inputs are told cannot be stored: %s", error)
            self._changed, pause = True, RETRY
        self._timer = self._clock.call_at(self._clock.now() + pause, self._again)

    def _again(self) -> None:
        self._timer = None
        if self._changed:
            self._write()
