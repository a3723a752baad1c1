"""What every line driver does."""

from collections.abc import Callable
from typing import Protocol

Seen = Callable[[bool, float | None], None]
"""Is the circuit closed, and since when (monotonic seconds); None: it is found so just now."""


class Line(Protocol):
    """One circuit, watched or switched."""

    def start(self, seen: Seen, failed: Callable[[str], None]) -> None:
        """Tell of an input on the running loop, and what it is now at once. failed: called with
        the reason when the line cannot be used any more."""
        ...

    def drive(self, closed: bool) -> None:
        """Close or open the circuit of an output. Raises OSError."""
        ...

    def close(self) -> None:
        """Let go of it; the circuit of an output is opened before."""
        ...


class OpenLine(Protocol):
    """See `sipstrobe.io.lines.open_line`."""

    def __call__(self, spec: str, *, output: bool, closed: bool) -> Line: ...
