"""What callers hear when they are answered: a recording from the settings, or silence."""

import asyncio
import logging
from pathlib import Path

from sipstrobe.audio.format import Samples
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import ServiceStateChanged
from sipstrobe.services.recordings import load_recording
from sipstrobe.services.speech import Recording

logger = logging.getLogger(__name__)


class Greeting:
    """Keeps the recording that the settings name, loaded beside the loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._samples: Samples | None = None
        self._wanted = ""
        self._loading: set[asyncio.Task[None]] = set()

    def apply(self, path: str) -> None:
        """Greet with this WAV file from now on; empty: with silence."""
        self._wanted = path
        self._samples = None
        task = asyncio.get_running_loop().create_task(self._load(path))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)

    def recording(self) -> Recording | None:
        """The greeting from its beginning, for one caller."""
        return None if self._samples is None else Recording(self._samples)

    async def _load(self, path: str) -> None:
        problem, samples = "", None
        if path:
            try:
                samples = await asyncio.to_thread(load_recording, Path(path))
            except MediaError as error:
                problem = str(error)
                logger.warning("no greeting: %s", problem)
        if path != self._wanted:
            return
        self._samples = samples
        with self._context.trace.input("file", path, self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="greeting", working=not problem, problem=problem)
            )
