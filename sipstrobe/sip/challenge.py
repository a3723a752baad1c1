"""Passwords asked of callers: the server's side of digest authentication in SIP.

RFC 3261 §22, RFC 7616, RFC 8760. A challenge costs no memory: its nonce carries the instant of its
making and our signature over it and over the address that it was given to. Only a nonce that was
used with the right password is remembered, for the counts (nc) that it was used with.

Deviation: the digest-uri is not compared with the Request-URI (RFC 7616 §3.4.6), because proxies
rewrite the latter; that an answer is not used again for another request is what counts are for.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum, auto
from hmac import compare_digest, digest
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.replay import Window
from sipstrobe.secret import Secret
from sipstrobe.sip.auth import DEFAULT_ALGORITHM, Authorization, Challenge
from sipstrobe.sip.capabilities import Fields
from sipstrobe.sip.grammar import unquote
from sipstrobe.sip.message import Request
from sipstrobe.sources import source_of

ALGORITHMS: Final = ("SHA-512-256", "SHA-256", "MD5")  # RFC 8760 §2.3: the preferred one first
MD5_ONLY: Final = ("MD5",)
NONCE_LIFE: Final = 60.0  # seconds; whoever needs longer is challenged again (stale)
MAX_USED: Final = 1024  # nonces whose counts are remembered
COUNTS_BACK: Final = 32  # requests of one caller may overtake one another by so many
WRONG_AT_ONCE: Final = 5  # wrong passwords from one source …
WRONG_EVERY: Final = 10.0  # … and then one in so many seconds
MAX_WRONG: Final = 1024  # sources of wrong passwords that are remembered
_SIGNATURE_BYTES: Final = 16
_MADE_BYTES: Final = 8
_NOBODY: Final = Secret("\0")  # for users that do not exist, who take as long as others


class Callers(Struct, frozen=True):
    """Who may call: passwords by user name, and where those are known (without quotes in it).

    algorithms: that they are offered. RFC 8760 §2.4 has phones pass over those that they do not
    know, but many give up instead.
    """

    realm: str
    passwords: Mapping[str, Secret]
    algorithms: tuple[str, ...] = ALGORITHMS


class Verdict(Enum):
    """What a request proves."""

    PROVED = auto()
    UNPROVED = auto()  # it says nothing, or nothing that we have asked for
    STALE = auto()  # the nonce is used up, or none that was given to this address
    WRONG = auto()
    TOO_OFTEN = auto()  # so many were wrong that this one is not even looked at


class Challenger:
    """Challenge callers, and judge what they answer."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._key = random_bytes(32)
        self._used: dict[str, tuple[int, Window]] = {}  # when it was made (ms), by nonce
        self._forgotten = -1  # nothing made at or before this instant (ms) is remembered
        self._wrong: dict[str, float] = {}  # when a source has all its attempts again

    def challenges(self, callers: Callers, host: str, *, now: float, stale: bool = False) -> Fields:
        """The header fields of a 401 to this address: RFC 8760 §2.6, one for each algorithm."""
        realm, nonce = callers.realm, self._nonce(host, now)
        return tuple(
            ("WWW-Authenticate", str(Challenge(realm, nonce, algorithm, ("auth",), stale=stale)))
            for algorithm in callers.algorithms
        )

    def judge(self, request: Request, host: str, callers: Callers, *, now: float) -> Verdict:
        """Whether whoever sends this from this address is one of the callers."""
        given = _credentials(request, callers)
        if given is None:
            return Verdict.UNPROVED
        source = source_of(host)
        if self._wrong.get(source, 0.0) - now > (WRONG_AT_ONCE - 1) * WRONG_EVERY:
            return Verdict.TOO_OFTEN
        made = self._made_at(given.nonce, host)
        if made is None:  # whoever forges an address sees no nonce, and must not lock out its owner
            return Verdict.STALE
        password = callers.passwords.get(unquote(f'"{given.username}"'), _NOBODY)
        if not given.proves(password, request.method, request.body) or password is _NOBODY:
            self._note_wrong(source, now)
            return Verdict.WRONG
        if not 0 <= now * 1000 - made <= NONCE_LIFE * 1000:
            return Verdict.STALE
        return Verdict.PROVED if self._count(given, made) else Verdict.STALE

    # --- nonces -----------------------------------------------------------------------------

    def _nonce(self, host: str, now: float) -> str:
        made = int(now * 1000).to_bytes(_MADE_BYTES)
        return urlsafe_b64encode(made + self._sign(made, host)).decode()

    def _made_at(self, nonce: str, host: str) -> int | None:
        """When we made this for that address, in ms; None if we have not."""
        try:
            data = urlsafe_b64decode(nonce)
        except ValueError:
            return None
        made, signature = data[:_MADE_BYTES], data[_MADE_BYTES:]
        return int.from_bytes(made) if compare_digest(self._sign(made, host), signature) else None

    def _sign(self, made: bytes, host: str) -> bytes:
        return digest(self._key, made + host.encode(), "sha256")[:_SIGNATURE_BYTES]

    def _count(self, given: Authorization, made: int) -> bool:
        """Whether this count is used for the first time; without one a nonce is good once."""
        used = self._used.get(given.nonce)
        if used is None:
            if made <= self._forgotten:
                return False
            if len(self._used) >= MAX_USED:
                oldest = min(self._used, key=lambda nonce: self._used[nonce][0])
                self._forgotten = self._used.pop(oldest)[0]
                if made <= self._forgotten:
                    return False
            used = self._used[given.nonce] = made, Window(COUNTS_BACK)
        return used[1].take(given.nc if given.qop else 1)

    # --- wrong passwords --------------------------------------------------------------------

    def _note_wrong(self, source: str, now: float) -> None:
        """The source that was wrong longest ago makes room."""
        before = self._wrong.pop(source, 0.0)
        if len(self._wrong) >= MAX_WRONG:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[source] = max(before, now) + WRONG_EVERY


def _credentials(request: Request, callers: Callers) -> Authorization | None:
    """The answer to a challenge of ours, in a form that we have offered."""
    for auth in request.auth("Authorization"):
        with suppress(RemoteProtocolError):
            given = Authorization.read(auth)
            algorithm = (given.algorithm or DEFAULT_ALGORITHM).upper()
            offered = algorithm in callers.algorithms and given.qop in ("", "auth")
            if offered and given.realm == callers.realm:
                return given
    return None
