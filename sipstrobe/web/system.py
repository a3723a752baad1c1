"""The doors to the device as a system (ACC-04: most of them for administrators)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.web.device import DeviceDoor, HttpClient
from sipstrobe.web.exchange import Route
from sipstrobe.web.ladder import CaptureDoor, LadderDoor
from sipstrobe.web.log import LogDoor
from sipstrobe.web.reach import ReachDoor
from sipstrobe.web.report import ReportDoor
from sipstrobe.web.upkeep import UpkeepDoor
from sipstrobe.web.views import Views


class Door(Protocol):
    def routes(self) -> list[Route]: ...


def system_doors(
    context: Context,
    store: Store,
    views: Views,
    status: Callable[[], Mapping[str, object]],
    http: Callable[[], Sequence[HttpClient]],
    user: Callable[[str], str],
) -> Sequence[Door]:
    """http: the connections of the web server; user: who has proven himself from an address."""
    clock, system = context.clock, views.system
    return (
        DeviceDoor(clock, views, lambda: store.current, http, user),
        LogDoor(system.log, system.access),
        LadderDoor(system.ladder, clock),
        CaptureDoor(system.trace),
        ReachDoor(),
        ReportDoor(clock, system, context.measures, status, store.export),
        UpkeepDoor(system.upkeep, lambda: store.current.device.serial),
    )
