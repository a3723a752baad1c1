"""The doors to the device as a system, for administrators (ACC-04)."""

from collections.abc import Sequence
from typing import Protocol

from sipstrobe.clock import Clock
from sipstrobe.web.exchange import Route
from sipstrobe.web.ladder import CaptureDoor, LadderDoor
from sipstrobe.web.log import LogDoor
from sipstrobe.web.system_views import SystemViews


class Door(Protocol):
    def routes(self) -> list[Route]: ...


def system_doors(views: SystemViews, clock: Clock) -> Sequence[Door]:
    return (
        LogDoor(views.log, views.access),
        LadderDoor(views.ladder, clock),
        CaptureDoor(views.trace),
    )
