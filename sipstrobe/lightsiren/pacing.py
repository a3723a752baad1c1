"""When pictures are sent to a lamp: on a change, not too often, and again while nothing changes.

A machine. The newest picture wins: one that had to wait is replaced by the next, so that a lamp
lags by one frame at most. What has changed is repeated at the frame rate for some frames, since
datagrams are lost, and from then on as a sign of life, since lamps go their own way without one. No
change waits for such a repetition.
"""

from collections import deque


class Pace:
    """keep_alive: seconds between repetitions of a picture that stays; None: it is sent once.

    repeats: how often a new picture is sent again, a frame apart, before that.
    """

    def __init__(self, frame_rate: float, keep_alive: float | None, repeats: int = 0) -> None:
        self.outbox: deque[bytes] = deque()
        self._interval = 1 / frame_rate
        self._keep_alive = keep_alive
        self._repeats = repeats
        self._left = 0  # of these repetitions
        self._wanted: bytes | None = None
        self._sent: bytes | None = None
        self._sent_at = self._changed_at = float("-inf")

    @property
    def deadline(self) -> float | None:
        if self._wanted != self._sent:
            return self._changed_at + self._interval
        if self._left:
            return self._sent_at + self._interval
        if self._wanted is None or self._keep_alive is None:
            return None
        return self._sent_at + self._keep_alive

    def show(self, picture: bytes, *, now: float) -> None:
        """Show this from now on."""
        self._wanted = picture
        if picture != self._sent and now >= self._changed_at + self._interval:
            self._send(now)

    def again(self, *, now: float) -> None:
        """Whoever shows it may not have heard of it."""
        if self._wanted is not None:
            self._send(now)

    def wake(self, *, now: float) -> None:
        deadline = self.deadline
        if deadline is not None and deadline <= now:
            self._send(now)

    def _send(self, now: float) -> None:
        assert self._wanted is not None
        if self._wanted != self._sent:
            self._left, self._changed_at = self._repeats, now
        elif self._left:
            self._left -= 1
        self._sent, self._sent_at = self._wanted, now
        self.outbox.append(self._wanted)
