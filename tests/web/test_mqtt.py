"""Choosing what is published over MQTT, over HTTP (MQT-13)."""

from sipstrobe.web.mqtt import PREVIEW, TOPICS
from tests.support.web import Device
from tests.web.test_recordings import ask


async def test_what_can_be_published_is_listed(url: str) -> None:
    status, told = await ask(url, "GET", TOPICS, "victor")

    assert status == 200
    [port] = [topic for topic in told["topics"] if topic["event"] == "input/port"]
    assert port["filters"] == ["onvif:Device/axis:IO/Port", "sipstrobe:input/port"]
    assert port["lasting"]


async def test_what_would_be_published_is_shown_and_nothing_is_stored(
    url: str, device: Device
) -> None:
    revision = device.store.revision
    body = {"publications": {"conditions": [{"topic_filter": "call/state", "qos": 1}]}}
    status, told = await ask(url, "POST", PREVIEW, "olga", json=body)

    assert status == 200
    [shown] = told["conditions"]
    assert (shown["problem"], shown["events"]) == ("", ["call/state"])
    serial = device.store.current.device.serial
    [message] = shown["messages"]
    assert message["topic"] == f"sipstrobe/{serial}/event/tns:sipstrobe/call/state"
    assert (message["qos"], message["retain"]) == (1, False)
    assert device.store.revision == revision


async def test_what_is_no_publication_is_refused_with_its_place(url: str) -> None:
    body = {"publications": {"conditions": [{"topic_filter": "call/state", "qos": 3}]}}
    status, told = await ask(url, "POST", PREVIEW, "olga", json=body)

    assert (status, told["field"]) == (400, "publications.conditions[0].qos")
