"""What the light shows at one instant: four sides, each with a colour and a level."""

from typing import NamedTuple

SIDES = "ABCD"


class Side(NamedTuple):
    """One side of the light. level is the lightness as the eye sees it, 0…1.

    A driver of real lamps applies their gamma. A dark side has no colour, so that dark equals dark.
    """

    color: str
    level: float


class Frame(NamedTuple):
    """The sides in the order A, B, C, D."""

    a: Side
    b: Side
    c: Side
    d: Side


DARK = Side("", 0.0)
DARKNESS = Frame(DARK, DARK, DARK, DARK)
