"""Circuits of this machine: one module for each kind of driver, named by a short text."""

from sipstrobe.io.lines.base import Line, OpenLine, Seen

__all__ = ["Line", "OpenLine", "Seen", "open_line"]


def open_line(spec: str, *, output: bool, closed: bool) -> Line:
    """The line that `gpio:CHIP/LINE` names; an output has its circuit closed or open at once.

    May take long, and blocks. Raises ValueError for a name that is none of these, OSError when it
    cannot be had.
    """
    kind, _, rest = spec.partition(":")
    chip, _, number = rest.rpartition("/")
    if kind != "gpio" or not chip or not (number.isascii() and number.isdigit()):
        raise ValueError(f"{spec!r} is no line: gpio:CHIP/LINE")
    from sipstrobe.io.lines.gpio import GpioLine, gpiod

    return GpioLine(gpiod(), chip, int(number), output=output, closed=closed)
