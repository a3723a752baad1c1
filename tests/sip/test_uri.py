"""URIs: RFC 3261 §19.1, with the examples of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import MAX_PARAMS
from sipstrobe.sip.uri import Uri, equivalent, readable, user_of, without_password


def test_all_parts_of_a_uri() -> None:
    uri = Uri.parse("SIP:alice:s3cret@[2001:db8::1]:5070;Transport=TCP;lr?Subject=a%20b&to=x")

    assert (uri.scheme, uri.user, uri.password) == ("sip", "alice", "s3cret")
    assert (uri.host, uri.port) == ("2001:db8::1", 5070)
    assert uri.params == {"transport": "TCP", "lr": ""}
    assert uri.headers == (("Subject", "a%20b"), ("to", "x"))
    assert str(uri) == "SIP:alice:s3cret@[2001:db8::1]:5070;Transport=TCP;lr?Subject=a%20b&to=x"


@pytest.mark.parametrize(
    ("text", "user", "host"),
    [
        ("sip:example.org", None, "example.org"),
        ("sips:1001@192.0.2.1", "1001", "192.0.2.1"),
        ("sip:*21#1001@pbx", "*21#1001", "pbx"),
        ("sip:+49-(0)30;phone-context=x@gw_1.example", "+49-(0)30;phone-context=x", "gw_1.example"),
        ("sip:a?b/c@h", "a?b/c", "h"),
        ("sip:größe@h", "größe", "h"),
        ("sip:host.:5060", None, "host."),
    ],
)
def test_users_and_hosts_of_real_life(text: str, user: str | None, host: str) -> None:
    uri = Uri.parse(text)
    assert (uri.user, uri.host, str(uri)) == (user, host, text)


@pytest.mark.parametrize(
    ("text", "scheme", "opaque"),
    [
        ("tel:+12025550123;ext=1", "tel", "+12025550123;ext=1"),
        ("urn:service:sos", "urn", "service:sos"),
        ("soap.beep://192.0.2.1:3002", "soap.beep", "//192.0.2.1:3002"),
    ],
)
def test_other_schemes_keep_what_follows_the_colon(text: str, scheme: str, opaque: str) -> None:
    uri = Uri.parse(text)
    assert (uri.scheme, uri.opaque, uri.host, uri.is_sip) == (scheme, opaque, "", False)


@pytest.mark.parametrize(
    "text",
    [
        "", "sip", "sip:", "sip:@h", "sip:a@", "sip:a@b@c", "sip:h:port", "sip:h:0", "sip:h:65536",
        "sip:2001:db8::10", "sip:[2001:db8::10", "sip:[zz]", "sip:h;a;A", "sip:h;", "sip:h;;a",
        "sip:h?", "sip:a b@h", "sip:h;a=b c", "sip:<h>", 'sip:"h"', "1tel:5", ":x", "sip:h\r\n",
    ],
)  # fmt: skip
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Uri.parse(text)


def test_parameters_and_headers_of_a_uri_are_bounded() -> None:
    params = "".join(f";p{n}" for n in range(MAX_PARAMS))
    headers = "&".join(f"h{n}=" for n in range(MAX_PARAMS))

    uri = Uri.parse(f"sip:h{params}?{headers}")

    assert len(uri.params) == len(uri.headers) == MAX_PARAMS
    for longer in (f"sip:h{params};more", f"sip:h?{headers}&more"):
        with pytest.raises(RemoteProtocolError):
            Uri.parse(longer)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:123", "TEL:123"),
    ],
)
def test_equivalent_uris(a: str, b: str) -> None:
    """RFC 3261 §19.1.4."""
    assert equivalent(Uri.parse(a), Uri.parse(b))
    assert equivalent(Uri.parse(b), Uri.parse(a))
    assert Uri.parse(a) != Uri.parse(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:h", "sip:%00@h"),
        ("sip:a:b@h", "sip:a@h"),
        ("tel:123", "tel:124"),
    ],
)
def test_uris_that_differ(a: str, b: str) -> None:
    """RFC 3261 §19.1.4."""
    assert not equivalent(Uri.parse(a), Uri.parse(b))
    assert not equivalent(Uri.parse(b), Uri.parse(a))


@given(st.text(max_size=60) | st.from_regex(r"sips?:[^\s]{0,40}", fullmatch=True))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError:
        return
    assert str(uri) == text
    assert equivalent(uri, uri)


def test_an_address_of_a_peer_can_be_printed_and_sent_on() -> None:
    """RFC 3261 §25.1: what has no place in a URI stands escaped."""
    hostile = b"sip:\x1b[2J\xff@h;a=\xc3\xa4\x00".decode("utf-8", "surrogateescape")
    assert readable(hostile) == "sip:%1B[2J%FF@h;a=ä%00"
    assert readable("sip:jürgen@h") == "sip:jürgen@h"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sip:alice:s3cret@h;lr?a=b", "sip:alice@h;lr?a=b"),
        ("SIPS:a;x=1:s3:cret@h", "SIPS:a;x=1@h"),
        ('"A" <sip:alice:s3cret@h>;tag=1', '"A" <sip:alice@h>;tag=1'),
        ("cannot call sip:alice:@h and sip:bob:s3cret@h", "cannot call sip:alice@h and sip:bob@h"),
        ("sip:h:5060", "sip:h:5060"),
        ("sip:alice@h:5060", "sip:alice@h:5060"),
    ],
)
def test_a_password_is_not_shown(address: str, shown: str) -> None:
    """RFC 3261 §19.1.1: it may stand in a URI, and is a risk wherever that is written."""
    assert readable(address) == without_password(address) == shown


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:1001@h", "1001"),
        ("sip:*1%23@h", "*1#"),
        ("sip:%31001:secret@h", "1001"),
        ("sip:%c3%a4%ff%00%1b@h", "ä%FF%00%1B"),
        ("sip:h", ""),
        ("tel:123", ""),
    ],
)
def test_the_user_part_is_what_people_have_dialled(uri: str, user: str) -> None:
    """RFC 3261 §19.1.4: escaped or not, it is the same user."""
    assert user_of(Uri.parse(uri)) == user


@given(st.binary(max_size=40))
def test_whatever_is_read_can_be_encoded(raw: bytes) -> None:
    text = readable(raw.decode("utf-8", "surrogateescape"))
    assert text.isprintable()
    text.encode()


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("sip:a?b@h?Subject=x@y", "sip:a?b@h"),
        ("sip:h;method=INVITE?Replaces=@%40h", "sip:h;method=INVITE"),
        ("sip:a@h;lr", "sip:a@h;lr"),
    ],
)
def test_a_uri_without_its_headers(text: str, bare: str) -> None:
    """RFC 3261 §19.1.1: a user may hold a question mark, and a header an @."""
    assert str(Uri.parse(text).bare) == bare
