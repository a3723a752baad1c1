"""The log: served by services.journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sipstrobe.commands.base import Command

LogLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLog(Command):
    """Write a line into the log, and publish log/entry. -> None

    text may hold placeholders such as {event.digit} and {rule} (sending.templates); items are what
    they stand for. rule: which wants it. Refused: text (nothing, or too much, is left of it).
    """

    text: str
    level: LogLevel = "info"
    items: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, hash=False)
    rule: str = ""
