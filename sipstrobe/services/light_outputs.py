"""The outputs that all lights share: each has its own driver, and its own problem."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.lights import LightDriver, Picture
from sipstrobe.lightsiren.output_specs import name_of, output_of
from sipstrobe.lightsiren.outputs import Output
from sipstrobe.services.light_drivers import OpenLight

logger = logging.getLogger(__name__)

RETRY = 5.0  # seconds until an output that could not be opened is tried again


@dataclass(slots=True)
class _Output:
    """One driver as the settings want it. problem: what keeps it from working, or empty."""

    name: str
    wanted: Output
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
        return {output.name: output.problem for output in self._outputs.values()}

    @property
    def seen(self) -> bool:
        """Whether any of them can be seen; one that is not open yet may be in a moment."""
        return any(o.driver is None or o.driver.seen for o in self._outputs.values())

    def apply(self, outputs: Iterable[str | Output]) -> None:
        """Use these outputs and no others; those in use as they are go on undisturbed."""
        given = [output_of(o) if isinstance(o, str) else o for o in outputs]
        wanted = {name_of(output): output for output in given}
        for name in [n for n, o in self._outputs.items() if wanted.get(n) != o.wanted]:
            output = self._outputs.pop(name)
            self._drop(output)
            if output.problem:
                self._tell(name, "")
        for name, output in wanted.items():
            if name not in self._outputs:
                self._outputs[name] = _Output(name, output)
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
        return [f"{o.name}: {o.problem}" for o in self._outputs.values() if o.problem]

    def part(self) -> None:
        """The device ends: what is to be left of the light is shown where that is set."""
        for name in [n for n, o in self._outputs.items() if o.driver and o.driver.parting]:
            self._drop(self._outputs.pop(name))

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
            output.driver = driver = self._open_light(
                output.wanted, lambda problem: self._report(output, problem)
            )
        except OSError as error:
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
            logger.warning("light %s does not work: %s", output.name, problem)
        else:
            logger.info("light %s works", output.name)
        self._tell(output.name, problem)

    def _tell(self, name: str, problem: str) -> None:
        self._context.bus.publish(
            ServiceStateChanged(service=f"light {name}", working=not problem, problem=problem)
        )

    def _drop(self, output: _Output) -> None:
        if output.driver is None:
            return
        try:
            output.driver.close()
        except Exception:
            logger.exception("light %s did not close", output.name)
