"""The doors to the device as a system, for administrators (ACC-04)."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sipstrobe.clock import Clock
from sipstrobe.config.settings import Settings
from sipstrobe.web.exchange import Route
from sipstrobe.web.ladder import CaptureDoor, LadderDoor
from sipstrobe.web.log import LogDoor
from sipstrobe.web.system_views import SystemViews
from sipstrobe.web.upkeep import UpkeepDoor


class Door(Protocol):
    def routes(self) -> list[Route]: ...


def system_doors(
    views: SystemViews, clock: Clock, settings: Callable[[], Settings]
) -> Sequence[Door]:
    return (
        LogDoor(views.log, views.access),
        LadderDoor(views.ladder, clock),
        CaptureDoor(views.trace),
        UpkeepDoor(views.upkeep, lambda: settings().device.serial),
    )
