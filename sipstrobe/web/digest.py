"""HTTP Digest authentication, the server's side: RFC 7616, and RFC 2069 answers without qop.

A nonce carries the instant of its making and our signature over it, so that asking for challenges
costs no memory. Only a nonce that somebody has used with the right password is remembered, for the
counts (nc) it was used with.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import unquote

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.replay import Window

NONCE_LIFETIME = 600.0  # seconds; then the next request is answered with stale=true
NONCES_MAX = 1024  # used nonces whose counts are remembered
COUNTS_BACK = 256  # requests may overtake one another on parallel connections by so many

_HASHES = {"MD5": "md5", "SHA-256": "sha256"}  # in the order in which they are offered
ALGORITHMS = tuple(_HASHES)

_AS_IS: Final = "surrogateescape"  # of octets that are no text, none is like another
_PARAMETER = re.compile(
    r'([A-Za-z0-9_*-]{1,32})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))[ \t]*(?:,|$)[\s,]*'
)


class Verdict(Enum):
    """What an answer to a challenge proves."""

    RIGHT = auto()
    STALE = auto()  # the password is right and the nonce is used up: challenge again
    WRONG = auto()


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """The `Authorization: Digest …` header of a request (RFC 7616 §3.4)."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str  # one of ALGORITHMS
    qop: str  # "auth" or, as in RFC 2069, empty
    nc: int
    nc_text: str
    cnonce: str

    @classmethod
    def parse(cls, header: str) -> "DigestAnswer":
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            raise RemoteProtocolError("not a Digest answer")
        given = dict(_parameters(rest.strip()))
        missing = [n for n in ("username", "realm", "nonce", "uri", "response") if n not in given]
        if missing:
            raise RemoteProtocolError(f"Digest answer without {', '.join(missing)}")
        algorithm = given.get("algorithm", "MD5").upper()
        if algorithm not in _HASHES:
            raise RemoteProtocolError("Digest algorithm not offered")
        qop = given.get("qop", "").lower()
        nc_text = given.get("nc", "0")
        if qop not in ("", "auth") or (qop and not given.get("cnonce")):
            raise RemoteProtocolError("Digest qop not offered, or without cnonce")
        if not re.fullmatch(r"[0-9A-Fa-f]{1,8}", nc_text):
            raise RemoteProtocolError("Digest nc is not a hexadecimal number")
        return cls(
            username=re.sub(r"\\(.)", r"\1", given["username"]),
            realm=given["realm"],
            nonce=given["nonce"],
            uri=given["uri"],
            response=given["response"].lower(),
            algorithm=algorithm,
            qop=qop,
            nc=int(nc_text, 16),
            nc_text=nc_text,
            cnonce=given.get("cnonce", ""),
        )


def response_hash(answer: DigestAnswer, method: str, ha1: str) -> str:
    """The response that this HA1, H(username:realm:password), gives: RFC 7616 §3.4.1.

    Without qop: RFC 2069 §2.1.2.
    """
    ha2 = _hash(answer.algorithm, f"{method}:{answer.uri}")
    between = f"{answer.nc_text}:{answer.cnonce}:{answer.qop}:" if answer.qop else ""
    return _hash(answer.algorithm, f"{ha1}:{answer.nonce}:{between}{ha2}")


class DigestGate:
    """Challenge, and judge the answers."""

    def __init__(self, realm: str, random_bytes: Callable[[int], bytes]) -> None:
        self.realm = realm
        self._random_bytes = random_bytes
        self._key = random_bytes(32)
        self._used: dict[str, tuple[int, Window]] = {}  # when it was made (ms), by nonce
        self._forgotten = -1  # no nonce made at or before this instant (ms) is remembered

    def challenges(self, *, now: float, stale: bool = False) -> list[str]:
        """The values of the `WWW-Authenticate` headers, the first for the oldest clients.

        MD5 stands first, because many take the first Digest header only or know nothing else. All
        carry the same nonce: some join the headers and let later parameters win.
        """
        nonce = self._make_nonce(now)
        end = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{end}'
            for algorithm in ALGORITHMS
        ]

    def judge(
        self,
        answer: DigestAnswer,
        method: str,
        target: str,
        secrets: Mapping[str, str] | None,
        *,
        now: float,
    ) -> Verdict:
        """Judge an answer to one of our challenges.

        target: the request-target as received. secrets: HA1 by algorithm of the account that the
        answer names; None when there is no such account, which takes as long as a wrong password.
        """
        ha1 = (secrets or {}).get(answer.algorithm, "")
        expected = response_hash(answer, method, ha1 or "0" * 32)
        right = hmac.compare_digest(expected.encode(), answer.response.encode("utf-8", "replace"))
        if not (right and ha1 and answer.realm == self.realm and same_target(answer.uri, target)):
            return Verdict.WRONG
        made = self._made_at(answer.nonce)
        if made is None or not 0 <= now * 1000 - made <= NONCE_LIFETIME * 1000:
            return Verdict.STALE
        if not answer.qop:
            return Verdict.RIGHT  # RFC 2069 has no count: good as long as its nonce
        return Verdict.RIGHT if self._count(answer, made) else Verdict.STALE

    def _count(self, answer: DigestAnswer, made: int) -> bool:
        """Whether this count is used for the first time (RFC 7616 §3.4, nc)."""
        used = self._used.get(answer.nonce)
        if used is None:
            if made <= self._forgotten:
                return False
            if len(self._used) >= NONCES_MAX:
                oldest = min(self._used, key=lambda nonce: self._used[nonce][0])
                self._forgotten = self._used.pop(oldest)[0]
                if made <= self._forgotten:
                    return False
            used = self._used[answer.nonce] = made, Window(COUNTS_BACK)
        return used[1].take(answer.nc)

    def _make_nonce(self, now: float) -> str:
        made = int(now * 1000).to_bytes(8, "big") + self._random_bytes(8)
        return urlsafe_b64encode(made + self._sign(made)).decode()

    def _made_at(self, nonce: str) -> int | None:
        """When this nonce was made, in ms; None if it was not made by us since the start."""
        try:
            data = urlsafe_b64decode(nonce)
        except ValueError:
            return None
        if len(data) != 32 or not hmac.compare_digest(self._sign(data[:16]), data[16:]):
            return None
        return int.from_bytes(data[:8], "big")

    def _sign(self, made: bytes) -> bytes:
        return hmac.digest(self._key, made, "sha256")[:16]


def same_target(uri: str, target: str) -> bool:
    """Whether the digest uri names this request-target (RFC 7616 §3.4.6).

    Some clients send it as absolute URI, and some with other characters percent-encoded.
    """
    if uri == target:
        return True
    absolute = re.match(r"https?://[^/?#]*", uri, re.IGNORECASE)
    relative = uri[absolute.end() :] or "/" if absolute is not None else uri
    return relative == target or _meaning(relative) == _meaning(target)


def _meaning(target: str) -> tuple[str, list[str]]:
    """The path and the fields of the query as whoever answers reads them (RFC 3986 §6.2.2.2)."""
    path, _, query = target.partition("?")
    pieces = re.split("([&=])", query.replace("+", " "))
    return unquote(path, errors=_AS_IS), [unquote(piece, errors=_AS_IS) for piece in pieces]


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise RemoteProtocolError("Digest answer is malformed")
        name, quoted, token = match.groups()
        yield name.lower(), token if quoted is None else quoted
        at = match.end()


def _hash(algorithm: str, text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.new(_HASHES[algorithm], data, usedforsecurity=False).hexdigest()
