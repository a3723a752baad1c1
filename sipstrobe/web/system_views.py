"""What the web sees of the device as a system: its logs, its state folder, its machine.

Protocols, as in `views`; the app hands in what they stand for.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Wanted = Callable[[Any], bool]


class LogEntryView(Protocol):
    """One record of the log; at: seconds since 1970, severity: as syslog names it."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> float: ...
    @property
    def severity(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


class LogView(Protocol):
    """What the program says of itself."""

    def selection(self, severity: str, text: str) -> Wanted:
        """Records of this severity or worse with this text in them."""
        ...

    def entries(
        self, wanted: Wanted, limit: int, before: int | None = None
    ) -> Sequence[LogEntryView]:
        """The newest first."""
        ...

    @property
    def full(self) -> bool:
        """As many follow as may."""
        ...

    def follow(
        self, wanted: Wanted, after: int | None
    ) -> AsyncGenerator[Sequence[LogEntryView] | None]:
        """What comes after this seq (None: now); None when there is nothing for long."""
        ...


class AccessView(Protocol):
    """Who was not let in."""

    def refusals(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """seq, at, event, address … of each, the newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemViews:
    """All of it."""

    log: LogView
    access: AccessView
