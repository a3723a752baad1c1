"""Requests and responses: read, checked, answered, written."""

from contextlib import suppress
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.fields import MAX_HEADERS, MAX_LINE
from sipstrobe.sip.grammar import MAX_VALUES
from sipstrobe.sip.headers import STAR, CSeq, RAck, SessionExpires
from sipstrobe.sip.message import (
    MAX_MESSAGE_BYTES,
    MAX_VIAS,
    Headers,
    Request,
    Response,
    parse,
    received_from,
    respond,
    salvage,
    validate,
)
from sipstrobe.sip.reasons import reason_phrase
from tests.sip.torture import CALL, CASES

_MINIMUM = (
    "OPTIONS sip:h SIP/2.0",
    "Via: SIP/2.0/UDP a;branch=z9hG4bK1",
    "From: <sip:a>;tag=1",
    "To: <sip:b>",
    "Call-ID: 1",
    "CSeq: 1 OPTIONS",
)


def _wire(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode() + body


def _request(*more: str, body: bytes = b"") -> Request:
    message = parse(_wire(*_MINIMUM, *more, body=body))
    assert isinstance(message, Request)
    return message


def test_a_call_is_read_and_written_to_the_byte() -> None:
    call = parse(CALL)

    validate(call)

    assert isinstance(call, Request)
    assert bytes(call) == CALL
    assert (call.method, call.uri) == ("INVITE", "sip:1001@192.0.2.1:5060;transport=udp")
    assert call.request_uri.user == "1001"
    assert [via.host for via in call.vias] == ["192.0.2.20", "192.0.2.9"]
    assert (call.from_.display, call.from_.tag, call.to.tag) == ('Quinn "Q" Doe', "1928301774", "")
    assert call.cseq == CSeq(314159, "INVITE")
    assert call.max_forwards == 69
    assert call.contacts[0].params == {
        "+sip.instance": "<urn:uuid:0-1-2>",
        "methods": "INVITE,BYE",
    }
    assert [str(route.uri) for route in call.record_routes] == ["sip:192.0.2.20;lr;ftag=1928301774"]
    assert call.routes == ()
    assert call.tokens("Require") == ("100rel",)
    assert len(call.tokens("allow")) == 11
    assert call.media_types("Accept") == ("application/sdp", "text/*", "*/*")
    assert call.session_expires == SessionExpires(1800, "uac")
    assert (call.min_se, call.rseq, call.expires, call.retry_after) == (90, 17, 120, 18)
    assert call.rack == RAck(17, 314159, "INVITE")
    assert call.auth("Authorization")[0].params["realm"] == "a, b"
    assert call.content_type == "application/sdp"


def test_what_a_message_does_not_have_is_none() -> None:
    options = _request()

    assert options.contacts == options.record_routes == options.tokens("Supported") == ()
    for value in (
        options.max_forwards, options.content_type, options.session_expires, options.min_se,
        options.rseq, options.rack, options.expires, options.retry_after,
    ):  # fmt: skip
        assert value is None


def test_values_in_several_lines_and_in_one_are_the_same() -> None:
    """RFC 3261 §7.3.1."""
    lines = _request("Supported: a, b", "k: c", "Contact: <sip:x>", "m: <sip:y>,<sip:z>")

    assert lines.tokens("Supported") == ("a", "b", "c")
    assert [str(contact) for contact in lines.contacts] == ["<sip:x>", "<sip:y>", "<sip:z>"]


def test_any_contact_has_its_own_value() -> None:
    assert _request("Contact: *").contacts == (STAR,)
    with pytest.raises(RemoteProtocolError):
        _ = _request("Contact: *, <sip:x>").contacts


def test_bytes_that_are_no_utf_8_go_back_as_they_came() -> None:
    data = _wire(*_MINIMUM, "Subject: x", "Content-Length: 0").replace(
        b"x", b"caf\xe9 \xed\xb2\x80"
    )

    assert bytes(parse(data)) == data


def test_line_breaks_before_a_message_are_passed_over() -> None:
    """RFC 3261 §7.5."""
    assert parse(b"\r\n\r\n" + CALL) == parse(CALL)


def test_content_length_cuts_the_body_of_a_datagram() -> None:
    """RFC 3261 §18.3."""
    assert _request("Content-Length: 3", body=b"abcdef").body == b"abc"
    assert _request(body=b"abcdef").body == b"abcdef"
    for stated in ("7", "-1", "six", "", "6, 6", "9" * 30):
        with pytest.raises(RemoteProtocolError):
            _request(f"Content-Length: {stated}", body=b"abcdef")


@pytest.mark.parametrize(
    ("start", "status"),
    [
        ("OPTIONS sip:h SIP/3.0", 505),
        ("OPTIONS sip:h HTTP/1.1", 400),
        ("OPTIONS sip:h", 400),
        ("OPTIONS  SIP/2.0", 400),
        ("OPT(IONS sip:h SIP/2.0", 400),
        (" OPTIONS sip:h SIP/2.0", 400),
        ("SIP/2.0 99 x", 400),
        ("SIP/2.0 700 x", 400),
        ("SIP/2.0 2000 x", 400),
        ("SIP/2.0 20٠ x", 400),
        ("SIP/2.1 200 OK", 400),
        ("", 400),
    ],
)
def test_what_is_no_start_line(start: str, status: int) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        parse(_wire(start, *_MINIMUM[1:]))
    assert refused.value.status == status


def test_the_version_may_be_in_any_case() -> None:
    """RFC 3261 §7.1."""
    assert parse(_wire("OPTIONS sip:h sip/2.0", *_MINIMUM[1:])) == _request()
    assert isinstance(parse(_wire("sip/2.0 200", *_MINIMUM[1:])), Response)


@pytest.mark.parametrize("stray", [b"\r", b"\n", b"\n\r\n", b"\r\r\n", b"\n Via: x"])
def test_a_stray_line_break_is_refused(stray: bytes) -> None:
    """A line break that some would see and others not would carry a field past somebody."""
    with pytest.raises(RemoteProtocolError):
        parse(_wire(*_MINIMUM, "Subject: ab").replace(b"ab", b"a" + stray + b"b"))


@pytest.mark.parametrize("number", range(1, len(_MINIMUM)))
def test_a_request_without_a_required_field_is_refused(number: int) -> None:
    """RFC 3261 §8.1.1."""
    validate(_request())
    with pytest.raises(RemoteProtocolError):
        validate(parse(_wire(*_MINIMUM[:number], *_MINIMUM[number + 1 :])))


@pytest.mark.parametrize(
    "line",
    [
        "From: <sip:a>", "To: <sip:b>", "Call-ID: 1", "CSeq: 1 OPTIONS", "Max-Forwards: 256",
        "Max-Forwards: x", "Contact: <sip:a", "Content-Type: sdp", "i: 2",
    ],
)  # fmt: skip
def test_a_request_with_a_field_too_many_or_a_bad_one_is_refused(line: str) -> None:
    with pytest.raises(RemoteProtocolError):
        validate(_request(line))


@pytest.mark.parametrize("call_id", ["", "a b", "a\tb"])
def test_a_call_id_is_one_word(call_id: str) -> None:
    with pytest.raises(RemoteProtocolError):
        _ = parse(_wire("OPTIONS sip:h SIP/2.0", f"Call-ID: {call_id}")).call_id


def test_everything_a_message_can_grow_in_is_bounded() -> None:
    longest = "x" * (MAX_LINE - len("Subject: "))
    assert _request(f"Subject: {longest}").headers.first("Subject") == longest
    for too_much in (
        _wire(*_MINIMUM, f"Subject: {longest}x"),
        _wire(*_MINIMUM, "Subject: x", *[" " + "x" * 60] * (MAX_HEADERS + 1)),
        _wire(*_MINIMUM, *["a: b"] * MAX_HEADERS),
        _wire(*_MINIMUM, body=b"x" * MAX_MESSAGE_BYTES),
    ):
        with pytest.raises(RemoteProtocolError) as refused:
            parse(too_much)
        assert refused.value.status == 513


def test_hops_and_values_are_bounded() -> None:
    hops = ["v: SIP/2.0/UDP a"] * (MAX_VIAS - 1)
    assert len(_request(*hops).vias) == MAX_VIAS
    with pytest.raises(RemoteProtocolError):
        _ = _request(*hops, hops[0]).vias

    contacts = ["m: " + ",".join(["<sip:a>"] * (MAX_VALUES // 2))] * 2
    assert len(_request(*contacts).contacts) == MAX_VALUES
    with pytest.raises(RemoteProtocolError):
        _ = _request(*contacts, "m: <sip:a>").contacts


def test_a_response_copies_what_it_must_exactly() -> None:
    """RFC 3261 §8.2.6.2."""
    request = parse(CASES[0].data)
    assert isinstance(request, Request)

    response = respond(
        request,
        200,
        to_tag="ours",
        headers=[("Contact", "<sip:us>")],
        body=b"abc",
        content_type="text/plain",
    )

    sent = bytes(response)
    assert sent.startswith(b"SIP/2.0 200 OK\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.77;")
    assert sent.endswith(b"Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc")
    for name in ("Via", "From", "Call-ID", "CSeq"):
        assert response.headers.lines(name) == request.headers.lines(name)
    assert response.headers.lines("To") == [request.headers.lines("To")[0] + ";tag=ours"]
    assert (response.to.tag, response.status, response.contacts[0].uri.host) == ("ours", 200, "us")
    assert parse(sent) == response


def test_a_tag_that_is_there_stays() -> None:
    """RFC 3261 §8.2.6.2."""
    request = parse(_wire(*_MINIMUM[:3], "To: <sip:b> ; tag = theirs", *_MINIMUM[4:]))
    assert isinstance(request, Request)

    assert respond(request, 200, to_tag="ours").to.tag == "theirs"
    assert respond(_request(), 100).to.tag == ""


def test_routes_are_copied_where_a_dialog_may_begin_and_timestamps_into_100() -> None:
    """RFC 3261 §12.1.1, §8.2.6.1."""
    request = _request("Record-Route: <sip:p;lr>", "Timestamp: 54")

    carried = {
        status: (len(response.record_routes), "Timestamp" in response.headers)
        for status in (100, 180, 200, 302, 400)
        for response in [respond(request, status)]
    }

    assert carried == {
        100: (0, True),
        180: (1, False),
        200: (1, False),
        302: (0, False),
        400: (0, False),
    }


def test_reasons() -> None:
    """RFC 3261 §21: an unknown status is as x00 of its class."""
    assert respond(_request(), 486).reason == reason_phrase(486) == "Busy Here"
    assert respond(_request(), 486, "Out to lunch").reason == "Out to lunch"
    assert reason_phrase(499) == "Bad Request"


def test_nobody_smuggles_a_line_into_what_we_send() -> None:
    for message in (
        Request("OPTIONS", "sip:a SIP/2.0\r\nVia: x", Headers()),
        respond(_request(), 200, "OK\nVia: x"),
    ):
        with pytest.raises(LocalProtocolError):
            bytes(message)


def test_the_source_is_noted_where_it_is_not_what_the_via_says() -> None:
    """RFC 3261 §18.2.1, RFC 3581 §4."""
    named = parse(CALL)
    assert isinstance(named, Request)
    assert len(named.vias) == 2

    marked = received_from(named, "203.0.113.5", 1024)

    assert marked.via.received == "203.0.113.5"
    assert marked.via.rport == 1024
    assert marked.vias == (marked.via, named.vias[1])
    assert marked.call_id == named.call_id
    assert parse(bytes(marked)) == marked
    assert bytes(named) == CALL


def test_a_via_that_tells_the_truth_stays() -> None:
    plain = _request("v: SIP/2.0/TCP b")

    assert received_from(plain, "a", 5060) is plain


def test_only_the_first_of_several_vias_in_a_line_is_marked() -> None:
    request = parse(
        _wire(_MINIMUM[0], "Via: SIP/2.0/UDP a;received=1.1.1.1 ,\r\n SIP/2.0/UDP a", *_MINIMUM[2:])
    )
    assert isinstance(request, Request)

    marked = received_from(request, "a", 5060)

    assert marked.headers.all("Via") == ("SIP/2.0/UDP a;received=a , SIP/2.0/UDP a",)


def test_who_cannot_be_told_is_not_told() -> None:
    """RFC 3261 §17.1.1.3: an ACK is never answered; nor a response, nor a request without Via."""
    assert salvage(_wire("ACK sip:h SIP/9", *_MINIMUM[1:])) is None
    assert salvage(_wire("SIP/2.0 2000 OK", *_MINIMUM[1:])) is None
    assert salvage(_wire(_MINIMUM[0], *_MINIMUM[2:])) is None
    assert salvage(b"") is salvage(b"\r\n\r\n") is salvage(b"\xff" * 99) is None


def test_what_is_salvaged_is_harmless() -> None:
    """Only what an answer copies, without stray line breaks, each line within its bound."""
    request = salvage(
        _wire(
            *_MINIMUM,
            "bad line",
            "Route: <sip:x>",
            "v: a\nEvil: b",
            "v: " + "x" * MAX_LINE,
            "v: folded\r\n here",
        )
    )

    assert request is not None
    assert [name for name, _ in request.headers.items()] == [
        "Via", "From", "To", "Call-ID", "CSeq", "v",
    ]  # fmt: skip
    assert request.headers.all("Via")[1] == "folded here"


def test_a_via_that_cannot_be_read_sends_the_answer_to_the_source() -> None:
    """RFC 4475 §3.1.2.1 wants a 400 all the same."""
    request = salvage(_wire(_MINIMUM[0], "Via: SIP/2.0/UDP a;;,;,,", *_MINIMUM[2:]))

    assert request is not None
    assert "rport" in request.via.params
    assert b"\r\nVia: SIP/2.0/UDP a;;,;,,\r\n" in bytes(respond(request, 400))


_TOKEN = st.text("abzABZ019-.!%*_+`'~", min_size=1, max_size=12)
_LINE = st.text(
    st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=40
).map(lambda value: value.strip(" \t"))
_HEADERS = st.lists(
    st.tuples(_TOKEN | st.sampled_from(["Via", "v", "Contact", "TO", "cseq", "Subject"]), _LINE),
    max_size=8,
).filter(lambda pairs: all(name.lower() not in ("content-length", "l") for name, _ in pairs))
_MESSAGES = st.builds(
    Request, _TOKEN, st.text("abz:@;?=%019", min_size=1), st.builds(Headers, _HEADERS), st.binary()
) | st.builds(Response, st.integers(100, 699), _LINE, st.builds(Headers, _HEADERS), st.binary())


@given(_MESSAGES)
@settings(max_examples=100)
def test_every_message_survives_the_wire(message: Request | Response) -> None:
    again = parse(bytes(message))

    assert again == message
    assert hash(again) == hash(message)
    assert bytes(again) == bytes(message)
    assert again.headers.items()[:-1] == message.headers.items()


@given(
    st.binary(max_size=300) | st.binary(max_size=80).map(lambda data: CALL[:80] + data + CALL[80:])
)
@settings(max_examples=300)
def test_arbitrary_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    with suppress(RemoteProtocolError):
        validate(parse(data))


def test_no_value_takes_long_to_refuse() -> None:
    """Nothing grows with the square of what a peer sends."""
    fillings = [
        " ",
        "\t",
        ";",
        ",",
        '"',
        "\\",
        '\\"',
        "<",
        ">",
        "=",
        "a",
        "a ",
        ";a",
        "a,",
        "9",
        "(",
    ]
    begun = thread_time()
    for filling in fillings:
        for start in ("", "<", '"', "a;b=", "SIP/2.0/UDP a", "1 "):
            value = (start + filling * MAX_LINE)[: MAX_LINE - 40] + "|\r\n |"
            for name in ("From", "Via", "Contact", "CSeq", "Supported", "Session-Expires"):
                message = parse(_wire(*_MINIMUM[:1], f"{name}: {value}"))
                for read in ("from_", "vias", "contacts", "cseq", "session_expires"):
                    with suppress(RemoteProtocolError):
                        getattr(message, read)
                with suppress(RemoteProtocolError):
                    message.tokens("Supported")

    assert thread_time() - begun < 2  # 576 messages; the slowest regular expression is linear
