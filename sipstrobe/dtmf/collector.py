"""Digits of one call become sequences (DTM-01, GAP-26).

They are read from the left, and each digit counts once:

- The longest sequence that they begin with is taken. It fires at once, unless further digits
  could make a longer one of it: then when the next digit shows that they do not, or when none
  has come within the time between digits.
- A digit with which no sequence begins is skipped; so after a wrong digit, whatever of the last
  digits can still become a sequence goes on.
- What has fired is used up; the next digit begins afresh.
- Of two sequences with the same digits, one for a long press, the latter fires when the last of
  them has been held, the other when it is let go before.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from sipstrobe.dtmf.presses import Step
from sipstrobe.dtmf.settings import DigitSequence, DtmfSettings

RELEASE_LIMIT: Final = 0.5  # seconds beyond a long press after which a key has been let go


class Fired(Struct, frozen=True):
    """A whole sequence was pressed."""

    sequence: DigitSequence


class Collector:
    """A machine; it holds no more digits than the longest sequence has."""

    def __init__(self, sequences: Iterable[DigitSequence], settings: DtmfSettings) -> None:
        self.outbox: deque[Fired] = deque()
        self.deadline: float | None = None
        self._sequences = {(s.sequence, s.held): s for s in sequences}
        whole = (digits for digits, _ in self._sequences)
        self._beginnings = {digits[:n] for digits in whole for n in range(1, len(digits))}
        self._settings = settings
        self._digits = ""
        self._held: set[int] = set()  # which of them were
        self._down = False  # the last may still become a long press

    def press(self, digit: str, step: Step, *, now: float) -> None:
        """What has become of a key."""
        if step is Step.PRESSED:
            self._read_on(digit, now)
        elif self._down and self._digits.endswith(digit):
            if step is Step.HELD:
                self._held.add(len(self._digits) - 1)
            else:
                self._down = False
            self._read(now)

    def wake(self, *, now: float) -> None:
        """No further digit has come in time."""
        if self.deadline is not None and now >= self.deadline:
            self._down = False
            self._read(now, last=True)

    def _read_on(self, digit: str, now: float) -> None:
        if self._down:  # it was let go, or else there would be no other
            self._down = False
            self._read(now)
        self._digits += digit
        self._down = True
        self._read(now)

    def _read(self, now: float, *, last: bool = False) -> None:
        """Take what can be taken. last: nothing else will come."""
        while self._digits and (last or not self._may_grow()):
            found = self._longest()
            if found is not None:
                self.outbox.append(Fired(found))
            self._drop(1 if found is None else len(found.sequence))
        self.deadline = now + self._patience if self._digits else None

    def _may_grow(self) -> bool:
        """Whether what comes next decides what these digits are."""
        count = len(self._digits)
        if self._digits in self._beginnings:
            return True
        awaits_hold = self._down and count - 1 not in self._held
        return awaits_hold and (self._digits, True) in self._sequences

    def _longest(self) -> DigitSequence | None:
        """The longest sequence at the beginning."""
        for count in range(len(self._digits), 0, -1):
            digits, held = self._digits[:count], count - 1 in self._held
            found = self._sequences.get((digits, True)) if held else None
            found = found or self._sequences.get((digits, False))
            if found is not None:
                return found
        return None

    def _drop(self, count: int) -> None:
        self._digits = self._digits[count:]
        self._held = {n - count for n in self._held if n >= count}

    @property
    def _patience(self) -> float:
        """Seconds from the last change, in which a key that is down may be held."""
        usual = self._settings.digit_timeout
        return max(usual, self._settings.long_press + RELEASE_LIMIT) if self._down else usual
