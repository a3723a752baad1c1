"""SRTP and SRTCP: RFC 3711, AES-GCM RFC 7714; the work is done by libsrtp.

A context is made for any SSRC, so that neither side loses the other when one changes.
"""

import base64
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from sipstrobe.secret import Secret

if TYPE_CHECKING:
    from pylibsrtp import Policy

WINDOW: Final = 1024  # packets that may be out of order; RFC 3711 §3.3.2 asks for 64 at least
MAX_SOURCES: Final = 16  # SSRCs of one key that are remembered
BOTH_KEYS: Final = 50  # packets under a new key after which the one before counts no more
LONGEST: Final = 1356  # bytes of a packet that can be protected; the binding has no more room
_PROFILES: Final = {  # RFC 4568 §6.2, RFC 7714 §14.2: the constants of pylibsrtp.Policy
    "AES_CM_128_HMAC_SHA1_80": "SRTP_PROFILE_AES128_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32": "SRTP_PROFILE_AES128_CM_SHA1_32",
    "AEAD_AES_128_GCM": "SRTP_PROFILE_AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM": "SRTP_PROFILE_AEAD_AES_256_GCM",
}
_REPLAYS: Final = ("replay check failed (bad index)", "replay check failed (index too old)")


class Keys(NamedTuple):
    """What protects one direction. key: master key and salt in base64."""

    suite: str  # as in RFC 4568 §6.2
    key: Secret


class Outbound:
    """Protect what we send."""

    __slots__ = ("_errors", "_session", "keys")

    def __init__(self, keys: Keys) -> None:
        from pylibsrtp import Error, Session

        self.keys = keys
        self._session = Session(_policy(keys, "SSRC_ANY_OUTBOUND"))
        self._errors = (Error, ValueError, TypeError)

    def protect(self, packet: bytes) -> bytes | None:
        """The packet as it is sent; None when it cannot be, which must then not be sent: it is
        longer than LONGEST, which none is that SDP may agree on, or the key is worn out."""
        try:
            return self._session.protect(packet)
        except self._errors:
            return None

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return self._session.protect_rtcp(packet)
        except self._errors:
            return None


class Inbound:
    """Check and open what the peer sends.

    After a change of keys those before are good until the new ones have proven themselves, since
    some packets are on the way then.
    """

    __slots__ = ("_before", "_errors", "_newest", "_proven", "failed", "replayed")

    def __init__(self, keys: Keys) -> None:
        from pylibsrtp import Error

        self.failed = 0  # packets that nobody with the key has sent, or that were changed
        self.replayed = 0  # packets that have come before, or so late that nobody knows
        self._errors = (Error, ValueError, TypeError)
        self._newest = _Source(keys)
        self._before: _Source | None = None
        self._proven = 0  # packets under the newest keys, while there are others

    @property
    def keys(self) -> Keys:
        return self._newest.keys

    def change(self, keys: Keys) -> None:
        """The peer has new keys; with those in use nothing changes."""
        if keys != self._newest.keys:
            self._before, self._newest = self._newest, _Source(keys)
            self._proven = 0

    def unprotect(self, packet: bytes) -> bytes | None:
        """The RTP packet; None when it is not the peer's, or has come before."""
        try:
            opened = self._newest.open(packet)
        except self._errors as error:
            return self._try_before(packet, error, rtcp=False)
        if self._before is not None:
            self._prove()
        return opened

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The same of RTCP."""
        try:
            return self._newest.open_rtcp(packet)
        except self._errors as error:
            return self._try_before(packet, error, rtcp=True)

    def _try_before(self, packet: bytes, error: Exception, *, rtcp: bool) -> bytes | None:
        before = self._before
        if before is not None:
            try:
                return before.open_rtcp(packet) if rtcp else before.open(packet)
            except self._errors:
                pass
        if str(error) in _REPLAYS:
            self.replayed += 1
        else:
            self.failed += 1
        return None

    def _prove(self) -> None:
        self._proven += 1
        if self._proven >= BOTH_KEYS:
            self._before = None


class Srtp:
    """Both directions between two parties."""

    __slots__ = ("inbound", "outbound")

    def __init__(self, ours: Keys, theirs: Keys) -> None:
        """ours: for what we send."""
        self.outbound = Outbound(ours)
        self.inbound = Inbound(theirs)

    def change(self, ours: Keys, theirs: Keys) -> None:
        """Other keys of either side. What stays the same goes on where it is: RFC 4568 §7.1.4."""
        if ours != self.outbound.keys:
            self.outbound = Outbound(ours)
        self.inbound.change(theirs)


class _Source:
    """What comes under one key, from a bounded number of SSRCs; only the key's owner adds some."""

    __slots__ = ("_last", "_session", "_ssrcs", "keys")

    def __init__(self, keys: Keys) -> None:
        from pylibsrtp import Session

        self.keys = keys
        self._session = Session(_policy(keys, "SSRC_ANY_INBOUND"))
        self._ssrcs: OrderedDict[bytes, None] = OrderedDict()
        self._last = b""

    def open(self, packet: bytes) -> bytes:
        opened = self._session.unprotect(packet)
        if packet[8:12] != self._last:
            self._note(packet[8:12])
        return opened

    def open_rtcp(self, packet: bytes) -> bytes:
        opened = self._session.unprotect_rtcp(packet)
        if packet[4:8] != self._last:
            self._note(packet[4:8])
        return opened

    def _note(self, ssrc: bytes) -> None:
        self._last = ssrc
        self._ssrcs[ssrc] = None
        self._ssrcs.move_to_end(ssrc)
        if len(self._ssrcs) > MAX_SOURCES:
            oldest, _ = self._ssrcs.popitem(last=False)
            self._session.remove_stream(int.from_bytes(oldest, "big"))


def _policy(keys: Keys, sources: str) -> "Policy":
    from pylibsrtp import Policy

    ssrc_type: int = getattr(Policy, sources)
    profile: int = getattr(Policy, _PROFILES[keys.suite])
    key = base64.b64decode(keys.key.reveal())
    policy = Policy(key=key, ssrc_type=ssrc_type, srtp_profile=profile)
    policy.window_size = WINDOW
    return policy
