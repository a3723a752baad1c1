"""What an account wants of the media of its calls."""

import pytest
from msgspec.structs import replace

from sipstrobe.sdp.security import Encryption, KeyExchange
from sipstrobe.services.media_options import (
    PLAIN,
    DigitWays,
    MediaOptions,
    strictest_of_peers,
    ways_of_peers,
)
from sipstrobe.sip.account import Account

NONE, BEST_EFFORT, MANDATORY = Encryption
PEER = Account(name="peer", transport="tls", media_encryption="best_effort")
STRICT = Account(name="strict", transport="tls", media_encryption="mandatory", media_keys="dtls")
PBX = Account(name="pbx", kind="registered", transport="tls", media_encryption="mandatory")


def test_an_account_of_the_factory_encrypts_nothing() -> None:
    assert replace(MediaOptions.of(Account()), codecs=PLAIN.codecs) == PLAIN


def test_the_codecs_of_an_account_are_offered_in_its_order() -> None:
    """Checklist SIP-11."""
    codecs = ("G722", "opus", "PCMA")

    assert MediaOptions.of(Account(codecs=codecs)).codecs == codecs


def test_everything_that_can_be_set_arrives() -> None:
    account = Account(
        codecs=("PCMA",),
        dtmf_rtp=False,
        dtmf_inband=True,
        transport="tls",
        media_encryption="mandatory",
        media_keys="dtls",
    )

    assert MediaOptions.of(account) == MediaOptions(
        codecs=("PCMA",),
        digits=DigitWays(rtp=False, info=True, inband=True),
        encryption=MANDATORY,
        keys=KeyExchange.DTLS,
    )


@pytest.mark.parametrize(
    ("accounts", "strictest"),
    [
        ((), NONE),
        ((Account(),), NONE),
        ((Account(), PEER), BEST_EFFORT),
        ((STRICT, PEER, Account()), MANDATORY),
        ((PEER, PBX), BEST_EFFORT),
        (
            (Account(transport="tls", media_encryption="mandatory", enabled=False), PEER),
            BEST_EFFORT,
        ),
    ],
)
def test_the_strictest_of_the_peer_to_peer_accounts(
    accounts: tuple[Account, ...], strictest: Encryption
) -> None:
    """GAP-28; who is inactive or registered has no say."""
    assert strictest_of_peers(accounts) is strictest


def test_it_decides_for_callers_by_address_only() -> None:
    assert MediaOptions.called(PEER, MANDATORY).encryption is MANDATORY
    assert MediaOptions.called(PBX, NONE).encryption is MANDATORY
    assert MediaOptions.of(PEER).encryption is BEST_EFFORT


def test_the_peer_to_peer_accounts_share_the_ways_of_digits() -> None:
    """DTM-06: what one of them has all of them have; who is inactive or registered has no say."""
    off = Account(dtmf_rtp=False, dtmf_info=False)
    tones = Account(dtmf_rtp=False, dtmf_info=False, dtmf_inband=True)
    inactive, pbx = Account(enabled=False), Account(kind="registered")

    assert ways_of_peers((off, inactive, pbx)) == DigitWays(rtp=False, info=False, inband=False)
    assert ways_of_peers((off, tones)) == DigitWays(rtp=False, info=False, inband=True)
    assert ways_of_peers((pbx,)) == DigitWays()

    shared = ways_of_peers((off, tones))
    assert MediaOptions.of(off).among(off, shared).digits.inband
    assert not MediaOptions.of(pbx).among(pbx, shared).digits.inband
