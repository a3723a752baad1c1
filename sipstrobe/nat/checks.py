"""Which STUN messages are those of ICE (RFC 8445 §7), and where our candidates stand among others
(§5.1): whatever an agent needs to know before it works."""

import hashlib
from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.nat.stun import Attr, Class, Message, Method

TYPE_PREFERENCES: Final = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}  # §5.1.2.2
_SIZES: Final = {  # octets of what has a size of its own
    Attr.PRIORITY: 4,
    Attr.USE_CANDIDATE: 0,
    Attr.ICE_CONTROLLED: 8,
    Attr.ICE_CONTROLLING: 8,
    Attr.LIFETIME: 4,
    Attr.REQUESTED_TRANSPORT: 4,
    Attr.CHANNEL_NUMBER: 4,
    0x0003: 4,  # CHANGE-REQUEST of RFC 3489
}
_ADDRESSES: Final = (Attr.XOR_MAPPED_ADDRESS, Attr.XOR_PEER_ADDRESS, Attr.XOR_RELAYED_ADDRESS)


def is_check(message: Message) -> bool:
    """A connectivity check, as opposed to the answer to one."""
    return message.kind is Class.REQUEST


def is_fit(message: Message) -> bool:
    """Whether this is a check or the answer to one, with nothing in it that is not as it should
    be: whom it is handed to looks at nothing twice."""
    if message.method != Method.BINDING or message.kind is Class.INDICATION:
        return False
    try:
        for attribute in _ADDRESSES:
            message.address(attribute)
        _ = message.mapped, message.error
    except RemoteProtocolError:
        return False
    if any(len(value) != _SIZES.get(kind, len(value)) for kind, value in message.attributes):
        return False
    return message.kind is not Class.REQUEST or message.get(Attr.PRIORITY) is not None


def priority(kind: str, local_preference: int, component: int) -> int:
    """RFC 8445 §5.1.2.1."""
    return (TYPE_PREFERENCES[kind] << 24) + (local_preference << 8) + (256 - component)


def foundation(kind: str, base: str, server: str = "") -> str:
    """RFC 8445 §5.1.1.3: the same for candidates that succeed or fail alike."""
    seed = f"{kind}|{base}|{server}".encode()
    return hashlib.sha256(seed).hexdigest()[:8]
