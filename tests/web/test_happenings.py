"""What holds and what has happened, over HTTP (EVT-04)."""

from typing import Any

import pytest

from sipstrobe.commands import SetManualTrigger, SetVirtualInput
from tests.support.web import Device
from tests.web.test_recordings import ask

PROPERTIES = "/api/v1/properties"
HISTORY = "/api/v1/history/events"


def push(device: Device, *, active: bool) -> None:
    context = device.context
    with context.trace.input("test", "somebody", context.clock.now()):
        context.dispatcher.execute(SetManualTrigger(trigger=1, active=active))


async def listed(url: str, path: str) -> Any:
    status, found = await ask(url, "GET", path, "victor")
    assert status == 200
    return found


async def test_what_holds_is_told_until_it_is_at_rest(url: str, device: Device) -> None:
    path = f"{PROPERTIES}?event=input/manual_trigger"
    push(device, active=True)
    [held] = (await listed(url, path))["properties"]
    assert held["items"] == {"trigger": "1", "active": "true"}
    assert held["words"]

    push(device, active=False)
    assert (await listed(url, path))["properties"] == []


async def test_what_has_happened_is_told_the_newest_first(url: str, device: Device) -> None:
    push(device, active=True)
    push(device, active=False)
    device.context.dispatcher.execute(SetVirtualInput(input=7, active=True))

    everything = (await listed(url, HISTORY))["events"]
    newest = (await listed(url, f"{HISTORY}?event=input/manual_trigger&limit=1"))["events"]

    assert everything[0]["event"] == "input/virtual"
    assert [e["at"] for e in everything] == sorted((e["at"] for e in everything), reverse=True)
    assert [e["items"]["active"] for e in newest] == ["false"]
    assert newest[0]["time"][:2] == "20"


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=2001", "limit"), ("seconds=-1", "seconds"), ("seconds=nan", "")],
)
async def test_what_cannot_be_asked_for_is_refused_with_its_range(
    url: str, query: str, field: str
) -> None:
    status, problem = await ask(url, "GET", f"{HISTORY}?{query}", "victor")

    assert (status, problem["field"]) == (400, field or "seconds")
    assert "from" in problem["detail"]
