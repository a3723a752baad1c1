"""Rules as resources: what each did and why, what they would do, and what looks wrong."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.events import Function
from sipstrobe.rules.simulate import MAX_EVENTS
from tests.rules.bench import call, trigger
from tests.support.web import PASSWORDS, Device

RULES = "/api/v1/rules"
PRESSED = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
ACTIVE = {"event": "call/state", "match": {"state": "active"}}
RULE = {"conditions": [ACTIVE, PRESSED], "action": {"do": "run_light", "pattern": "Steady"}}


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    user = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(user,)) as session:
        yield session


async def ask(
    session: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    async with session.request(method, path, json=body) as response:
        return response.status, await response.json()


async def test_a_rule_is_made_changed_and_removed(session: ClientSession, device: Device) -> None:
    before = [rule.name for rule in device.store.current.rules]

    status, made = await ask(session, "PUT", f"{RULES}/Door", RULE)
    assert (status, made["revision"]) == (201, device.store.revision)
    changed = RULE | {"enabled": False}
    assert (await ask(session, "PUT", f"{RULES}/Door", changed))[0] == 200
    _, told = await ask(session, "GET", RULES)
    assert (told["rules"][-1]["name"], told["rules"][-1]["enabled"]) == ("Door", False)

    assert (await ask(session, "DELETE", f"{RULES}/Door"))[0] == 200
    assert [rule.name for rule in device.store.current.rules] == before
    assert (await ask(session, "DELETE", f"{RULES}/Door"))[0] == 404


async def test_a_rule_that_cannot_be_is_refused_by_its_place(
    session: ClientSession, device: Device
) -> None:
    wrong = RULE | {"action": {"do": "run_light", "pattern": "Odd"}}

    status, told = await ask(session, "PUT", f"{RULES}/Door", wrong)

    place = len(device.store.current.rules)
    assert status == 422
    assert [p["path"] for p in told["problems"]] == [f"/rules/{place}/action/pattern"]


async def test_each_condition_says_since_when_and_by_what(
    session: ClientSession, device: Device
) -> None:
    """The why of a rule that did not act, as data."""
    await ask(session, "PUT", f"{RULES}/Door", RULE)
    with device.context.trace.input("datagram", "INVITE", device.context.clock.now()):
        device.context.bus.publish(call("active", "c9"))

    status, told = await ask(session, "GET", f"{RULES}/Door/history")

    assert (status, told["active"]) == (200, False)
    newest = told["history"][0]
    assert (newest["outcome"], newest["event"]) == ("unmet", "call/state")
    assert [c["holds"] for c in newest["conditions"]] == [True, False]
    in_a_call = newest["conditions"][0]
    assert in_a_call["words"] == "call/state: state active"
    assert (in_a_call["by"]["event"], in_a_call["by"]["items"]["call"]) == ("call/state", "c9")
    assert in_a_call["since"] == newest["at"] <= told["now"]
    assert [link["kind"] for link in newest["why"]] == ["event", "input"]


async def test_a_light_says_which_rule_and_which_datagram_lit_it(
    session: ClientSession, device: Device
) -> None:
    await ask(session, "PUT", f"{RULES}/Door", RULE)
    device.context.bus.publish(trigger(True))
    with device.context.trace.input("datagram", "INVITE", device.context.clock.now()):
        device.context.bus.publish(call("active", "c9"))
    [operation] = [o for o in device.signals.status() if o.function is Function.SIGNALING_LED]

    name = f"{Function.SIGNALING_LED.value}/{operation.id}"
    status, told = await ask(session, "GET", f"/api/v1/why?operation={name}")

    assert status == 200
    assert [(link["kind"], link["name"]) for link in told["began"]] == [
        ("event", "signal/operation"),
        ("command", "start-operation"),
        ("rule", "Door"),
        ("event", "call/state"),
        ("input", "datagram"),
    ]
    assert told["last"] is None

    device.context.bus.publish(trigger(False))
    _, told = await ask(session, "GET", f"/api/v1/why?operation={name}")
    assert [link["name"] for link in told["last"]][:3] == [
        "signal/operation",
        "stop-operations",
        "Door",
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("?call=a&sound=b", 400), ("?call=nobody", 404), ("?sound=siren", 404)],
)
async def test_what_nobody_knows_is_said(session: ClientSession, query: str, status: int) -> None:
    assert (await ask(session, "GET", f"/api/v1/why{query}"))[0] == status


async def test_made_up_events_are_tried_on_the_rules(
    session: ClientSession, device: Device
) -> None:
    await ask(session, "PUT", f"{RULES}/Door", RULE)
    events = [
        {"at": 1, "event": "call/state", "items": {"call": "c1", "state": "active"}},
        {"at": 2, "event": PRESSED["event"], "items": PRESSED["match"]},
    ]

    status, told = await ask(session, "POST", f"{RULES}/simulate", {"events": events})

    mine = [entry for entry in told["timeline"] if entry["rule"] == "Door"]
    assert status == 200
    assert [(e["at"], e["outcome"]) for e in mine] == [(1, "unmet"), (2, "begun")]
    assert mine[1]["orders"][0]["name"] == "start-operation"
    assert (told["active"], told["cut"]) == (["Door"], "")
    assert device.signals.status() == []  # nothing was done


async def test_what_has_happened_is_tried_on_other_rules(
    session: ClientSession, device: Device
) -> None:
    device.context.bus.publish(trigger(True), trigger(False))
    light = {"do": "start_light", "pattern": "Steady", "seconds": 3}
    other = {"name": "Other", "when": PRESSED, "action": light}

    _, told = await ask(session, "POST", f"{RULES}/simulate", {"rules": [other], "recorded": 60})

    assert [(e["rule"], e["outcome"]) for e in told["timeline"]] == [("Other", "begun")]


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"events": [{"event": "no/such"}]}, 422, "/events/0/event"),
        ({"events": [{"event": "call/digit", "items": {"x": "1"}}]}, 422, "/events/0/items/x"),
        ({"events": [{"event": "call/digit"}], "recorded": 5}, 422, "/recorded"),
        ({"rules": [{"name": "R"}]}, 422, "/rules/0/action"),
        ({"events": [{"event": "call/digit"}] * (MAX_EVENTS + 1)}, 400, "events"),
        ({"recorded": 100_000}, 400, "recorded"),
        ({"seconds": -1}, 400, "seconds"),
    ],
)
async def test_what_cannot_be_simulated_is_refused_by_its_place(
    session: ClientSession, body: object, status: int, place: str
) -> None:
    answered, told = await ask(session, "POST", f"{RULES}/simulate", body)

    assert answered == status
    named = [problem["path"] for problem in told.get("problems", ())] or [told.get("field")]
    assert named == [place]


async def test_rules_are_checked_before_they_are_saved(
    session: ClientSession, device: Device
) -> None:
    never = {"name": "Never", "conditions": [PRESSED, PRESSED | {"invert": True}]} | {
        "action": RULE["action"]
    }
    revision = device.store.revision

    status, told = await ask(session, "POST", f"{RULES}/check", {"rules": [never]})

    assert (status, device.store.revision) == (200, revision)
    assert [(w["path"], w["code"]) for w in told["warnings"]] == [
        ("/rules/0/conditions/1", "never")
    ]
    _, saved = await ask(session, "PUT", f"{RULES}/Never", never)  # a warning refuses nothing
    assert [w["code"] for w in saved["warnings"]] == ["never"]
