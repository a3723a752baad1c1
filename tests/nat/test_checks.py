"""What of STUN is handed to ICE, and where our candidates stand."""

import pytest

from sipstrobe.nat.checks import foundation, is_check, is_fit, priority
from sipstrobe.nat.stun import Attr, Class, Message, Method

PRIORITY = (Attr.PRIORITY, b"\x6e\0\1\xff")


def message(*attributes: tuple[int, bytes], kind: Class = Class.REQUEST) -> Message:
    return Message(Method.BINDING, kind, bytes(12), attributes)


def test_a_check_and_its_answer() -> None:
    check = message(PRIORITY, (Attr.ICE_CONTROLLING, bytes(8)), (Attr.USE_CANDIDATE, b""))

    assert is_fit(check)
    assert is_check(check)
    assert is_fit(message(kind=Class.SUCCESS))
    assert not is_check(message(kind=Class.SUCCESS))


@pytest.mark.parametrize(
    "attributes",
    [
        (),  # RFC 8445 §7.1.1: PRIORITY must be there
        ((Attr.PRIORITY, b"\0"),),
        (PRIORITY, (Attr.USE_CANDIDATE, b"1")),
        (PRIORITY, (Attr.ICE_CONTROLLED, b"1234")),
        (PRIORITY, (Attr.LIFETIME, b"")),
        (PRIORITY, (0x0003, b"")),
        (PRIORITY, (Attr.XOR_MAPPED_ADDRESS, b"\0\1")),
        (PRIORITY, (Attr.MAPPED_ADDRESS, b"")),
        (PRIORITY, (Attr.ERROR_CODE, b"\0")),
        (PRIORITY, PRIORITY, (Attr.PRIORITY, b"")),
    ],
)
def test_what_is_not_as_it_should_be(attributes: tuple[tuple[int, bytes], ...]) -> None:
    assert not is_fit(message(*attributes))


def test_other_messages_are_none_of_its_business() -> None:
    assert not is_fit(Message(Method.ALLOCATE, Class.REQUEST, bytes(12), (PRIORITY,)))
    assert not is_fit(message(PRIORITY, kind=Class.INDICATION))


def test_the_order_of_candidates() -> None:
    """RFC 8445 §5.1.2: our own address before what a server has seen, that before a relay, RTP
    before RTCP; the example of RFC 8839 §5.1."""
    assert priority("host", 65535, 1) == 2130706431
    assert priority("srflx", 65535, 1) == 1694498815
    order = [("host", 1), ("host", 2), ("prflx", 1), ("srflx", 1), ("relay", 1)]
    values = [priority(kind, 65535, component) for kind, component in order]
    assert values == sorted(values, reverse=True)


def test_candidates_of_a_kind_share_their_foundation() -> None:
    """RFC 8445 §5.1.1.3."""
    assert foundation("host", "192.0.2.1") == foundation("host", "192.0.2.1")
    others = {foundation("srflx", "192.0.2.1"), foundation("host", "192.0.2.2")}
    assert foundation("host", "192.0.2.1") not in others
    assert foundation("host", "192.0.2.1").isalnum()
