"""What every light driver does, and what it is shown."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from msgspec import Struct


class Picture(Struct, frozen=True):
    """What one light function shows from an instant on.

    sides: colour and lightness (0…1) of A, B, C, D; a dark side is ("", 0). The rest says for
    which operation it is; operation None: the light is at rest.
    """

    at: float  # monotonic seconds
    function: str
    sides: Sequence[tuple[str, float]]
    operation: int | None = None
    pattern: str = ""
    priority: int = 0
    profile: str = ""


class LightDriver(Protocol):
    """An output for pictures. Methods may raise OSError, which is reported and survived.

    seen: whether there is anything to see; pictures that nobody sees need not be made.
    parting: whether `close` shows what is to be left of the light; else this is closed only after
    it has been shown darkness.
    """

    seen: ClassVar[bool]
    parting: ClassVar[bool]

    def show(self, picture: Picture) -> None:
        """Show this now; must not block."""
        ...

    def check(self) -> None:
        """Find out whether the light can be used; raises OSError with the reason if not."""
        ...

    def close(self) -> None: ...


class Lamps(Protocol):
    """Real lamps, by the bytes that they are driven with; they know neither colours nor sides.

    `send` and `check` raise OSError with what is known to be wrong: at once, or a while later if
    it came to be known later. None of the methods blocks.
    """

    def send(self, levels: bytes) -> None:
        """Drive the lamps with these values from now on."""
        ...

    def check(self) -> None: ...

    def close(self) -> None:
        """Send what says that nothing more will follow, if there is such a thing."""
        ...
