"""Play what one light function shows: frame after frame, each at its own instant."""

from collections import deque

from msgspec import Struct

from sipstrobe.lightsiren.frame import DARKNESS, Frame
from sipstrobe.lightsiren.operations import Operation
from sipstrobe.lightsiren.patterns import Animation, animate


class Lit(Struct, frozen=True):
    """The light shows this frame from now on. operation: for which one; None: at rest."""

    frame: Frame
    operation: Operation | None


class Player:
    """A machine: the operation to show goes in, its frames come out.

    Instants are counted from the operation's start, so that nothing drifts, and what was hidden
    goes on where it would be by now. A late wake shows the frame of its instant; those that were
    missed are left out.
    """

    def __init__(self) -> None:
        self.outbox: deque[Lit] = deque()
        self.deadline: float | None = None
        self._playing: tuple[Operation, Animation] | None = None

    def play(self, operation: Operation | None, *, now: float) -> None:
        """Show this from now on; None: dark."""
        if operation is None:
            self._playing, self.deadline = None, None
            self.outbox.append(Lit(DARKNESS, None))
            return
        wanted = operation.activity
        animation = animate(wanted.pattern, wanted.colors, wanted.speed, wanted.intensity)
        self._playing = operation, animation
        self._show(operation, animation, now)

    def rest(self) -> None:
        """Nobody looks: no more frames until `resume`."""
        self.deadline = None

    def resume(self, *, now: float) -> None:
        """Somebody looks again: go on where it is by now."""
        if self._playing is not None and self.deadline is None:
            self._show(*self._playing, now)

    def frame_at(self, now: float) -> Frame:
        """What there would be to see."""
        if self._playing is None:
            return DARKNESS
        operation, animation = self._playing
        return animation.at(now - operation.started)[0]

    def wake(self, *, now: float) -> None:
        if self._playing is not None and self.deadline is not None and self.deadline <= now:
            self._show(*self._playing, now)

    def _show(self, operation: Operation, animation: Animation, now: float) -> None:
        frame, following = animation.at(now - operation.started)
        self.deadline = None if following is None else operation.started + following
        self.outbox.append(Lit(frame, operation))
