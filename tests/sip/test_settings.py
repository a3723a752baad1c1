"""What can be set about SIP, and what cannot."""

import msgspec
import pytest

from sipstrobe.sip.settings import Account, SipSettings, problems


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


def test_exactly_one_account_is_the_default_and_user_ids_are_unique() -> None:
    none = SipSettings(accounts=())
    no_default = SipSettings(accounts=(Account(),))
    two = SipSettings(accounts=(Account(default=True), Account(default=True)))
    assert [p.path for p in problems(none)] == ["/accounts"]
    assert [p.path for p in problems(no_default)] == ["/accounts"]
    assert [p.path for p in problems(two)] == ["/accounts/1/default", "/accounts/1/user_id"]
