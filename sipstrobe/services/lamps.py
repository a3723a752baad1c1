"""One lamp for each light function: what it shows goes to the outputs and to whoever watches."""

from collections.abc import Callable

from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.io.lights import Picture
from sipstrobe.lightsiren.frame import Frame
from sipstrobe.lightsiren.operations import Operation
from sipstrobe.lightsiren.player import Lit, Player
from sipstrobe.services.light_outputs import LightOutputs


class Lamp:
    """One light function: plays the operation it is given and hands out every frame.

    While nobody watches and no output can be seen, it shows the first frame of what it is given
    and rests.
    """

    def __init__(self, context: Context, function: Function, outputs: LightOutputs) -> None:
        self.function = function
        self._clock = context.clock
        self._outputs = outputs
        self._watchers: tuple[Callable[[Frame], None], ...] = ()
        self._player = Player()
        self._driver = context.driver(self._player, self._lit, name=f"{function} player")

    def play(self, operation: Operation | None) -> None:
        self._driver.feed(self._player.play, operation)

    @property
    def frame(self) -> Frame:
        """What it shows now."""
        return self._player.frame_at(self._clock.now())

    def resume(self) -> None:
        """Somebody may look again."""
        self._driver.feed(self._player.resume)

    def watch(self, watcher: Callable[[Frame], None]) -> Callable[[], None]:
        """Call watcher with each frame from now on; the result ends that."""
        self._watchers = (*self._watchers, watcher)
        self.resume()

        def unwatch() -> None:
            self._watchers = tuple(w for w in self._watchers if w is not watcher)

        return unwatch

    def close(self) -> None:
        """Go dark for good."""
        self.play(None)
        self._driver.close()

    def _lit(self, lit: Lit) -> None:
        self._outputs.show(self._picture(lit))
        for watcher in self._watchers:
            watcher(lit.frame)
        if not self._watchers and not self._outputs.seen:
            self._player.rest()

    def _picture(self, lit: Lit) -> Picture:
        at, operation = self._clock.now(), lit.operation
        if operation is None:
            return Picture(at, self.function.value, lit.frame)
        wanted = operation.activity
        return Picture(
            at,
            self.function.value,
            lit.frame,
            operation.id,
            wanted.pattern,
            wanted.priority,
            wanted.profile,
        )
