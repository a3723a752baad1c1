"""A bell on the real clock: it rings, the device is killed, and all of it is on record (SCH-01)."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.interop.device import Device, device, wait_until

pytestmark = pytest.mark.interop

NAME = "Bell"
OFF = 1.1  # seconds at the least, so that a bell comes meanwhile
RULES: list[dict[str, Any]] = [
    {
        "name": "Ring",
        "when": {"event": "schedule/pulse", "match": {"schedule": NAME}},
        "action": {"do": "start_profile", "profile": "Notice"},
    },
    {
        "name": "After a failure",
        "when": {"event": "device/started", "match": {"reason": "killed"}},
        "action": {"do": "start_profile", "profile": "Evacuate"},
    },
]


def came_of(device: Device) -> list[dict[str, Any]]:
    """Every occurrence, the newest first."""
    return device.api("GET", f"schedules/{NAME}/history?limit=1000")["occurrences"]


def shows(device: Device, profile: str) -> bool:
    return profile in {operation["profile"] for operation in device.operations()}


def test_a_bell_rings_and_what_the_failure_took_is_on_record(tmp_path: Path) -> None:
    """EVT-09; CON-01: boot. Nothing is lost, and nothing is told in two ways."""
    begin = datetime.now(UTC) - timedelta(days=1)
    text = f"DTSTART:{begin:%Y%m%dT%H%M%S}Z RRULE:FREQ=SECONDLY"
    with device(tmp_path) as running:
        password = running.password
        running.set("/schedules", [{"name": NAME, "text": text}])
        running.set("/rules", RULES)
        wait_until(lambda: any(one["done"] for one in came_of(running)), words="a bell")
        wait_until(lambda: shows(running, "Notice"), words="its light")
        assert running.status()["schedules"][0]["rules"] == ["Ring"]
        before = {one["at"]: one["done"] for one in came_of(running)}
        running.kill()
        killed = time.time()

    wait_until(lambda: time.time() > killed + OFF)
    with device(tmp_path, password=password) as again:
        wait_until(lambda: came_of(again)[0]["done"], words="a bell after the failure")
        occurrences = came_of(again)
        found = {one["at"]: one["done"] for one in occurrences}

        assert len(found) == len(occurrences)
        assert before.items() <= found.items()
        assert any("the device was off from" in one["why"] for one in occurrences)
        assert shows(again, "Evacuate")
