"""Maintenance mode: quiet, and back again by the calendar (checklist MNT-01…05, GAP-14)."""

from datetime import timedelta

import pytest

from sipstrobe.commands import (
    OperationId,
    SetMaintenance,
    StartProfile,
    StopAll,
    StopOperations,
)
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, MaintenanceChanged
from sipstrobe.lightsiren.settings import LightPart, MaintenanceSettings, Profile, SirenPart
from tests.support.signals import Bench

ALARM = Profile(
    name="Alarm",
    light=LightPart(pattern="Steady", colors=("red",), priority=10),
    siren=SirenPart(pattern="Siren: Evac", priority=10),
)
ON, OFF = SetMaintenance(active=True), SetMaintenance(active=False)


def colors(bench: Bench) -> set[str]:
    return {side.color for side in bench.signals.frame() if side.level}


def test_the_siren_is_silent_and_the_light_pulses_white() -> None:
    """MNT-02: whatever users start meanwhile is paused, and counts on."""
    bench = Bench(ALARM, maintenance=True)

    bench.do(StartProfile(profile="Alarm"))
    bench.clock.advance_to(3.0)

    assert bench.speaker.heard == []
    assert colors(bench) == {"white"}
    bench.do(OFF)
    assert bench.speaker.heard == [(3.0, "siren")]
    assert colors(bench) == {"red"}


def test_switching_it_goes_through_the_settings() -> None:
    """MNT-05: that is how it survives a restart."""
    bench = Bench()

    bench.do(SetMaintenance(active=True, seconds=7200))

    until = bench.clock.wall() + timedelta(hours=2)
    assert bench.stored == MaintenanceSettings(active=True, until=until)
    assert bench.signals.maintenance == bench.stored
    assert bench.told(MaintenanceChanged) == [MaintenanceChanged(active=True)]


def test_a_timed_one_ends_by_itself_in_the_settings_too() -> None:
    """MNT-04, GAP-14."""
    bench = Bench()
    bench.do(SetMaintenance(active=True, seconds=100))
    bench.told()

    bench.clock.advance_to(99.9)
    assert colors(bench) == {"white"}
    bench.clock.advance_to(100.0)

    assert bench.stored == MaintenanceSettings(active=False, until=None)
    assert colors(bench) == set()
    assert bench.told(MaintenanceChanged) == [MaintenanceChanged(active=False)]


def test_time_that_passes_while_the_device_is_off_counts() -> None:
    """MNT-05: ten minutes set, nine of them off, one left."""
    bench = Bench()
    until = bench.clock.wall() + timedelta(minutes=1)

    bench.signals.apply_maintenance(MaintenanceSettings(active=True, until=until))

    assert bench.signals.status()[0].ends_at == 60
    bench.clock.advance_to(60)
    assert not bench.stored.active


def test_one_that_ended_while_the_device_was_off_is_over() -> None:
    bench = Bench()
    until = bench.clock.wall() - timedelta(minutes=1)

    bench.signals.apply_maintenance(MaintenanceSettings(active=True, until=until))
    bench.clock.advance(0.001)

    assert bench.signals.status() == []
    assert not bench.signals.maintenance.active


def test_a_calendar_that_is_set_forward_ends_it_within_half_a_minute() -> None:
    bench = Bench()
    bench.do(SetMaintenance(active=True, seconds=86_400))
    bench.clock.ahead = timedelta(days=2)

    bench.clock.advance(30.0)

    assert not bench.signals.maintenance.active


def test_another_time_replaces_the_first() -> None:
    bench = Bench()
    bench.do(SetMaintenance(active=True, seconds=10))
    bench.do(ON)

    bench.clock.advance_to(60)

    assert bench.signals.maintenance.active
    assert bench.signals.status()[0].ends_at is None


def test_a_full_disk_does_not_keep_the_device_quiet() -> None:
    bench = Bench()
    bench.do(SetMaintenance(active=True, seconds=10))
    bench.disk_full = True

    bench.clock.advance_to(10)

    assert not bench.signals.maintenance.active
    assert bench.signals.status() == []


@pytest.mark.parametrize("seconds", [-1, 10**9])
def test_a_senseless_time_is_refused(seconds: int) -> None:
    bench = Bench()

    with pytest.raises(CommandRefused) as refused:
        bench.do(SetMaintenance(active=True, seconds=seconds))

    assert refused.value.code == "maintenance_duration"


def test_users_cannot_remove_it_from_the_lists() -> None:
    """MIX-04."""
    bench = Bench(maintenance=True)

    bench.do(StopAll(functions=tuple(Function)))
    with pytest.raises(CommandRefused):
        bench.do(StopOperations(operations=(OperationId(Function.SIGNALING_LED, 1),)))

    assert [status.priority for status in bench.signals.status()] == [11, 11, 11]


def test_applying_the_same_again_changes_nothing() -> None:
    bench = Bench(maintenance=True)
    bench.told()

    bench.signals.apply_maintenance(MaintenanceSettings(active=True))

    assert bench.told() == []
