"""The order of servers behind a domain, from records alone."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sip.locate import MAX_SERVERS, Naptr, Srv, in_order, srv_names
from sipstrobe.sip.transport import Transport

# RFC 3263 §4.1, its example
EXAMPLE = [
    Naptr.read(("50", "50", "s", "SIPS+D2T", "", "_sips._tcp.example.com")),
    Naptr.read(("90", "50", "s", "SIP+D2T", "", "_sip._tcp.example.com")),
    Naptr.read(("100", "50", "S", "sip+d2u", "", "_sip._udp.example.com")),
]


@pytest.mark.parametrize(
    ("transport", "name"),
    [
        (Transport.UDP, "_sip._udp.example.com"),
        (Transport.TCP, "_sip._tcp.example.com"),
        (Transport.TLS, "_sips._tcp.example.com"),
    ],
)
def test_the_service_of_our_transport_is_taken(transport: Transport, name: str) -> None:
    """RFC 3263 §4.1: records whose service the client cannot use are discarded."""
    assert srv_names("example.com", EXAMPLE, transport) == [name]


def test_services_are_tried_by_order_and_then_by_preference() -> None:
    """RFC 3403 §4.1: the lowest order first, the lowest preference first within it."""
    records = [
        Naptr(20, 1, "s", "SIP+D2U", "third.test"),
        Naptr(10, 9, "s", "SIP+D2U", "second.test"),
        Naptr(10, 2, "s", "SIP+D2U", "first.test"),
        Naptr(1, 1, "u", "SIP+D2U", "no-srv.test"),
        Naptr(1, 1, "s", "SIP+D2U", ""),
    ]

    names = srv_names("x.test", records, Transport.UDP)

    assert names == ["first.test", "second.test", "third.test"]


@pytest.mark.parametrize(
    ("transport", "names"),
    [
        (Transport.UDP, ["_sip._udp.x.test"]),
        (Transport.TCP, ["_sip._tcp.x.test"]),
        (Transport.TLS, ["_sips._tcp.x.test"]),
        (Transport.WS, []),
        (Transport.WSS, []),
    ],
)
def test_without_naptr_the_usual_places_count(transport: Transport, names: list[str]) -> None:
    """RFC 3263 §4.1; RFC 7118 names no place for SRV records."""
    assert srv_names("x.test", [], transport) == names


def test_the_lowest_priority_comes_first_whatever_the_weights() -> None:
    """RFC 2782: a target with a higher priority number is only used when the others fail."""
    records = [Srv(20, 65535, 5060, "b"), Srv(10, 0, 5060, "a"), Srv(30, 1, 5060, "c")]

    assert [srv.target for srv in in_order(records, lambda n: 0)] == ["a", "b", "c"]


def test_weights_share_out_the_first_place() -> None:
    """RFC 2782: chosen in proportion to the weight; 0 hardly ever while others have more."""
    records = [
        Srv(1, 60, 5060, "a"),
        Srv(1, 30, 5060, "b"),
        Srv(1, 10, 5060, "c"),
        Srv(1, 0, 1, "d"),
    ]

    first = Counter(in_order(records, Random(n).randrange)[0].target for n in range(10_000))

    assert 0.57 < first["a"] / 10_000 < 0.63
    assert 0.27 < first["b"] / 10_000 < 0.33
    assert 0.08 < first["c"] / 10_000 < 0.12
    assert 0 < first["d"] / 10_000 < 0.03


@given(
    st.lists(st.builds(Srv, st.integers(0, 3), st.integers(0, 65535), st.just(1), st.text())),
    st.integers(),
)
def test_every_server_is_tried_once(records: list[Srv], seed: int) -> None:
    ordered = in_order(records, Random(seed).randrange)

    assert sorted(ordered) == sorted(records)[:MAX_SERVERS]
    assert [srv.priority for srv in ordered] == sorted(srv.priority for srv in ordered)
