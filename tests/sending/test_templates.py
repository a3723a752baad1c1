"""Texts with placeholders: what is filled in, and how it stays one value."""

import json
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sending import templates
from sipstrobe.sending.templates import (
    MAX_PLACEHOLDERS,
    VALUE_MAX,
    for_type,
    in_file_name,
    in_json,
    in_line,
    in_query,
    plain,
    problem,
    render,
)

VALUES = {"rule": "Door", "event.digit": "5", "event.remote_uri": "sip:a@b", "device.name": "Hall"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{rule} on {device.name}", "Door on Hall"),
        ("{event.digit}{event.digit}", "55"),
        ("{call.remote_uri}", "sip:a@b"),
        ("{event.nothing}!", "!"),
        ('{"a": {"b": "{rule}"}, "c": {}}', '{"a": {"b": "Door"}, "c": {}}'),
        ('{"n":{event.digit}}', '{"n":5}'),
        ("{{rule}}", "{rule}"),
        ("{ rule } {Rule} {", "{ rule } {Rule} {"),
    ],
)
def test_names_in_braces_are_filled_in_and_other_braces_stay(text: str, filled: str) -> None:
    assert render(text, VALUES, plain) == filled


def test_a_value_is_not_searched_for_placeholders() -> None:
    """What a caller calls himself is no template."""
    assert render("{event.digit}", {"event.digit": "{device.name}"}, plain) == "{device.name}"


def test_names_that_nothing_fills_are_a_problem() -> None:
    items, call_items = {"digit", "port"}, {"digit"}
    for text in (
        "{rule} {time} {message} {device.serial} {event.port} {call.digit}",
        "{{x}}",
        "{}",
    ):
        assert problem(text, items, call_items) == ""
    for text in ("{nothing}", "{event.nothing}", "{call.port}", "{device.secret}"):
        assert problem(text, items, call_items) == f"{text} is nothing that the rule knows of"


def test_templates_are_bounded() -> None:
    """However long a value and however many placeholders."""
    values = {"event.x": "y" * 10 * VALUE_MAX}
    assert len(render("{event.x}", values, plain)) == VALUE_MAX
    many = "{event.x}" * (MAX_PLACEHOLDERS + 9)
    assert len(render(many, values, plain)) == MAX_PLACEHOLDERS * VALUE_MAX + 9 * len("{event.x}")
    assert problem(many, {"x"}, ()) == f"may have {MAX_PLACEHOLDERS} placeholders"


@given(st.text(max_size=50))
def test_a_value_stays_one_value_wherever_it_goes(value: str) -> None:
    """RFC 8259 §7, RFC 3986 §2.1, RFC 9110 §5.5, XML 1.0 §2.4."""
    values = {"event.x": value}
    said = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if said == value:
        assert json.loads(render('{"a":"{event.x}"}', values, in_json)) == {"a": value}
        query = render("a={event.x}&b=1", values, in_query)
        assert parse_qs(query, keep_blank_values=True) == {"a": [value], "b": ["1"]}
    line = render("{event.x}", values, in_line)
    assert not any(ord(c) < 32 or ord(c) == 127 for c in line)
    name = render("{event.x}", values, in_file_name)
    assert "/" not in name
    assert not name.startswith(".")


def test_values_in_xml_close_nothing() -> None:
    text = render('<a b="{event.x}">{event.x}</a>', {"event.x": "<&'\">\x01"}, templates.in_xml)
    found = ElementTree.fromstring(text)
    assert found.text == found.get("b") == "<&'\">"


def test_the_type_of_a_body_says_how_values_are_written() -> None:
    assert for_type("application/json") is in_json
    assert for_type("application/ld+json; charset=utf-8") is in_json
    assert for_type("text/xml") is templates.in_xml
    assert for_type("application/x-www-form-urlencoded") is in_query
    assert for_type("text/plain") is plain
