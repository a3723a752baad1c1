"""Torture messages at the level of messages: what must be read is read, what must not is not."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.message import Request, Response, parse, respond, salvage, validate
from sipstrobe.sip.uri import Uri
from tests.sip.torture import CASES, RFC4475, RFC5118, Case

_BY_NAME = {case.name: case for case in CASES}


def _request(name: str) -> Request:
    message = parse(_BY_NAME[name].data)
    assert isinstance(message, Request)
    return message


def _response(name: str) -> Response:
    message = parse(_BY_NAME[name].data)
    assert isinstance(message, Response)
    return message


def test_every_case_of_both_documents_is_there() -> None:
    assert len({case.section for case in RFC4475}) == len(RFC4475) == 49
    assert {case.section for case in RFC5118} == {f"4.{n}" for n in range(1, 11)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_torture_message_is_read_or_refused_as_the_rfc_wants(case: Case) -> None:
    """RFC 4475 §3, RFC 5118 §4."""
    if not case.by_message:
        message = parse(case.data)
        validate(message)
        assert parse(bytes(message)) == message
        return
    with pytest.raises(RemoteProtocolError) as refused:
        validate(parse(case.data))
    assert case.outcome in ("ignore", refused.value.status)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.by_message and c.outcome != "ignore"], ids=lambda case: case.name
)
def test_whoever_sent_a_refused_request_can_be_told(case: Case) -> None:
    """RFC 3261 §8.2.6.2: Via, From, Call-ID and CSeq as they came, however bad the rest."""
    request = salvage(case.data)

    assert request is not None
    assert isinstance(case.outcome, int)
    answer = bytes(respond(request, case.outcome, to_tag="ours"))
    for line in case.data.split(b"\r\n\r\n")[0].split(b"\r\n"):
        if line.startswith((b"Via:", b"From:", b"Call-ID:", b"CSeq:")):
            assert line in answer


@pytest.mark.parametrize("name", ["scalarlg", "bigcode"])
def test_a_response_that_makes_no_sense_is_not_answered(name: str) -> None:
    assert salvage(_BY_NAME[name].data) is None


def test_white_space_and_folding_change_nothing() -> None:
    """RFC 4475 §3.1.1.1."""
    invite = _request("wsinv")

    assert invite.to.params == {"colour": "red"}
    assert (invite.from_.display, invite.from_.tag) == ('Quinn \\"', "55fq8")
    assert invite.max_forwards == 42
    assert (invite.cseq.number, invite.cseq.method) == (11, "INVITE")
    assert [(v.transport, v.host, v.branch) for v in invite.vias] == [
        ("UDP", "192.0.2.77", "55old"),
        ("TCP", "mill.example.org", "z9hG4bK55mill"),
        ("UDP", "192.0.2.200", "z9hG4bK55far"),
    ]
    (contact,) = invite.contacts
    assert contact.display == 'Two "" quotes'
    assert contact.params == {"fresh": "paint", "flag": "", "q": "0.25"}
    assert invite.headers.first("WhoEverHeardOfIt") == "a value and the rest of it"
    assert invite.headers.first("itsvalueisonlysigns") == ";;,,;;,;"
    assert invite.headers.first("Subject") == ""
    assert "lr" in invite.routes[0].uri.params


def test_every_character_the_grammar_allows_is_kept() -> None:
    """RFC 4475 §3.1.1.2: methods are case-sensitive, Call-ID may hold brackets and quotes."""
    odd = _request("intmeth")

    assert odd.method == odd.cseq.method == "!any-Token.0123456789_*+`%is'one~"
    assert odd.request_uri.user == "2_strange.USER~(or!not)&it's=1+$/or,/;;?"
    assert odd.request_uri.password == "&it=so,very!*wo$rd_~.(it's-odd)"
    assert odd.request_uri.host == "strobe.example.org"
    assert odd.to.display == "BELL:\x07 NIL:\x00 RUB:\x7f"
    assert odd.from_.display == "word1~` word2'+_ word3*%!.-"
    assert odd.from_.params["anyparam''~+*_!.-%"] == "Лампа светит"
    assert odd.call_id == "oddly.word%XY-!.*_+'@word`~)(><:\\/\"][?}{"
    assert odd.headers.first("other-Header-!.%*+_`'~") == "警報 ist laut"


def test_escapes_stay_escaped() -> None:
    """RFC 4475 §3.1.1.3, §3.1.1.4, §3.1.1.5."""
    assert _request("esc01").request_uri.user == "tel%3A1001%40example.org"
    assert [c.uri.user for c in _request("escnull").contacts] == ["%00", "%00%00"]
    assert _request("esc02").to.display == "%Z%45%zz"
    assert _request("esc02").method == "O%50TIO%4ES"


def test_what_follows_the_body_in_a_datagram_is_dropped() -> None:
    """RFC 4475 §3.1.1.8, RFC 3261 §18.3."""
    register = _request("dblreq")

    assert (register.method, register.body) == ("REGISTER", b"")


def test_parameters_may_sit_in_the_user_part() -> None:
    """RFC 4475 §3.1.1.9."""
    uri = _request("semiuri").request_uri

    assert (uri.user, uri.host, uri.params) == (
        "quinn;day=mon%40example.net",
        "strobe.example.org",
        {},
    )


def test_a_transport_that_nobody_knows_is_a_transport() -> None:
    """RFC 4475 §3.1.1.10."""
    assert [v.transport for v in _request("transports").vias] == [
        "UDP", "SCTP", "TLS", "PIGEON", "TCP",
    ]  # fmt: skip


def test_a_binary_body_is_left_alone() -> None:
    """RFC 4475 §3.1.1.11."""
    message = _request("mpart01")

    assert message.content_type == "multipart/mixed"
    assert b"\x00\r\n\r\nINVITE\xff\xfe\x80" in message.body


def test_a_reason_may_be_anything_or_nothing() -> None:
    """RFC 4475 §3.1.1.12, §3.1.1.13."""
    assert _response("unreason").reason == "= 5**2 * 2**3, а не двести один"
    assert _response("noreason").reason == ""
    assert bytes(_response("noreason")).startswith(b"SIP/2.0 100 \r\n")


def test_names_without_quotes_and_spaces_in_brackets_are_forgiven() -> None:
    """RFC 4475 §3.1.2.14, §3.1.2.15."""
    assert _request("badaspec").to.uri == Uri.parse("sip:s.lamp@strobe.example.org")
    assert _request("baddn").from_.display == "Doe, Jane"


def test_a_contact_without_brackets_owns_the_parameters() -> None:
    """RFC 4475 §3.3.12, §3.3.13, §3.3.14."""
    bare, bracketed, escaped = (
        _request(name).contacts[0] for name in ("cparam01", "cparam02", "regescrt")
    )

    assert (bare.params, bare.uri.params) == ({"unheardof": ""}, {})
    assert (bracketed.params, bracketed.uri.params) == ({}, {"unheardof": ""})
    assert escaped.uri.headers == (("Route", "%3Csip:proxy.example.org%3E"),)


def test_schemes_that_nobody_knows_are_kept() -> None:
    """RFC 4475 §3.3.2, §3.3.3, §3.3.4."""
    assert _request("unkscm").request_uri.scheme == "lamplighter"
    assert _request("novelsc").request_uri.scheme == "soap.beep"
    assert _request("unksm2").to.uri.opaque == "9780131103627"


def test_brackets_decide_where_the_port_is() -> None:
    """RFC 5118 §4.3, §4.4."""
    inside, outside = (
        _request(name).request_uri for name in ("port-ambiguous", "port-unambiguous")
    )

    assert (inside.host, inside.port) == ("2001:db8::10:5070", None)
    assert (outside.host, outside.port) == ("2001:db8::10", 5070)


def test_received_comes_with_or_without_brackets() -> None:
    """RFC 5118 §4.5."""
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        assert _request(name).via.received == "2001:db8::77:255"


def test_three_colons_are_two() -> None:
    """RFC 5118 §4.10."""
    three, two = (
        _request(f"ipv6-{name}").request_uri.host
        for name in ("bug-abnf-3-colons", "correct-abnf-2-colons")
    )
    assert three == two == "2001:db8::c000:201"
