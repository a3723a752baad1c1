"""What can be set about SIP, and what cannot."""

import msgspec
import pytest

from sipstrobe.sip.account import Account, Proxy
from sipstrobe.sip.settings import NatSettings, SipSettings, TurnServer, problems


def test_a_fresh_device_neither_calls_nor_is_called_and_has_one_account() -> None:
    settings = SipSettings()
    assert (settings.enabled, settings.allow_incoming) == (False, False)
    assert (settings.port, settings.rtp_start_port) == (5060, 4000)
    assert (settings.calling_timeout, settings.incoming_duration_limit) == (60, 600)
    assert settings.end_calls_after is None
    (account,) = settings.accounts
    assert (account.kind, account.default, account.answer_automatically) == (
        "peer_to_peer",
        True,
        True,
    )
    assert problems(settings) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 1023),
        ("port", 65536),
        ("rtp_start_port", 1023),
        ("calling_timeout", 601),
        ("incoming_duration_limit", 601),
        ("end_calls_after", 3601),
        ("session_expires", 89),
        ("max_calls", 2001),
        ("session_refresher", "nobody"),
    ],
)
def test_limits(name: str, value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: value}, SipSettings)


def test_exactly_one_account_is_the_default_and_no_two_have_the_same_address() -> None:
    no_default = SipSettings(accounts=(Account(),))
    two = SipSettings(accounts=(Account(default=True), Account(default=True)))
    assert [p.path for p in problems(no_default)] == ["/accounts"]
    assert [p.path for p in problems(two)] == ["/accounts/1/default", "/accounts/1/user_id"]


@pytest.mark.parametrize(
    ("place", "same"),
    [
        ({"domain": "a.test"}, True),
        ({"domain": "A.test."}, True),
        ({"registrar": "a.test"}, True),
        ({"domain": "b.test"}, False),
        ({"kind": "peer_to_peer"}, False),
    ],
)
def test_the_same_user_at_two_servers_is_two_accounts(place: dict[str, str], same: bool) -> None:
    """SAC-07: an extension is unique where it is one, and an owner may have two such places."""
    first = Account(user_id="100", kind="registered", domain="a.test", default=True)
    second = msgspec.convert({"user_id": "100", "kind": "registered"} | place, Account)
    found = problems(SipSettings(accounts=(first, second)))
    assert bool(found) is same


def test_without_any_account_there_is_one_that_is_called_by_address() -> None:
    """GAP-29: if all accounts vanish, the peer-to-peer account is made again."""
    assert SipSettings(accounts=()) == SipSettings()
    assert msgspec.convert({"accounts": []}, SipSettings) == SipSettings()


def test_every_account_has_an_id_that_it_keeps() -> None:
    """Control programs know accounts by it: one that is gone leaves the others as they were."""
    new = [{"user_id": "1", "default": True}, {"user_id": "2"}, {"user_id": "3", "id": "mine"}]
    settings = msgspec.convert({"accounts": new}, SipSettings)
    assert [a.id for a in settings.accounts] == ["sip_account_0", "sip_account_1", "mine"]

    left = SipSettings(accounts=settings.accounts[1:])
    assert left.accounts == settings.accounts[1:]

    copied = SipSettings(accounts=(*left.accounts, left.accounts[0]))
    assert [a.id for a in copied.accounts] == ["sip_account_1", "mine", "sip_account_0"]


@pytest.mark.parametrize(
    ("account", "path"),
    [
        (Account(default=True, registrar="pbx.test:65536"), "registrar"),
        (Account(default=True, domain="[2001:db8::1]:0"), "domain"),
        (Account(default=True, proxies=(Proxy(address="a:70000"),)), "proxies/0/address"),
    ],
)
def test_a_port_has_a_range(account: Account, path: str) -> None:
    [problem] = problems(SipSettings(accounts=(account,)))

    assert problem.path == f"/accounts/0/{path}"
    assert "1…65535" in problem.message


def test_an_address_needs_no_port() -> None:
    account = Account(default=True, registrar="[2001:db8::1]", domain="pbx.test:65535")

    assert problems(SipSettings(accounts=(account,))) == []


def test_helps_with_addresses_that_cannot_be() -> None:
    """A server must be named that is to be asked, by a port that exists."""
    turn = TurnServer(address="[2001:db8::1]:65536")
    nat = NatSettings(stun=True, turn=True, turn_servers=(turn,))
    wrong = [str(p) for p in problems(SipSettings(nat=nat))]

    assert wrong == [
        "/nat/stun_server: must name the STUN server",
        "/nat/turn_servers/0/address: 65536 is no port: from 1 to 65535",
    ]
    assert [str(p) for p in problems(SipSettings(nat=NatSettings(turn=True)))] == [
        "/nat/turn_servers: must name a TURN server"
    ]
    right = NatSettings(stun=True, stun_server="[2001:db8::1]", upnp=True, ice=True)
    assert problems(SipSettings(nat=right)) == []
