"""Lines that rules and people write into the log of the device."""

import logging
from typing import Final

from sipstrobe.commands import WriteLog
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import LogWritten
from sipstrobe.sending.templates import EVENT, in_line, render

logger = logging.getLogger(__name__)

MAX_TEXT: Final = 1024  # characters, once the placeholders are filled in
_LEVELS: Final = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Journal:
    """Serves WriteLog. Publishes: LogWritten."""

    def __init__(self, context: Context) -> None:
        self._context = context
        context.dispatcher.serve(WriteLog, self._write)

    def _write(self, command: WriteLog) -> None:
        wall = self._context.clock.wall().astimezone().isoformat(timespec="seconds")
        values = {EVENT + name: value for name, value in command.items.items()}
        values |= {"rule": command.rule, "time": wall}
        text = in_line(render(command.text, values, in_line)).strip()
        if not 1 <= len(text) <= MAX_TEXT:
            raise CommandRefused(
                "text", f"the text has {len(text)} characters, not 1 to {MAX_TEXT}"
            )
        logger.log(_LEVELS[command.level], "%s", text)
        self._context.bus.publish(LogWritten(level=command.level, text=text, rule=command.rule))
