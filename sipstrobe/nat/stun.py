"""STUN messages: RFC 8489 §5 and §14, with the attributes of TURN (RFC 8656 §18)."""

import hashlib
import hmac
import ipaddress
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Final

from sipstrobe.errors import RemoteProtocolError

Address = tuple[str, int]  # numeric host (IPv6 without brackets), port
Attribute = tuple[int, bytes]  # type, value without padding

MAGIC_COOKIE: Final = b"\x21\x12\xa4\x42"  # RFC 8489 §5
HEADER_BYTES: Final = 20
MAX_ATTRIBUTES: Final = 64  # of one message
_HEADER: Final = Struct("!HH4s12s")
_TYPE_LENGTH: Final = Struct("!HH")
_FINGERPRINT_XOR: Final = 0x5354554E  # §14.7
_METHOD_BITS, _CLASS_BITS = 0x3EEF, 0x0110


class Method(IntEnum):
    BINDING = 0x001
    ALLOCATE = 0x003  # RFC 8656 §17
    REFRESH = 0x004
    SEND = 0x006
    DATA = 0x007
    CREATE_PERMISSION = 0x008
    CHANNEL_BIND = 0x009


class Class(IntEnum):
    """RFC 8489 §5, in the bits of the type where it is written."""

    REQUEST = 0x000
    INDICATION = 0x010
    SUCCESS = 0x100
    ERROR = 0x110


class Attr(IntEnum):
    """Attribute types: RFC 8489 §18.3, RFC 8656 §18, RFC 8445 §16.1."""

    MAPPED_ADDRESS = 0x0001
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    CHANNEL_NUMBER = 0x000C
    LIFETIME = 0x000D
    XOR_PEER_ADDRESS = 0x0012
    DATA = 0x0013
    REALM = 0x0014
    NONCE = 0x0015
    XOR_RELAYED_ADDRESS = 0x0016
    REQUESTED_ADDRESS_FAMILY = 0x0017
    REQUESTED_TRANSPORT = 0x0019
    DONT_FRAGMENT = 0x001A
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    PASSWORD_ALGORITHM = 0x001D
    USERHASH = 0x001E
    XOR_MAPPED_ADDRESS = 0x0020
    RESERVATION_TOKEN = 0x0022
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    PASSWORD_ALGORITHMS = 0x8002
    ALTERNATE_DOMAIN = 0x8003
    SOFTWARE = 0x8022
    ALTERNATE_SERVER = 0x8023
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


_KNOWN: Final = frozenset(Attr)
_INTEGRITY: Final = (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256)
_LAST: Final = (Attr.MESSAGE_INTEGRITY_SHA256, Attr.FINGERPRINT)  # may follow the first
_FAMILIES: Final = {1: 4, 2: 16}  # §14.1: family -> octets of the address
_SHA256_BYTES: Final = range(16, 33, 4)  # §14.6: it may be cut
UNKNOWN_ATTRIBUTE: Final = 420


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Attributes that follow the integrity without being covered by it are gone."""

    method: int
    kind: Class
    transaction_id: bytes
    attributes: tuple[Attribute, ...] = ()
    data: bytes = field(default=b"", compare=False, repr=False)  # as it was received

    def get(self, attribute: int) -> bytes | None:
        """The value of the first attribute of this type (§14: the others do not count)."""
        return next((value for kind, value in self.attributes if kind == attribute), None)

    def text(self, attribute: int) -> str | None:
        """The same for those that hold words; what is no UTF-8 is replaced."""
        value = self.get(attribute)
        return None if value is None else value.decode("utf-8", "replace")

    def number(self, attribute: int) -> int | None:
        """The same for those of 32 bits. Raises RemoteProtocolError for others."""
        value = self.get(attribute)
        if value is None:
            return None
        if len(value) != 4:
            raise RemoteProtocolError(f"attribute {attribute:#06x} is no 32-bit number")
        return int.from_bytes(value, "big")

    def address(self, attribute: int) -> Address | None:
        """The same for XOR-…-ADDRESS (§14.2). Raises RemoteProtocolError."""
        value = self.get(attribute)
        return None if value is None else _address(value, MAGIC_COOKIE + self.transaction_id)

    @property
    def mapped(self) -> Address | None:
        """XOR-MAPPED-ADDRESS, or the MAPPED-ADDRESS of old servers. Raises RemoteProtocolError."""
        found = self.address(Attr.XOR_MAPPED_ADDRESS)
        value = self.get(Attr.MAPPED_ADDRESS)
        return _address(value, bytes(16)) if found is None and value is not None else found

    @property
    def error(self) -> tuple[int, str] | None:
        """ERROR-CODE (§14.8): number and words. Raises RemoteProtocolError."""
        value = self.get(Attr.ERROR_CODE)
        if value is None:
            return None
        if len(value) < 4 or not 3 <= value[2] & 7 <= 6 or value[3] > 99:
            raise RemoteProtocolError("ERROR-CODE is none")
        return (value[2] & 7) * 100 + value[3], value[4:].decode("utf-8", "replace")

    @property
    def unknown(self) -> tuple[int, ...]:
        """The attributes that we do not know and should (§6.3: types below 0x8000)."""
        return tuple(kind for kind, _ in self.attributes if kind < 0x8000 and kind not in _KNOWN)

    def is_signed_with(self, key: bytes) -> bool:
        """Whether it carries an integrity, and the best one it carries is made with this key."""
        at, found = HEADER_BYTES, dict[int, tuple[int, bytes]]()
        for kind, value in self.attributes:
            if kind in _INTEGRITY:
                found.setdefault(kind, (at, value))
            at += 4 + len(value) + -len(value) % 4
        for kind, algorithm in ((_INTEGRITY[1], "sha256"), (_INTEGRITY[0], "sha1")):
            if kind in found:
                at, value = found[kind]
                made = _mac(self.data[:at], key, algorithm, len(value))
                return hmac.compare_digest(made[: len(value)], value)
        return False


def is_stun(data: bytes) -> bool:
    """RFC 7983 §7 and the magic cookie: no RTP, DTLS or ChannelData begins so."""
    return len(data) >= HEADER_BYTES and data[0] < 4 and data[4:8] == MAGIC_COOKIE


def parse(data: bytes) -> Message:
    """Raises RemoteProtocolError for what is no STUN message, or has another FINGERPRINT."""
    if not is_stun(data):
        raise RemoteProtocolError("no STUN message")
    kind, length, _, transaction_id = _HEADER.unpack_from(data)
    if length % 4 or length != len(data) - HEADER_BYTES:
        raise RemoteProtocolError("the length of the STUN message is wrong")
    attributes = tuple(_attributes(data))
    return Message(kind & _METHOD_BITS, Class(kind & _CLASS_BITS), transaction_id, attributes, data)


def build(
    method: int,
    kind: Class,
    transaction_id: bytes,
    attributes: Iterable[Attribute] = (),
    *,
    key: bytes | None = None,
    sha256: bool = False,
    fingerprint: bool = False,
) -> bytes:
    """A message to send; key: sign it (§14.5; sha256: §14.6)."""
    body = b"".join(_encode(*attribute) for attribute in attributes)
    data = _HEADER.pack(method | kind, len(body), MAGIC_COOKIE, transaction_id) + body
    if key is not None:
        attribute = Attr.MESSAGE_INTEGRITY_SHA256 if sha256 else Attr.MESSAGE_INTEGRITY
        algorithm, size = ("sha256", 32) if sha256 else ("sha1", 20)
        data = _with_length(data + _encode(attribute, _mac(data, key, algorithm, size)))
    if fingerprint:
        checked = _with_length(data, 8)
        data = checked + _encode(Attr.FINGERPRINT, _fingerprint(checked))
    return data


def xor_address(address: Address, transaction_id: bytes) -> bytes:
    """The value of an XOR-…-ADDRESS (§14.2). Raises ValueError for a host that is no address."""
    host, port = ipaddress.ip_address(address[0]), address[1]
    plain = port.to_bytes(2, "big") + host.packed
    family = 1 if host.version == 4 else 2
    pad = MAGIC_COOKIE[:2] + MAGIC_COOKIE + transaction_id
    return bytes((0, family)) + bytes(a ^ b for a, b in zip(plain, pad, strict=False))


def error_code(code: int, words: str) -> bytes:
    """The value of an ERROR-CODE (§14.8)."""
    return bytes((0, 0, code // 100, code % 100)) + words.encode()


def long_term_key(user: str, realm: str, password: str, *, sha256: bool = False) -> bytes:
    """§9.2.2: what signs the requests of somebody with a name and a password."""
    words = (unicodedata.normalize("NFC", word) for word in (user, realm, password))
    text = ":".join(words).encode()
    made = hashlib.sha256(text) if sha256 else hashlib.md5(text, usedforsecurity=False)
    return made.digest()


def _attributes(data: bytes) -> Iterable[Attribute]:
    at, count, covered = HEADER_BYTES, 0, True
    while at < len(data):
        kind, length = _TYPE_LENGTH.unpack_from(data, at)
        value = data[at + 4 : at + 4 + length]
        count += 1
        if len(value) != length or count > MAX_ATTRIBUTES:
            raise RemoteProtocolError("the attributes of the STUN message do not fit into it")
        if kind == Attr.FINGERPRINT:
            if value != _fingerprint(data[:at]) or at + 8 != len(data):
                raise RemoteProtocolError("the FINGERPRINT of the STUN message is wrong")
            return
        if covered or kind in _LAST:
            yield _checked(kind, value)
        covered = covered and kind not in _INTEGRITY
        at += 4 + length + -length % 4


def _checked(kind: int, value: bytes) -> Attribute:
    if kind == Attr.MESSAGE_INTEGRITY and len(value) != 20:
        raise RemoteProtocolError("MESSAGE-INTEGRITY is too short or too long")
    if kind == Attr.MESSAGE_INTEGRITY_SHA256 and len(value) not in _SHA256_BYTES:
        raise RemoteProtocolError("MESSAGE-INTEGRITY-SHA256 is too short or too long")
    return kind, value


def _address(value: bytes, pad: bytes) -> Address:
    size = _FAMILIES.get(value[1]) if len(value) >= 4 else None
    if size is None or len(value) != 4 + size:
        raise RemoteProtocolError("the address in the STUN message is none")
    port = int.from_bytes(value[2:4], "big") ^ int.from_bytes(pad[:2], "big")
    host = bytes(a ^ b for a, b in zip(value[4:], pad, strict=False))
    return str(ipaddress.ip_address(host)), port


def _encode(kind: int, value: bytes) -> bytes:
    return _TYPE_LENGTH.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _with_length(data: bytes, extra: int = 0) -> bytes:
    """With the length of what there is, and of what is still to follow."""
    length = len(data) - HEADER_BYTES + extra
    return data[:2] + length.to_bytes(2, "big") + data[4:]


def _mac(covered: bytes, key: bytes, algorithm: str, size: int) -> bytes:
    """§14.5: over everything before, with the length as if it ended the message."""
    return hmac.new(key, _with_length(covered, 4 + size), algorithm).digest()


def _fingerprint(covered: bytes) -> bytes:
    return (zlib.crc32(_with_length(covered, 8)) ^ _FINGERPRINT_XOR).to_bytes(4, "big")
