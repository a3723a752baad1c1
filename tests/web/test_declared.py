"""What a rule editor is told of events and actions (EVT-04, EVT-07)."""

from typing import Any

from sipstrobe.events import DECLARED
from sipstrobe.rules.settings import Rules
from sipstrobe.web.sections import SECTIONS
from tests.web.test_recordings import ask


async def test_every_event_is_told_as_it_is_declared(url: str) -> None:
    status, found = await ask(url, "GET", "/api/v1/events", "victor")
    events: dict[str, Any] = {event["topic"]: event for event in found["events"]}

    assert status == 200
    assert events.keys() == DECLARED.keys()
    assert events["call/state"]["lasting"]
    assert not events["call/digit"]["lasting"]
    assert events["input/virtual"] == {
        "topic": "input/virtual",
        "words": "A virtual input is active",
        "lasting": True,
        "source": ["input"],
        "rest": {"active": "false"},
        "items": [
            {"name": "input", "values": None},
            {"name": "active", "values": ["true", "false"]},
        ],
    }


async def test_every_action_of_the_schema_is_told(url: str) -> None:
    _, found = await ask(url, "GET", "/api/v1/actions", "victor")
    _, section = await ask(url, "GET", "/api/v1/settings/rules", "victor")
    actions = {action["do"]: action for action in found["actions"]}
    known = section["schema"]["$defs"]["Rule"]["properties"]["action"]["discriminator"]["mapping"]

    assert SECTIONS["rules"] is Rules
    assert list(actions) == list(known)
    assert actions["run_profile"]["lasting"]
    assert not actions["start_profile"]["lasting"]
    assert actions["upload_file"]["recipients"] == ["ftp", "sftp", "share"]
