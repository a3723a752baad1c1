"""Header fields are found by any of their names and go back exactly as they came."""

import pytest

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.fields import MAX_HEADERS, Headers

RECEIVED = [
    "v:SIP/2.0/UDP a",
    "FROM  : <sip:a>;tag=1",
    "To:\r\n <sip:b>",
    "Via :  SIP/2.0/TCP b",
    "X-Odd: 1\r\n\t2",
    "x-odd:3",
]


def test_a_field_is_found_by_any_of_its_names() -> None:
    """RFC 3261 §7.3.1, §7.3.3."""
    headers = Headers.from_lines(RECEIVED.copy())

    assert headers.all("via") == headers.all("V") == ("SIP/2.0/UDP a", "SIP/2.0/TCP b")
    assert headers.first("f") == headers.only("from") == "<sip:a>;tag=1"
    assert headers.only("TO") == "<sip:b>"
    assert headers.all("X-ODD") == ("1 2", "3")
    assert headers.first("Contact") is headers.only("m") is None
    assert headers.all("Contact") == ()
    assert "t" in headers
    assert "Contact" not in headers


def test_fields_go_back_exactly_as_they_came() -> None:
    headers = Headers.from_lines(RECEIVED.copy())

    assert headers.all_lines() == RECEIVED
    assert headers.lines("Via") == ["v:SIP/2.0/UDP a", "Via :  SIP/2.0/TCP b"]
    assert headers.items()[1:3] == (("FROM", "<sip:a>;tag=1"), ("To", "<sip:b>"))
    assert len(headers) == len(RECEIVED)


def test_a_field_that_may_stand_once_stands_once() -> None:
    with pytest.raises(RemoteProtocolError):
        Headers.from_lines(RECEIVED.copy()).only("Via")


def test_folded_lines_belong_to_the_field_before() -> None:
    """RFC 3261 §7.3.1. Before the first there is only the start line, which has no folds."""
    headers = Headers.from_lines(["a: 1", " 2", "\t3", "b: 4"])

    assert headers.all_lines() == ["a: 1\r\n 2\r\n\t3", "b: 4"]
    assert headers.first("A") == "1 2 3"
    with pytest.raises(RemoteProtocolError):
        Headers.from_lines([" 1", "a: 2"])


@pytest.mark.parametrize("line", ["", "no colon", ": value", "two words: value", "na\xefve: value"])
def test_a_line_without_a_proper_name_is_refused(line: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Headers.from_lines([line])


def test_the_number_of_fields_is_bounded() -> None:
    assert len(Headers.from_lines(["a: b"] * MAX_HEADERS)) == MAX_HEADERS
    with pytest.raises(RemoteProtocolError) as refused:
        Headers.from_lines(["a: b"] * (MAX_HEADERS + 1))
    assert refused.value.status == 513


def test_nobody_smuggles_a_field_into_ours() -> None:
    smuggled = [("Subject", "x\r\nVia: y"), ("Subject", "x\ny"), ("Sub\rject", "x"), ("", "x")]
    for pair in smuggled:
        with pytest.raises(LocalProtocolError):
            Headers([pair])


def test_one_field_is_replaced_and_the_rest_stays() -> None:
    before = Headers.from_lines(RECEIVED.copy())

    after = before.with_first("Via", "Via: new").with_first("To", "To: <sip:c>")

    assert after.all("Via") == ("new", "SIP/2.0/TCP b")
    assert after.all_lines() == ["Via: new", RECEIVED[1], "To: <sip:c>", *RECEIVED[3:]]
    assert before.all_lines() == RECEIVED


def test_content_length_follows_from_the_body() -> None:
    """It is left alone while it is right, else put right; messages do not differ by it."""
    right = Headers.from_lines(["l :5", "a: b"])
    twice = Headers.from_lines(["l: 5", "a: b", "Content-Length: 5"])
    without = Headers([("a", "b")])

    assert right.with_length(5) == ["l :5", "a: b"]
    assert right.with_length(6) == ["a: b", "Content-Length: 6"]
    assert twice.with_length(5) == ["a: b", "Content-Length: 5"]
    assert without.with_length(0) == ["a: b", "Content-Length: 0"]
    assert right == twice == without
    assert hash(right) == hash(without)
    assert right != Headers([("a", "c")])
