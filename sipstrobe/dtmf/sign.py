"""What a witness of digits says: telephone events, INFO and tones say it in the same words."""

from enum import Enum
from typing import NamedTuple


class Way(Enum):
    """By which way a digit has come."""

    RTP = "a telephone event"  # RFC 4733
    INFO = "an INFO"
    INBAND = "a tone"


class Sign(NamedTuple):
    """A digit is pressed. begins: this press is told for the first time; seconds: how long it has
    lasted so far, as far as the witness knows; ended: it will last no longer."""

    digit: str
    begins: bool
    seconds: float
    ended: bool
