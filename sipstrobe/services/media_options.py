"""What an account wants of the media of its calls."""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.codecs.registry import usable
from sipstrobe.sdp.security import Encryption, KeyExchange
from sipstrobe.sip.account import Account

logger = logging.getLogger(__name__)

_STRICTNESS = tuple(Encryption)  # from none to mandatory
ALWAYS = ("PCMU", "PCMA")  # codecs that need nothing, and everybody has


class DigitWays(NamedTuple):
    """By which ways digits come and go: telephone events, INFO, tones (DTM-04, DTM-05)."""

    rtp: bool = True
    info: bool = True
    inband: bool = False


USUAL_WAYS = DigitWays()


class MediaOptions(Struct, frozen=True, kw_only=True):
    """codecs: encoding names, preferred ones first."""

    codecs: tuple[str, ...] = ALWAYS
    digits: DigitWays = USUAL_WAYS
    encryption: Encryption = Encryption.NONE
    keys: KeyExchange = KeyExchange.SDES

    @classmethod
    def of(cls, account: Account) -> "MediaOptions":
        """For the calls that an account makes."""
        return cls(
            codecs=_codecs_of(account),
            digits=_ways_of(account),
            encryption=Encryption(account.media_encryption),
            keys=KeyExchange(account.media_keys),
        )

    @classmethod
    def called(cls, account: Account, strictest: Encryption) -> "MediaOptions":
        """For a call that has come to an account. strictest: of all peer-to-peer accounts."""
        options = cls.of(account)
        if account.kind != "peer_to_peer" or options.encryption is strictest:
            return options
        return replace(options, encryption=strictest)

    def among(self, account: Account, peers: DigitWays) -> "MediaOptions":
        """The same where the account shares the ways of digits with all others by address."""
        return replace(self, digits=peers) if account.kind == "peer_to_peer" else self


def _codecs_of(account: Account) -> tuple[str, ...]:
    """Without those that need a library which is not there; a call is never lost over that."""
    codecs = usable(account.codecs)
    if not codecs:
        logger.warning("%s: none of its codecs can be used, so it is G.711", account.name)
    return codecs or ALWAYS


def _ways_of(account: Account) -> DigitWays:
    return DigitWays(account.dtmf_rtp, account.dtmf_info, account.dtmf_inband)


def ways_of_peers(accounts: Iterable[Account]) -> DigitWays:
    """DTM-06: who calls by address means any of the peer-to-peer accounts, so a way that one of
    them has all of them have."""
    ways = [_ways_of(a) for a in accounts if a.enabled and a.kind == "peer_to_peer"]
    return DigitWays(*map(any, zip(*ways, strict=True))) if ways else USUAL_WAYS


def strictest_of_peers(accounts: Iterable[Account]) -> Encryption:
    """GAP-28: who calls by address means any of the peer-to-peer accounts, and the strictest of
    them decides."""
    peers = (a for a in accounts if a.enabled and a.kind == "peer_to_peer")
    levels = (Encryption(a.media_encryption) for a in peers)
    return max(levels, key=_STRICTNESS.index, default=Encryption.NONE)


PLAIN = MediaOptions()
