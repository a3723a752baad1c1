"""Numbers that may each be used once, in nearly any order: nonce counts (RFC 7616 §3.4)."""


class Window:
    """The highest number used so far, and which of the `back` below it were used."""

    __slots__ = ("_back", "_highest", "_seen")

    def __init__(self, back: int) -> None:
        self._back = back
        self._highest = 0
        self._seen = 1  # bit n: `highest - n` was used; 0 never may be

    def take(self, number: int) -> bool:
        """Use a number; False when it was used before, or is so far back that nobody knows."""
        if number > self._highest:
            shift = min(number - self._highest, self._back)
            self._seen = (self._seen << shift | 1) & ((1 << self._back) - 1)
            self._highest = number
            return True
        back = self._highest - number
        if back >= self._back or self._seen >> back & 1:
            return False
        self._seen |= 1 << back
        return True
