"""What would be published, before it is (MQT-13)."""

import json
from datetime import UTC, datetime

import pytest

from sipstrobe.events import DECLARED, Event
from sipstrobe.mqtt.examples import MAX_MESSAGES, Covered, covered, example, topics
from sipstrobe.mqtt.payload import HEARD, Publisher
from sipstrobe.mqtt.settings import Condition, Publications
from sipstrobe.rules.text import at_rest

WALL = datetime(2020, 5, 21, 7, 13, 10, tzinfo=UTC)


def looked(*filters: str, **wanted: object) -> list[Covered]:
    conditions = tuple(Condition(topic_filter=one, retain="property") for one in filters)
    publications = Publications(conditions=conditions, **wanted)  # pyright: ignore[reportArgumentType]
    return list(covered(publications, "sipstrobe/S", "S", WALL))


@pytest.mark.parametrize("kind", DECLARED.values(), ids=list(DECLARED))
def test_of_each_event_there_is_one_that_has_something_to_report(kind: type[Event]) -> None:
    assert not at_rest(example(kind))


def test_each_filter_of_the_list_means_its_event_and_is_published() -> None:
    told = topics()
    assert {topic.event for topic in told} == DECLARED.keys() - HEARD
    for topic in told:
        for one in topic.filters:
            publisher = Publisher(Publications(conditions=(Condition(topic_filter=one),)), "p", "S")
            event = example(DECLARED[topic.event])
            absent = "AddressRemoved" in one or "HealthCheckFailed" in one  # of another outcome
            assert bool(list(publisher.messages(event, WALL))) is not absent, one


def test_what_a_condition_means_is_shown_as_it_would_be_published() -> None:
    """By the settings of the draft; of very many events some are shown."""
    inputs, everything, wrong = looked("onvif:Device/axis:IO//.", "//.", "x:y", include_serial=True)

    assert inputs.events == ("input/manual_trigger", "input/port", "input/virtual", "output/port")
    message = inputs.messages[2]
    assert (
        message.topic
        == "sipstrobe/S/event/tns:onvif/Device/tns:axis/IO/VirtualInput/$source/port/1"
    )
    assert message.retain
    assert json.loads(message.payload)["serial"] == "S"
    assert (len(everything.events), len(everything.messages)) == (len(topics()), MAX_MESSAGES)
    assert wrong == Covered("there is no name space 'x': onvif, axis or sipstrobe", (), ())
