"""What SRTP does to one packet when its index is known: RFC 3711 §4, AES-256 RFC 6188, AES-GCM
RFC 7714.

libsrtp (`rtp.srtp`) counts roll-overs by itself and begins at zero, which is right for two parties
that begin together. Here the roll-over counter is given.
"""

import hmac
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from msgspec import Struct

RTCP_HEADER: Final = 8  # octets that are never encrypted; RFC 3711 §3.4
ENCRYPTED: Final = 1 << 31  # the E flag before the SRTCP index
INDEX_BYTES: Final = 4  # of SRTCP: the flag and 31 bits
_BLOCK: Final = 16  # octets of AES
_CM_SALT, _GCM_SALT = 14, 12  # octets; RFC 3711 §8.2, RFC 7714 §12
_AUTH_KEY: Final = 20  # octets; RFC 3711 §8.2
_RTCP_TAG: Final = 10  # octets with HMAC-SHA1, also where RTP has 4 (RFC 4568 §6.2.2)
_GCM_TAG: Final = 16
_RTP_LABELS, _RTCP_LABELS = (0, 1, 2), (3, 4, 5)  # encryption, authentication, salt; §4.3.1, §4.3.2


class Suite(Struct, frozen=True):
    """Sizes in octets. tag: of RTP."""

    key: int
    salt: int
    tag: int

    @property
    def digits(self) -> int:
        """Hexadecimal ones of key and salt (GAP-18)."""
        return 2 * (self.key + self.salt)


SUITES: Final[Mapping[str, Suite]] = MappingProxyType(
    {  # RFC 4568 §6.2, RFC 6188 §3, RFC 7714 §12
        "AES_CM_128_HMAC_SHA1_80": Suite(16, _CM_SALT, 10),
        "AES_CM_128_HMAC_SHA1_32": Suite(16, _CM_SALT, 4),
        "AES_256_CM_HMAC_SHA1_80": Suite(32, _CM_SALT, 10),
        "AES_256_CM_HMAC_SHA1_32": Suite(32, _CM_SALT, 4),
        "AEAD_AES_128_GCM": Suite(16, _GCM_SALT, _GCM_TAG),
        "AEAD_AES_256_GCM": Suite(32, _GCM_SALT, _GCM_TAG),
    }
)


class SrtpCipher(Protocol):
    """One master key. body: where a packet's header ends."""

    def seal(self, packet: bytes, body: int, roc: int) -> bytes:
        """The SRTP packet of an RTP packet."""
        ...

    def unseal(self, packet: bytes, body: int, rocs: Iterable[int]) -> tuple[int, bytes] | None:
        """The first of the roll-over counters that fits, and the RTP packet; None: none does."""
        ...

    def seal_rtcp(self, packet: bytes, index: int) -> bytes:
        """The SRTCP packet of a compound."""
        ...

    def unseal_rtcp(self, packet: bytes) -> tuple[int, bytes] | None:
        """The index and the compound; None: another key."""
        ...


def cipher(suite: str, material: bytes) -> SrtpCipher:
    """material: master key and master salt of the suite."""
    sizes = SUITES[suite]
    key, salt = material[: sizes.key], material[sizes.key :]
    if sizes.salt == _GCM_SALT:
        return _Gcm(key, salt)
    return _CounterMode(key, salt, sizes.tag)


def derive(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """A session key or salt of this many octets: RFC 3711 §4.3.3 with a key derivation rate of 0,
    RFC 6188 §2 for long keys; the shorter salt of GCM is filled up at its end (RFC 7714 §11)."""
    key_id = int.from_bytes(salt.ljust(_CM_SALT, b"\0"), "big") ^ label << 48
    return _CounterStream(key).apply(key_id << 16, bytes(size))


class _CounterMode:
    """AES in counter mode and HMAC-SHA1: RFC 3711 §4.1.1, §4.2.1."""

    def __init__(self, key: bytes, salt: bytes, tag: int) -> None:
        self._tag = tag
        self._rtp, self._rtcp = (
            (
                _CounterStream(derive(key, salt, encryption, len(key))),
                hmac.new(derive(key, salt, authentication, _AUTH_KEY), digestmod="sha1"),
                int.from_bytes(derive(key, salt, salting, _CM_SALT), "big") << 16,
            )
            for encryption, authentication, salting in (_RTP_LABELS, _RTCP_LABELS)
        )

    def seal(self, packet: bytes, body: int, roc: int) -> bytes:
        stream, mac, _ = self._rtp
        sealed = packet[:body] + stream.apply(self._rtp_iv(packet, roc), packet[body:])
        mac = mac.copy()
        mac.update(sealed + roc.to_bytes(4, "big"))
        return sealed + mac.digest()[: self._tag]

    def unseal(self, packet: bytes, body: int, rocs: Iterable[int]) -> tuple[int, bytes] | None:
        end = len(packet) - self._tag
        if end < body:
            return None
        stream, begun, _ = self._rtp
        tag, signed = packet[end:], packet[:end]
        for roc in rocs:
            mac = begun.copy()
            mac.update(signed + roc.to_bytes(4, "big"))
            if hmac.compare_digest(mac.digest()[: self._tag], tag):
                iv = self._rtp_iv(packet, roc)
                return roc, packet[:body] + stream.apply(iv, packet[body:end])
        return None

    def seal_rtcp(self, packet: bytes, index: int) -> bytes:
        stream, mac, _ = self._rtcp
        body = stream.apply(self._rtcp_iv(packet, index), packet[RTCP_HEADER:])
        sealed = packet[:RTCP_HEADER] + body + (ENCRYPTED | index).to_bytes(INDEX_BYTES, "big")
        mac = mac.copy()
        mac.update(sealed)
        return sealed + mac.digest()[:_RTCP_TAG]

    def unseal_rtcp(self, packet: bytes) -> tuple[int, bytes] | None:
        end = len(packet) - _RTCP_TAG
        at = end - INDEX_BYTES
        if at < RTCP_HEADER:
            return None
        stream, mac, _ = self._rtcp
        mac = mac.copy()
        mac.update(packet[:end])
        if not hmac.compare_digest(mac.digest()[:_RTCP_TAG], packet[end:]):
            return None
        word = int.from_bytes(packet[at:end], "big")
        index = word & ~ENCRYPTED
        if not word & ENCRYPTED:
            return index, packet[:at]
        body = stream.apply(self._rtcp_iv(packet, index), packet[RTCP_HEADER:at])
        return index, packet[:RTCP_HEADER] + body

    def _rtp_iv(self, packet: bytes, roc: int) -> int:
        ssrc, sequence = int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")
        return self._rtp[2] ^ ssrc << 64 ^ roc << 32 ^ sequence << 16

    def _rtcp_iv(self, packet: bytes, index: int) -> int:
        return self._rtcp[2] ^ int.from_bytes(packet[4:8], "big") << 64 ^ index << 16


class _Gcm:
    """AES-GCM: RFC 7714 §8, §9. The header is the additional authenticated data."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._wrong = InvalidTag
        self._rtp, self._rtcp = (
            (
                AESGCM(derive(key, salt, encryption, len(key))),
                int.from_bytes(derive(key, salt, salting, _GCM_SALT), "big"),
            )
            for encryption, _, salting in (_RTP_LABELS, _RTCP_LABELS)
        )

    def seal(self, packet: bytes, body: int, roc: int) -> bytes:
        aead, _ = self._rtp
        header = packet[:body]
        return header + aead.encrypt(self._rtp_nonce(packet, roc), packet[body:], header)

    def unseal(self, packet: bytes, body: int, rocs: Iterable[int]) -> tuple[int, bytes] | None:
        if len(packet) < body + _GCM_TAG:
            return None
        aead, _ = self._rtp
        header, sealed = packet[:body], packet[body:]
        for roc in rocs:
            try:
                opened = aead.decrypt(self._rtp_nonce(packet, roc), sealed, header)
            except self._wrong:
                continue
            return roc, header + opened
        return None

    def seal_rtcp(self, packet: bytes, index: int) -> bytes:
        header, word = packet[:RTCP_HEADER], (ENCRYPTED | index).to_bytes(INDEX_BYTES, "big")
        nonce = self._rtcp_nonce(packet, index)
        return header + self._rtcp[0].encrypt(nonce, packet[RTCP_HEADER:], header + word) + word

    def unseal_rtcp(self, packet: bytes) -> tuple[int, bytes] | None:
        at = len(packet) - INDEX_BYTES
        if at < RTCP_HEADER + _GCM_TAG:
            return None
        word = packet[at:]
        index = int.from_bytes(word, "big") & ~ENCRYPTED
        # Without the flag all of it is only authenticated (§9.3).
        clear = RTCP_HEADER if word[0] & 0x80 else at - _GCM_TAG
        nonce, header = self._rtcp_nonce(packet, index), packet[:clear]
        try:
            return index, header + self._rtcp[0].decrypt(nonce, packet[clear:at], header + word)
        except self._wrong:
            return None

    def _rtp_nonce(self, packet: bytes, roc: int) -> bytes:
        ssrc, sequence = int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")
        return (self._rtp[1] ^ ssrc << 48 ^ roc << 16 ^ sequence).to_bytes(_GCM_SALT, "big")

    def _rtcp_nonce(self, packet: bytes, index: int) -> bytes:
        ssrc = int.from_bytes(packet[4:8], "big")
        return (self._rtcp[1] ^ ssrc << 48 ^ index).to_bytes(_GCM_SALT, "big")


class _CounterStream:
    """AES in counter mode under one key: RFC 3711 §4.1.1.

    The blocks of the key stream are encrypted one by one, since a cipher that is made anew for the
    counter of each packet takes three times as long.
    """

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        ecb = modes.ECB()  # noqa: S305  (of counters: that is counter mode)
        self._encrypt = Cipher(algorithms.AES(key), ecb).encryptor().update

    def apply(self, iv: int, data: bytes) -> bytes:
        """Encrypt, or decrypt, which is the same. iv: its last 16 bits count the blocks."""
        size = len(data)
        begin = iv.to_bytes(_BLOCK, "big")[:-2]
        count = -(-size // _BLOCK)
        counters = b"".join([begin + n.to_bytes(2, "big") for n in range(count)])
        stream = int.from_bytes(self._encrypt(counters)[:size], "big")
        return (stream ^ int.from_bytes(data, "big")).to_bytes(size, "big")
