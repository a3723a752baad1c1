"""The words of SIP, in all the ways peers spell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import (
    MAX_DELTA_SECONDS,
    MAX_PARAMS,
    MAX_VALUES,
    parse_delta_seconds,
    parse_host,
    parse_integer,
    parse_params,
    parse_port,
    quote,
    split_commas,
    unfold,
    unquote,
)


@given(st.text())
def test_what_is_quoted_comes_back(text: str) -> None:
    assert unquote(quote(text)) == text


def test_folded_lines_are_one() -> None:
    """RFC 3261 §7.3.1: line break and white space count as one space."""
    assert unfold(" \r\n a\r\n\t b \t") == "a b"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", [""]),
        ("a, b ,c", ["a", "b", "c"]),
        ("<sip:a,b@c>,d", ["<sip:a,b@c>", "d"]),
        ('"a, \\", b" <sip:c>, d', ['"a, \\", b" <sip:c>', "d"]),
        ('a;q="1,2",<b>,', ['a;q="1,2"', "<b>", ""]),
    ],
)
def test_commas_in_quotes_and_brackets_do_not_count(text: str, values: list[str]) -> None:
    assert split_commas(text) == values


@pytest.mark.parametrize("text", ['"a, b', "<a, b", 'a, "b\\"'])
def test_an_open_quote_or_bracket_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        split_commas(text)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        (";lr", {"lr": ""}),
        (";Tag=aBc;RPORT", {"tag": "aBc", "rport": ""}),
        (" ; a = 1 ;\tb", {"a": "1", "b": ""}),
        (
            ';+sip.instance="<urn:uuid:1>";x="a;\\"b"',
            {"+sip.instance": "<urn:uuid:1>", "x": 'a;"b'},
        ),
        (";received=2001:db8::1;a=[::1]:5", {"received": "2001:db8::1", "a": "[::1]:5"}),
        (";ob=a==;c=", {"ob": "a==", "c": ""}),
    ],
)
def test_parameters_in_any_spelling(text: str, params: dict[str, str]) -> None:
    assert parse_params(text) == params


@pytest.mark.parametrize(
    "text", [";", ";;a", ";a;", ";a;A", ";a b", ';a="', ";=b", ";a,b", " ;x;x"]
)
def test_parameters_that_are_none(text: str) -> None:
    """RFC 3261 §7.3.1: a name may stand only once."""
    with pytest.raises(RemoteProtocolError):
        parse_params(text)


@pytest.mark.parametrize("space", ["", " "])
def test_the_parameters_of_one_value_are_bounded(space: str) -> None:
    enough = "".join(f";{space}p{n}" for n in range(MAX_PARAMS))

    assert len(parse_params(enough)) == MAX_PARAMS
    with pytest.raises(RemoteProtocolError):
        parse_params(enough + ";more")


def test_the_values_of_a_list_are_bounded() -> None:
    assert len(split_commas(",".join("a" * MAX_VALUES))) == MAX_VALUES
    with pytest.raises(RemoteProtocolError):
        split_commas(",".join("a" * (MAX_VALUES + 1)))


def test_numbers_are_digits_and_nothing_else() -> None:
    assert parse_integer("0042", 255) == 42
    for text in ("", "-1", "+1", "1 ", "٣", "²", "0x1", "256", "9" * 5000):
        with pytest.raises(RemoteProtocolError):
            parse_integer(text, 255)


def test_a_duration_beyond_all_measure_is_a_very_long_one() -> None:
    """RFC 4475 §3.1.2.4."""
    assert parse_delta_seconds("0" * 5000 + "7") == 7
    assert parse_delta_seconds("1" + "0" * 5000) == MAX_DELTA_SECONDS


def test_ports() -> None:
    assert parse_port("5060") == 5060
    for text in ("0", "65536", "00000000000000000000000"):
        with pytest.raises(RemoteProtocolError):
            parse_port(text)


def test_hosts_lose_their_brackets() -> None:
    """RFC 5118 §4.10: three colons are two; §4.5, RFC 5952: one spelling, so that it compares."""
    assert parse_host("[2001:db8:::192.0.2.1]") == "2001:db8::c000:201"
    assert parse_host("[2001:DB8:0::01]") == "2001:db8::1"
    assert parse_host("a.example") == "a.example"
    for text in ("[1.2.3]", "[::1::]", "[]", "[12345::]"):
        with pytest.raises(RemoteProtocolError):
            parse_host(text)
