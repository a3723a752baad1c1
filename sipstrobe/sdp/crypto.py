"""Keys of SRTP in the signalling, ``a=crypto``: RFC 4568, with AES-GCM of RFC 7714.

A key is in clear text there: whoever can read the signalling can hear the call.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.secret import Secret

MAX_LIFETIME: Final = 1 << 48  # packets; RFC 3711 §9.2
_LIFETIME: Final = re.compile(r"(2\^)?([0-9]{1,15})")
_NAME: Final = re.compile(
    r"[A-Z0-9_]{1,40}|[a-z]{1,12}"
)  # too poor for a key, were it in its place
_DECLARATIVE: Final = ("WSH=", "-")  # RFC 4568 §6.3.6, §6.3.7: need not be understood


class Suite(NamedTuple):
    """RFC 4568 §6.2, RFC 7714 §14.2: what a name stands for."""

    name: str
    key_bytes: int
    salt_bytes: int


SUITES: Final = {  # preferred ones first
    suite.name: suite
    for suite in (
        Suite("AEAD_AES_256_GCM", 32, 12),
        Suite("AEAD_AES_128_GCM", 16, 12),
        Suite("AES_CM_128_HMAC_SHA1_80", 16, 14),
        Suite("AES_CM_128_HMAC_SHA1_32", 16, 14),
    )
}


class Crypto(Struct, frozen=True):
    """One ``a=crypto`` that can be used. key: master key and salt in base64, as it is written."""

    tag: int
    suite: str
    key: Secret

    @classmethod
    def parse(cls, value: str, suites: Mapping[str, Suite] = SUITES) -> "Crypto":
        """Read what follows ``a=crypto:``. suites: those that we can do.

        Raises RemoteProtocolError, with the reason, when it cannot be read or asks for what we
        cannot do; the reason never shows the key.
        """
        words = value.split()
        if len(words) < 3 or not re.fullmatch(r"[0-9]{1,9}", words[0]):
            raise RemoteProtocolError("a=crypto without tag, suite and key")
        suite = suites.get(words[1].upper())
        if suite is None:
            raise RemoteProtocolError(f"the crypto suite {_named(words[1])} is not supported")
        for parameter in words[3:]:
            if not parameter.upper().startswith(_DECLARATIVE):
                name = _named(parameter.partition("=")[0])
                raise RemoteProtocolError(f"the SRTP parameter {name} is not supported")
        return cls(int(words[0]), suite.name, _key(words[2], suite))

    @property
    def line(self) -> str:
        """The whole line, with the key."""
        return f"a=crypto:{self.tag} {self.suite} inline:{self.key.reveal()}"


def make_keys(random_bytes: Callable[[int], bytes]) -> Mapping[str, Secret]:
    """A new key for each suite."""
    return {name: make_key(name, random_bytes) for name in SUITES}


def make_key(suite: str, random_bytes: Callable[[int], bytes]) -> Secret:
    """A new master key and salt for this suite."""
    _, key, salt = SUITES[suite]
    return Secret(base64.b64encode(random_bytes(key + salt)).decode())


def _key(text: str, suite: Suite) -> Secret:
    """RFC 4568 §6.1: ``inline:key||salt[|lifetime][|MKI:length]``."""
    if ";" in text:
        raise RemoteProtocolError("several keys in one a=crypto are not supported")
    method, _, info = text.partition(":")
    if method.lower() != "inline":
        raise RemoteProtocolError(f"the key method {_named(method)} is not supported")
    encoded, *others = info.split("|")
    if any(":" in other for other in others):
        raise RemoteProtocolError("a master key identifier (MKI) is not supported")
    if len(others) > 1 or (others and not _is_lifetime(others[0])):
        raise RemoteProtocolError("a=crypto with a key lifetime that is none")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise RemoteProtocolError("a=crypto with a key that is no base64") from None
    if len(key) != suite.key_bytes + suite.salt_bytes:
        raise RemoteProtocolError(f"a=crypto with a key of the wrong length for {suite.name}")
    return Secret(base64.b64encode(key).decode())


def _named(word: str) -> str:
    """A word of theirs, as it may be shown; in a line that is badly written it may be the key."""
    return word if _NAME.fullmatch(word) else "in it"


def _is_lifetime(text: str) -> bool:
    """RFC 4568 §6.1: a number of packets, also as a power of two."""
    found = _LIFETIME.fullmatch(text)
    if found is None:
        return False
    number = int(found[2])
    return number <= 48 if found[1] else 1 <= number <= MAX_LIFETIME
