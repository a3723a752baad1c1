"""Where an account registers, as whom, and by which way."""

import pytest

from sipstrobe.secret import Secret
from sipstrobe.sip.account import Account, Proxy
from sipstrobe.sip.failover import Role
from sipstrobe.sip.identity import Credential
from sipstrobe.sip.servers import (
    Server,
    binding_of,
    host_and_port,
    identity_by_address,
    servers_of,
)


def test_an_account_needs_a_domain_or_a_registrar() -> None:
    """GAP-29: an empty registrar means the domain; without both there is nothing to register."""
    assert servers_of(Account(kind="registered")) == {}
    assert servers_of(Account(domain="pbx.test")) == {}  # peer-to-peer
    assert servers_of(Account(kind="registered", domain="pbx.test", enabled=False)) == {}
    by_domain = servers_of(Account(kind="registered", domain="pbx.test"))
    by_registrar = servers_of(Account(kind="registered", registrar="pbx.test"))
    assert by_domain == by_registrar == {Role.PRIMARY: Server("pbx.test", "pbx.test", ())}


@pytest.mark.parametrize(
    ("registrar", "domain", "server"),
    [
        ("b.test", "", Server("pbx.test", "b.test", ())),
        ("", "b.test", Server("b.test", "b.test", ())),
        ("192.0.2.2:5070", "b.test", Server("b.test", "192.0.2.2:5070", ())),
    ],
)
def test_the_secondary_may_have_a_domain_of_its_own(
    registrar: str, domain: str, server: Server
) -> None:
    """GAP-30: both are of the account."""
    account = Account(
        kind="registered",
        domain="pbx.test",
        secondary_registrar=registrar,
        secondary_domain=domain,
    )

    assert servers_of(account)[Role.SECONDARY] == server


def test_proxies_are_the_route_and_may_have_passwords() -> None:
    """RFC 3261 §8.1.2; SAC-13: the first is the next hop, the others follow in their order."""
    account = Account(
        kind="registered",
        user_id="1001",
        authentication_id="auth",
        password=Secret("pw"),
        caller_id="Hall",
        domain="pbx.test",
        registrar="registrar.test:5070",
        proxies=(Proxy(address="a.test", user="me", password=Secret("x")), Proxy(address="b.test")),
        transport="tcp",
    )

    binding = binding_of(account, Role.PRIMARY, expires=600, instance_id="urn:uuid:1")

    assert servers_of(account)[Role.PRIMARY].first_hop == "a.test"
    assert binding.registrar == "sip:registrar.test:5070"
    assert binding.identity.uri == "sip:1001@pbx.test"
    assert binding.identity.display == "Hall"
    route = ("<sip:a.test;transport=tcp;lr>", "<sip:b.test;transport=tcp;lr>")
    assert binding.identity.route == route
    own, other = Credential("auth", Secret("pw")), Credential("me", Secret("x"))
    assert binding.identity.credentials == (own, other)


def test_the_flows_of_one_instance_are_told_apart() -> None:
    """RFC 5626 §4.2: reg-id."""
    account = Account(kind="registered", domain="a.test", secondary_domain="b.test")

    ids = [binding_of(account, role, expires=60, instance_id="urn:x").reg_id for role in Role]

    assert ids == [1, 2]


def test_a_sips_account_is_sips_everywhere() -> None:
    account = Account(
        kind="registered",
        user_id="1001",
        domain="pbx.test",
        transport="tls",
        sips=True,
        proxies=(Proxy(address="a.test"),),
    )

    binding = binding_of(account, Role.PRIMARY, expires=60, instance_id="")

    assert binding.registrar == "sips:pbx.test"
    assert binding.identity.uri == "sips:1001@pbx.test"
    assert binding.identity.route == ("<sips:a.test;lr>",)


def test_without_a_server_our_address_is_who_we_are() -> None:
    assert identity_by_address(Account(), "192.0.2.1:5060").uri == "sip:sipstrobe@192.0.2.1:5060"
    assert identity_by_address(Account(user_id=""), "[::1]:5060").uri == "sip:[::1]:5060"


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("pbx.test", ("pbx.test", None)),
        ("pbx.test:5070", ("pbx.test", 5070)),
        ("192.0.2.1", ("192.0.2.1", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:5070", ("2001:db8::1", 5070)),
    ],
)
def test_a_place_has_a_host_and_perhaps_a_port(place: str, parts: tuple[str, int | None]) -> None:
    assert host_and_port(place) == parts
