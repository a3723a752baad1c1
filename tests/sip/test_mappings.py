"""A router that lets others in: who is told of it."""

import pytest

from sipstrobe.sip.mappings import Mappings
from sipstrobe.sip.transport import Address, Flow, Transport

OWN, ROUTER = Address("192.168.90.90", 5060), Address("203.0.113.1", 5060)


def flow(host: str) -> Flow:
    return Flow(Transport.UDP, OWN, Address(host, 5060))


def test_whoever_is_outside_is_told_the_address_of_the_router() -> None:
    mappings = Mappings()
    mappings.router = ROUTER

    assert mappings.reached_at(flow("198.51.100.7")) == ROUTER
    assert mappings.sent_by(flow("198.51.100.7")) == ROUTER
    mappings.in_contact = False
    assert mappings.reached_at(flow("198.51.100.7")) == OWN


@pytest.mark.parametrize(
    "host", ["192.168.1.5", "10.0.0.9", "172.16.4.4", "169.254.3.3", "127.0.0.1", "2001:db8::1"]
)
def test_whoever_is_inside_is_told_our_own(host: str) -> None:
    mappings = Mappings()
    mappings.router = ROUTER

    assert mappings.reached_at(flow(host)) == OWN


def test_what_a_peer_has_seen_counts_more() -> None:
    mappings = Mappings()
    mappings.router = ROUTER
    seen = Address("203.0.113.1", 40000)

    mappings.note(flow("198.51.100.7"), seen)

    assert mappings.reached_at(flow("198.51.100.7")) == seen
    assert mappings.reached_at(flow("198.51.100.8")) == ROUTER


def test_without_a_router_our_own_address_is_all_there_is() -> None:
    assert Mappings().reached_at(flow("198.51.100.7")) == OWN
