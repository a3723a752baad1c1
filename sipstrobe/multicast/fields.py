"""What the settings of sources and of the relay have in common: codecs, addresses and keys."""

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from string import hexdigits
from typing import Annotated, Final, Literal

from msgspec import Meta

from sipstrobe.commands import PageCodec
from sipstrobe.secret import Secret

Codec = PageCodec
Latency = Literal["normal", "low", "ultra_low"]
Cipher = Literal["AES_CM_HMAC_SHA1_80", "AES_CM_HMAC_SHA1_32", "AES_GCM"]
Address = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f:.]{2,45}$(?!\n)")]

SUITES: Final[Mapping[Cipher, Mapping[int, str]]] = {
    "AES_CM_HMAC_SHA1_80": {60: "AES_CM_128_HMAC_SHA1_80", 92: "AES_256_CM_HMAC_SHA1_80"},
    "AES_CM_HMAC_SHA1_32": {60: "AES_CM_128_HMAC_SHA1_32", 92: "AES_256_CM_HMAC_SHA1_32"},
    "AES_GCM": {56: "AEAD_AES_128_GCM", 88: "AEAD_AES_256_GCM"},
}
"""By the hexadecimal characters of key and salt, the crypto suite of RFC 4568, 6188 and 7714."""


def key_problem(key: Secret, cipher: Cipher) -> str:
    """What is wrong with key and salt, in words; empty: nothing, or there is none."""
    digits = key.reveal()
    if not digits or (len(digits) in SUITES[cipher] and not set(digits) - set(hexdigits)):
        return ""
    sizes = " or ".join(str(size) for size in SUITES[cipher])
    return f"must be {sizes} hexadecimal characters for {cipher}"


@lru_cache(2048)  # a list of a thousand is looked at again with each change
def group_problem(address: str) -> tuple[IPv4Address | IPv6Address | None, str]:
    """The address, if it is one, and what keeps it from being a multicast group, in words."""
    try:
        group = ip_address(address)
    except ValueError:
        return None, "must be an IPv4 or IPv6 address"
    if group.is_multicast:
        return group, ""
    return group, "must be 224.0.0.0 to 239.255.255.255, or in ff00::/8"
