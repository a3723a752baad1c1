"""Why a light is lit and why a rule did not act, asked over HTTP after a real call."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.interop.device import Device, device
from tests.interop.sipp import sipp

pytestmark = pytest.mark.interop

IN_A_CALL = {"event": "call/state", "match": {"state": "active"}}
PRESSED = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
LIGHT = {"do": "run_light", "pattern": "Steady", "colors": ["red"]}
RULES: list[dict[str, Any]] = [
    {"name": "Lit in a call", "conditions": [IN_A_CALL], "action": LIGHT},
    {
        "name": "Only if pressed",
        "conditions": [IN_A_CALL, PRESSED],
        "action": {"do": "locate", "seconds": 1},
    },
]


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    with device(tmp_path_factory.mktemp("why"), "--set", f"/rules={json.dumps(RULES)}") as running:
        sipp("uac-answer-and-bye", running.port, running.folder, "-d", "200", extension="1001")
        running.wait_idle()
        yield running


def test_the_chain_leads_from_the_light_to_the_invite_and_from_its_end_to_the_bye(
    post: Device,
) -> None:
    """Each effect has a cause outside, over HTTP (ACT-02)."""
    [begun] = [r for r in history(post, "Lit in a call")["history"] if r["outcome"] == "begun"]
    assert begun["conditions"][0]["holds"] is True
    assert begun["why"][-1]["name"] == "datagram"

    told = post.api("GET", f"why?operation={quote('SignalingLED/1')}")

    began, last = told["began"], told["last"]
    assert [link["name"] for link in began[:3]] == [
        "signal/operation",
        "start-operation",
        "Lit in a call",
    ]
    assert "INVITE" in began[-1]["items"]["words"]
    assert "BYE" in last[-1]["items"]["words"]


def test_what_kept_a_rule_back_is_told_and_tried_out(post: Device) -> None:
    """The condition that was false and since when; the recorded call, had it been pressed."""
    [refused, *_] = [
        r
        for r in history(post, "Only if pressed")["history"]
        if r["event"] == "call/state" and r["items"]["state"] == "active"
    ]
    in_a_call, pressed = refused["conditions"]
    assert (refused["outcome"], in_a_call["holds"], pressed["holds"]) == ("unmet", True, False)
    assert pressed["since"] < in_a_call["since"] == refused["at"]

    without = [dict(rule, conditions=rule["conditions"][:1]) for rule in RULES]
    tried = post.api("POST", "rules/simulate", rules=without, recorded=5)

    mine = [e for e in tried["timeline"] if e["rule"] == "Only if pressed"]
    assert [e["outcome"] for e in mine if e["event"] == "call/state"][:2] == ["begun", "ended"]
    assert mine[0]["orders"] == [{"name": "locate-device", "items": {"seconds": 1}}]
    assert post.operations() == []


def history(post: Device, name: str) -> dict[str, Any]:
    return post.api("GET", f"rules/{quote(name)}/history")
