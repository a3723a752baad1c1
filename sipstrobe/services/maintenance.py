"""Maintenance mode: kept in the settings, ended by the calendar (checklist MNT-01…05)."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.commands import MAX_MAINTENANCE_SECONDS, ChangeSettings, SetMaintenance
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.events import MaintenanceChanged
from sipstrobe.lightsiren.settings import MaintenanceSettings

logger = logging.getLogger(__name__)

LOOK: Final = 30.0  # seconds after which the calendar is looked at again, since it can be set

_OFF = MaintenanceSettings(active=False)


class Maintenance:
    """Keeps the mode as the settings say, and ends a timed one there when its time has come.

    The end is an instant of the calendar: time that passes while the device is off counts.
    """

    def __init__(self, context: Context, switch: Callable[[bool], None]) -> None:
        self.settings = _OFF
        self._context = context
        self._switch = switch
        self._timer: Handle | None = None

    @property
    def seconds_left(self) -> float | None:
        """None: it is off, or lasts until it is switched off."""
        until = self.settings.until
        if until is None or not self.settings.active:
            return None
        return max(0.0, (until - self._context.clock.wall()).total_seconds())

    def order(self, command: SetMaintenance) -> None:
        """Change the settings, which come back to `apply`; so the mode survives a restart."""
        until = None
        if command.active and command.seconds is not None:
            if not 0 <= command.seconds <= MAX_MAINTENANCE_SECONDS:
                raise CommandRefused(
                    "maintenance_duration", f"must be 0 to {MAX_MAINTENANCE_SECONDS} seconds"
                )
            until = self._context.clock.wall() + timedelta(seconds=command.seconds)
        self._store(MaintenanceSettings(active=command.active, until=until))

    def apply(self, wanted: MaintenanceSettings) -> None:
        before, self.settings = self.settings, wanted
        if wanted.active != before.active:
            self._switch(wanted.active)
            self._context.bus.publish(MaintenanceChanged(active=wanted.active))
        self._arm()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self.close()
        if (left := self.seconds_left) is not None:
            at = self._context.clock.now() + min(left, LOOK)
            self._timer = self._context.clock.call_at(at, self._look)

    def _look(self) -> None:
        if self.seconds_left:
            self._arm()
            return
        now = self._context.clock.now()
        with self._context.trace.input("timer", "the time of maintenance mode is over", now):
            self.apply(_OFF)  # even if it cannot be stored: the instant has passed for good
            try:
                self._store(_OFF)
            except (CommandRefused, ConfigError, OSError):
                logger.exception("the end of maintenance mode could not be stored")

    def _store(self, wanted: MaintenanceSettings) -> None:
        until = None if wanted.until is None else wanted.until.isoformat()
        patch = {"maintenance": {"active": wanted.active, "until": until}}
        self._context.dispatcher.execute(ChangeSettings(patch=patch))
