"""Schedules over HTTP: when they come next, and what came of them (SCH-01)."""

from typing import Any

import pytest

from tests.support.web import BELL, Device
from tests.web.test_recordings import ask

PATH = "/api/v1/schedules"


async def test_they_are_listed_with_as_many_occurrences_as_are_wanted(url: str) -> None:
    status, found = await ask(url, "GET", PATH + "?count=2", "victor")

    assert status == 200
    assert found == {
        "schedules": [
            BELL | {"next": [{"start": "in 1 h", "end": None}, {"start": "in 2 h", "end": None}]}
        ]
    }


async def test_what_came_of_one_is_read_by_its_name(url: str) -> None:
    status, found = await ask(url, "GET", f"{PATH}/Bell/history?limit=1", "victor")

    rung: dict[str, Any] = {"at": "today", "until": None, "done": True, "why": "acted"}
    assert (status, found) == (200, {"schedule": "Bell", "occurrences": [rung]})


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/None/history", 404),
        ("/Broken/history", 503),
        ("/Bell/history?limit=0", 400),
        ("/Bell/history?limit=1001", 400),
        ("?count=x", 400),
    ],
)
async def test_what_cannot_be_answered_is_refused(url: str, path: str, status: int) -> None:
    assert (await ask(url, "GET", PATH + path))[0] == status


async def test_they_are_in_the_status_of_the_device(device: Device, url: str) -> None:
    _, found = await ask(url, "GET", "/api/v1/status")

    assert found["schedules"] == device.schedules.snapshot()
