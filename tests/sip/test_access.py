"""The access list: ACL-01…04, GAP-27."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sip.access import AccessList, caller_of
from sipstrobe.sip.message import Request, parse
from sipstrobe.sip.settings import AccessSettings
from sipstrobe.sip.uri import Uri

CALLER = "sip:1001@pbx.example"
SOURCE = "192.0.2.7"


def listed(entry: str, caller: str = CALLER, source: str = SOURCE, *names: str) -> bool:
    """Whether an entry fits a call; both policies say so."""
    allowed = AccessList(AccessSettings(enabled=True, policy="allow", entries=(entry,)))
    blocked = AccessList(AccessSettings(enabled=True, policy="block", entries=(entry,)))
    may = allowed.admits(Uri.parse(caller), source, names)
    assert blocked.admits(Uri.parse(caller), source, names) is not may
    return may


def test_a_list_that_is_not_used_admits_everybody() -> None:
    """ACL-01."""
    unused = AccessList(AccessSettings(enabled=False, policy="allow", entries=()))

    assert unused.admits(Uri.parse(CALLER), SOURCE)
    assert not unused.vouches(SOURCE)


def test_an_empty_list_allows_nobody_or_blocks_nobody() -> None:
    """ACL-02: allow means only those listed, block means all but those."""
    nobody = AccessList(AccessSettings(enabled=True, policy="allow"))
    everybody = AccessList(AccessSettings(enabled=True, policy="block"))

    assert not nobody.admits(Uri.parse(CALLER), SOURCE)
    assert everybody.admits(Uri.parse(CALLER), SOURCE)


@pytest.mark.parametrize(
    ("entry", "caller"),
    [
        ("sip:1001@pbx.example", "sip:1001@pbx.example"),
        ("sip:1001@PBX.example", "sip:1001@pbx.EXAMPLE;transport=tcp"),
        ("1001@pbx.example", "sip:1001@pbx.example:5080"),
        ("sip:10*@pbx.example", "sip:10@pbx.example"),
        ("sip:10*@pbx.example", "sip:1099@pbx.example"),
        ("sip:*01@pbx.example", "sip:1001@pbx.example"),
        ("sip:1*0*1@pbx.example", "sip:1001@pbx.example"),
        ("*@pbx.example", "sip:pbx.example"),
        ("sip:pbx.example", "sip:anybody@pbx.example"),
        ("sip:1001@*", "sip:1001@198.51.100.1"),
        ("sip:1001@*.example", "sip:1001@a.b.example"),
        ("sip:1001@pbx.example:5060", "sip:1001@pbx.example"),
        ("sip:1001@[2001:DB8::1]:5060", "sip:1001@[2001:db8::1]"),
        ("sip:1001@pbx.example", "sips:1001@pbx.example"),
        ("sips:*@pbx.example", "sips:1001@pbx.example"),
        ("sip:+49*@*", "tel:+49-(30)-1234;phone-context=example"),
        ("sip:%31001@pbx.example".replace("%31", "1"), "sip:%31001@pbx.example"),
        ("pbx.example", "sip:1001@pbx.example"),
        ("*.example", "sip:1001@pbx.example"),
        ("*.example", "sip:1001@pbx.example."),
        ("pbx.example.", "sip:1001@PBX.example"),
        ("sip:1001@pbx.example", "sip:1001@pbx.example."),
        ("sip:1001@[2001:db8:0::1]", "sip:1001@[2001:DB8::0001]"),
        ("1001@2001:db8:0::1", "sip:1001@[2001:DB8::0001]"),
    ],
)
def test_callers_are_known_by_their_address(entry: str, caller: str) -> None:
    """GAP-27: entries are SIP URIs, here with stars for any characters."""
    assert listed(entry, caller)


@pytest.mark.parametrize(
    ("entry", "caller"),
    [
        ("sip:1001@pbx.example", "sip:1001@evil.example"),
        ("sip:alice@pbx.example", "sip:Alice@pbx.example"),
        ("sip:10*@pbx.example", "sip:1@pbx.example"),
        ("sip:1*0*1@pbx.example", "sip:1011x@pbx.example"),
        ("sip:1*11@pbx.example", "sip:11@pbx.example"),
        ("sips:*@pbx.example", "sip:1001@pbx.example"),
        ("*.example", "sip:1001@example"),
        ("*@pbx.example", "sip:x%40pbx.example@evil.example"),
        ("bob@*", "sip:bob%40x@evil.example"),
        ("192.0.2.0/24", "sip:1001@192.0.2.1"),
        ("sip:*@pbx.example", "tel:+4930"),
    ],
)
def test_another_caller_is_not_taken_for_one_of_the_list(entry: str, caller: str) -> None:
    """RFC 3261 §19.1.4: users are compared as they are; a star stays within its part."""
    assert not listed(entry, caller, "198.51.100.1")


@pytest.mark.parametrize(
    ("entry", "source", "fits"),
    [
        ("192.0.2.0/24", "192.0.2.255", True),
        ("192.0.2.0/24", "192.0.3.0", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("0.0.0.0/0", "203.0.113.9", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("192.0.2.0/24", "::ffff:192.0.2.1", True),
        ("2001:db8::/32", "2001:db8:1::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("fe80::/10", "fe80::1%2", True),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.0/120", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "192.0.2.8", False),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("::/0", "2001:db8::1", True),
    ],
)
def test_networks_are_compared_with_where_the_call_comes_from(
    entry: str, source: str, fits: bool
) -> None:
    """ACL-03: an entry may be an address instead of a caller."""
    assert listed(entry, CALLER, source) is fits


def test_a_server_of_ours_is_known_by_its_name() -> None:
    """ACL-03: the address of the SIP server, as the accounts name it."""
    assert listed("sbc.example", "sip:1@other.test", SOURCE, "SBC.example")
    assert not listed("sbc.example", "sip:1@other.test", SOURCE, "pbx.example")


def test_only_an_address_that_is_allowed_is_vouched_for() -> None:
    """A caller's name proves nothing, and what is blocked is no recommendation."""
    entries = ("192.0.2.0/24", "sip:*@pbx.example")
    allowed = AccessList(AccessSettings(enabled=True, policy="allow", entries=entries))
    blocked = AccessList(AccessSettings(enabled=True, policy="block", entries=entries))

    assert allowed.vouches("192.0.2.7")
    assert not allowed.vouches("198.51.100.1")
    assert not blocked.vouches("192.0.2.7")


def test_an_asserted_identity_counts_only_from_a_server_of_ours() -> None:
    """RFC 3325 §9.1: outside of the trust domain anybody could write it."""
    request = invite("P-Asserted-Identity: <sip:real@pbx.example>, <tel:+4930>")

    assert str(caller_of(request, from_server=True)) == "sip:real@pbx.example"
    assert str(caller_of(request, from_server=False)) == "sip:claimed@pbx.example"
    assert str(caller_of(invite(), from_server=True)) == "sip:claimed@pbx.example"


_TEXT = st.text("ab*", max_size=6)


@given(_TEXT, st.text("ab", max_size=8))
def test_a_pattern_fits_as_a_plain_search_would_say(pattern: str, user: str) -> None:
    """Every way to file a pattern gives the same answer as trying it by hand."""
    assert listed(f"sip:{pattern}@h", f"sip:{user}@h" if user else "sip:h") is by_hand(
        pattern, user
    )


@given(
    st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=4),
    st.integers(0, 32),
    st.integers(0, 2**16 - 1),
)
def test_a_network_holds_what_shares_its_prefix(tops: list[int], length: int, other: int) -> None:
    """RFC 4632 §3.1, for several networks of the same and of other lengths at once."""
    networks = [(top << 16, length) for top in tops] + [(0xC0000200, 24)]
    entries = tuple(f"{dotted(base)}/{bits}" for base, bits in networks)
    allowed = AccessList(AccessSettings(enabled=True, policy="allow", entries=entries))
    address = other << 16 | 0x1234

    inside = any(address >> (32 - bits) == base >> (32 - bits) for base, bits in networks)
    assert allowed.vouches(dotted(address)) is inside


def by_hand(pattern: str, text: str) -> bool:
    """The definition of a wildcard, without any thought for speed."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(by_hand(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return bool(text) and text[0] == pattern[0] and by_hand(pattern[1:], text[1:])


def dotted(address: int) -> str:
    return ".".join(map(str, address.to_bytes(4)))


def invite(*lines: str) -> Request:
    head = (
        "INVITE sip:1001@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n"
        "From: <sip:claimed@pbx.example>;tag=a\r\nTo: <sip:1001@192.0.2.1>\r\nCall-ID: 1\r\n"
        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:192.0.2.7>\r\n"
    )
    message = parse("".join([head, *(line + "\r\n" for line in lines), "\r\n"]).encode())
    assert isinstance(message, Request)
    return message
