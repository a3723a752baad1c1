"""Whether there is something to hear."""

from sipstrobe.audio.format import gain_from_db


class Presence:
    """There is at once when it is loud enough, and until it has been quieter for a while.

    So neither the pauses between words nor those of a siren count as silence. level_db: RMS in
    dBFS from which on something is heard; hold: seconds.
    """

    __slots__ = ("_hold", "_least", "_until")

    def __init__(self, level_db: float, hold: float) -> None:
        self._least = gain_from_db(level_db) ** 2
        self._hold = hold
        self._until = float("-inf")

    def hear(self, power: float, *, now: float) -> None:
        """What was played last had this mean square."""
        if power >= self._least:
            self._until = now + self._hold

    def at(self, now: float) -> bool:
        return now < self._until
