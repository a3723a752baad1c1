"""Where light goes: one lamp for each light function, and the outputs that all of them share."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import Function, ServiceStateChanged
from sipstrobe.io.lights import LightDriver, Picture
from sipstrobe.lightsiren.frame import Frame
from sipstrobe.lightsiren.operations import Operation
from sipstrobe.lightsiren.player import Lit, Player

logger = logging.getLogger(__name__)

RETRY = 5.0  # seconds until an output that could not be opened is tried again
OpenLight = Callable[[str], LightDriver]


class Lamp:
    """One light function: plays the operation it is given and hands out every frame.

    While nobody watches and no output can be seen, it shows the first frame of what it is given
    and rests.
    """

    def __init__(self, context: Context, function: Function, outputs: "LightOutputs") -> None:
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


@dataclass(slots=True)
class _Output:
    """One driver as the settings name it. problem: what keeps it from working, or empty."""

    spec: str
    driver: LightDriver | None = None
    problem: str = ""


class LightOutputs:
    """The drivers that the settings name. One that fails is reported, and hurts nobody else."""

    def __init__(self, context: Context, open_light: OpenLight) -> None:
        self._context = context
        self._open_light = open_light
        self._outputs: dict[str, _Output] = {}
        self._pictures: dict[str, Picture] = {}  # what each function shows, for a late output
        self._retry: Handle | None = None

    @property
    def states(self) -> dict[str, str]:
        """What keeps each output from working; empty where nothing does."""
        return {output.spec: output.problem for output in self._outputs.values()}

    @property
    def seen(self) -> bool:
        """Whether any of them can be seen; one that is not open yet may be in a moment."""
        return any(o.driver is None or o.driver.seen for o in self._outputs.values())

    def apply(self, specs: Iterable[str]) -> None:
        """Use these outputs and no others; those in use already go on undisturbed."""
        wanted = dict.fromkeys(specs)
        for spec in [spec for spec in self._outputs if spec not in wanted]:
            output = self._outputs.pop(spec)
            self._drop(output)
            if output.problem:
                self._tell(output.spec, "")
        for spec in wanted:
            if spec not in self._outputs:
                self._outputs[spec] = _Output(spec)
        self._open_missing()

    def show(self, picture: Picture) -> None:
        self._pictures[picture.function] = picture
        for output in self._outputs.values():
            if (driver := output.driver) is not None:
                self._try(output, lambda driver=driver: driver.show(picture))

    def check(self) -> list[str]:
        """What is wrong with the outputs, in words; nothing when all work."""
        self._open_missing()
        for output in self._outputs.values():
            if output.driver is not None and not output.problem:
                self._try(output, output.driver.check)
        return [f"{o.spec}: {o.problem}" for o in self._outputs.values() if o.problem]

    def close(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for output in self._outputs.values():
            self._drop(output)
        self._outputs.clear()

    def _open_missing(self) -> None:
        """Open what is not open yet, and come back later for what cannot be."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        for output in self._outputs.values():
            if output.driver is None:
                self._open(output)
        if any(output.driver is None for output in self._outputs.values()):
            at = self._context.clock.now() + RETRY
            self._retry = self._context.clock.call_at(at, self._open_missing)

    def _open(self, output: _Output) -> None:
        try:
            output.driver = driver = self._open_light(output.spec)
        except (OSError, ValueError) as error:
            self._report(output, str(error))
            return
        self._try(output, driver.check)
        for picture in self._pictures.values():
            self._try(output, lambda picture=picture: driver.show(picture))

    def _try(self, output: _Output, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:  # a driver must not hurt the device
            self._report(output, str(error) or type(error).__name__)
        else:
            self._report(output, "")

    def _report(self, output: _Output, problem: str) -> None:
        if problem == output.problem:
            return
        output.problem = problem
        if problem:
            logger.warning("light %s does not work: %s", output.spec, problem)
        else:
            logger.info("light %s works", output.spec)
        self._tell(output.spec, problem)

    def _tell(self, spec: str, problem: str) -> None:
        self._context.bus.publish(
            ServiceStateChanged(service=f"light {spec}", working=not problem, problem=problem)
        )

    def _drop(self, output: _Output) -> None:
        if output.driver is None:
            return
        try:
            output.driver.close()
        except Exception:
            logger.exception("light %s did not close", output.spec)
