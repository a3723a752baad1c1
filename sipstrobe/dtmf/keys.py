"""Which keys to press, as people write it, and how long."""

from typing import Final

from sipstrobe.dtmf.event import DIGITS

TONE: Final = 0.1  # seconds that a key is pressed
PAUSE: Final = 0.06  # seconds between two keys
COMMA: Final = ","
COMMA_PAUSE: Final = 2.0  # seconds; as of a modem's dial string (ITU-T V.250, register S8)
MAX_WAITING: Final = 256  # keys and commas

Key = int | None
"""A code of RFC 4733 §3.2, or None for a comma."""


def keys_of(text: str, *, waiting: int = 0) -> list[Key]:
    """Read 0–9, A–D, *, # and commas. waiting: how many others are to be pressed before them.

    Raises ValueError for anything else, for nothing, and for too many.
    """
    if not text:
        raise ValueError("there are no digits")
    wrong = "".join(sign for sign in text if sign != COMMA and sign.upper() not in DIGITS)
    if wrong:
        raise ValueError(f"{text!r} has something else than 0–9, A–D, *, # and commas")
    if waiting + len(text) > MAX_WAITING:
        raise ValueError(f"more than {MAX_WAITING} digits wait")
    return [None if sign == COMMA else DIGITS.index(sign.upper()) for sign in text]
