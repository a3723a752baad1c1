"""A PIN, entered digit by digit by somebody who may mistype."""

from enum import Enum
from typing import Final

from sipstrobe.secret import Secret

MAX_ATTEMPTS: Final = 3
CLEAR: Final = "*"  # forget what was entered
ENTER: Final = "#"  # judge what was entered, though it is too short


class Verdict(Enum):
    RIGHT = "right"
    WRONG = "wrong"  # may be tried again
    LOCKED = "locked"  # wrong once too often


class PinEntry:
    """Compares what is entered as soon as it is as long as the PIN."""

    def __init__(self, pin: Secret) -> None:
        self._pin = pin
        self._length = len(pin.reveal())
        self._entered = ""
        self.attempts_left = MAX_ATTEMPTS

    def press(self, digit: str) -> Verdict | None:
        """One digit; None while the entry goes on."""
        if not self.attempts_left:
            return Verdict.LOCKED
        if digit == CLEAR:
            self._entered = ""
            return None
        if digit != ENTER:
            self._entered += digit
            if len(self._entered) < self._length:
                return None
        elif not self._entered:
            return None
        entered, self._entered = Secret(self._entered), ""
        if entered == self._pin:
            return Verdict.RIGHT
        self.attempts_left -= 1
        return Verdict.WRONG if self.attempts_left else Verdict.LOCKED
