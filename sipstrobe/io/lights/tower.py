"""A tower light: lamps that lines of a GPIO chip switch on and off (libgpiod 2)."""

from collections.abc import Sequence
from typing import Any, Final

CONSUMER: Final = "sipstrobe"  # who has the lines, as gpioinfo shows


class Tower:
    """The lamps, in the order of their lines; each is driven by a byte, 1: on.

    library: the module gpiod. chip: as gpiodetect names it. Raises OSError or ValueError when
    there is none such, or a line is taken.
    """

    def __init__(self, library: Any, chip: str, lines: Sequence[int], *, active_low: bool) -> None:
        line = library.line
        self._lines = lines
        self._values = line.Value.INACTIVE, line.Value.ACTIVE
        settings = library.LineSettings(
            direction=line.Direction.OUTPUT, active_low=active_low, output_value=self._values[0]
        )
        self._request = library.request_lines(
            f"/dev/{chip}", consumer=CONSUMER, config={tuple(lines): settings}
        )

    def write(self, levels: bytes) -> None:
        """All lamps at once."""
        values = {
            line: self._values[level > 0] for line, level in zip(self._lines, levels, strict=True)
        }
        self._request.set_values(values)

    def close(self) -> None:
        """What the lines are from now on is the chip's own affair: most keep their level."""
        self._request.release()
