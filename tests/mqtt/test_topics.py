"""Topics and filters: MQTT 3.1.1 §4.7; those of events as the vendor writes them."""

import pytest

from sipstrobe.mqtt.topics import (
    encoded,
    event_filter,
    filter_problem,
    levels_of,
    matches,
    path,
    told,
    topic_problem,
)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "so"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+", "/a", False),
        ("/+", "/a", True),
        ("+/+", "/a", True),
        ("a/#", "a", True),  # §4.7.1.2: the level above is in it
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("a/+/c", "a/b/c", True),
        ("#", "$SYS/uptime", False),  # §4.7.2
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("A", "a", False),
    ],
)
def test_a_filter_covers_topics(topic_filter: str, topic: str, so: bool) -> None:
    assert matches(topic_filter, topic) is so


@pytest.mark.parametrize("bad", ["", "a+", "a/#/b", "#a", "a\0", "\ud800", "x" * 65536])
def test_what_is_no_filter_is_told(bad: str) -> None:
    assert filter_problem(bad)


@pytest.mark.parametrize("bad", ["", "a/+", "#", "a\0", "\ud800"])
def test_what_is_no_topic_is_told(bad: str) -> None:
    assert topic_problem(bad)


def test_what_is_right_has_no_problem() -> None:
    assert filter_problem("+/a/#") == topic_problem("a/b c") == ""


def test_any_text_can_be_a_level() -> None:
    assert encoded("Door 1/+#%") == "Door 1%2F%2B%23%25"


PORT = levels_of("onvif:Device/axis:IO/Port")


@pytest.mark.parametrize(
    ("text", "so"),
    [
        ("onvif:Device/axis:IO/Port", True),
        ("tns1:Device/tnsaxis:IO/Port", True),
        ("tns1:Device/tnsaxis:IO/tnsaxis:Port", True),  # each level may say it again
        ("onvif:Device/axis:IO//.", True),
        ("onvif:Device/axis:IO/Port//.", True),
        ("onvif:Device//.", True),
        ("//.", True),
        ("onvif:Device/axis:IO", False),
        ("onvif:Device/IO/Port", False),  # the name space is that of the level before
        ("axis:Device//.", False),
        ("onvif:Device/axis:IO/VirtualPort//.", False),
        ("call/state", False),
    ],
)
def test_a_filter_covers_events(text: str, so: bool) -> None:
    assert event_filter(text).covers(PORT) is so


def test_our_own_events_need_no_name_space() -> None:
    ours = levels_of("sipstrobe:call/state")

    assert event_filter("call/state").covers(ours)
    assert event_filter("call//.").covers(ours)


@pytest.mark.parametrize("bad", ["", "foo:Device", "onvif:Device//", "onvif:", "a//b"])
def test_what_is_no_filter_of_events_is_told(bad: str) -> None:
    with pytest.raises(ValueError, match=r"must|name space"):
        event_filter(bad)


def test_the_name_space_stands_only_where_it_changes() -> None:
    """As captured from the vendor's devices."""
    storage = levels_of("axis:Storage/Disruption")

    assert path(PORT, namespaces=True) == "tns:onvif/Device/tns:axis/IO/Port"
    assert path(storage, namespaces=True) == "tns:axis/Storage/Disruption"
    assert path(PORT, namespaces=False) == "Device/IO/Port"
    assert told(PORT) == "onvif:Device/axis:IO/Port"
