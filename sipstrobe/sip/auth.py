"""Digest authentication: RFC 7616, RFC 8760 and the form of RFC 2069, for both sides; as values.

What stands between quotes is kept as it came and hashed so: RFC 7616 §3.4.2 takes the quotes off
and nothing else. The other side then finds in our answer exactly what it said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5, new, sha256
from hmac import compare_digest
from typing import Protocol

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.secret import Secret
from sipstrobe.sip.grammar import is_token, quote
from sipstrobe.sip.headers import Auth

DEFAULT_ALGORITHM = "MD5"  # RFC 7616 §3.3: of a challenge that names none
_SESSION = "-SESS"
_DIGITS_OF_NC = 8


class _Hash(Protocol):
    def hexdigest(self) -> str: ...


_HASHES: Mapping[str, Callable[[bytes], _Hash]] = {
    "MD5": lambda data: md5(data, usedforsecurity=False),
    "SHA-256": sha256,
    "SHA-512-256": lambda data: new("sha512_256", data),
}


class Challenge(Struct, frozen=True):
    """What a server or proxy wants to be answered: RFC 7616 §3.3.

    qop: what it offers, in lower case; () in the form of RFC 2069. algorithm: as it was written,
    "" if none was.
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def read(cls, auth: Auth) -> "Challenge":
        """Raises RemoteProtocolError for what is no digest challenge."""
        if auth.scheme != "digest":
            raise RemoteProtocolError(f"another scheme than Digest: {auth.scheme[:80]!r}")
        params = auth.params
        if "realm" not in params or "nonce" not in params:
            raise RemoteProtocolError("a challenge without realm or nonce")
        offered = params.get("qop", "").lower().replace(",", " ").split()
        return cls(
            realm=params["realm"],
            nonce=params["nonce"],
            algorithm=_read_token(params, "algorithm"),
            qop=tuple(offered),
            opaque=params.get("opaque"),
            stale=params.get("stale", "").lower() == "true",
        )

    @property
    def chosen_qop(self) -> str | None:
        """The protection that we use, "" for that of RFC 2069; None: we can do none of those.

        auth is preferred: a router that rewrites addresses in bodies would spoil auth-int.
        """
        if not self.qop:
            return ""
        return next((qop for qop in ("auth", "auth-int") if qop in self.qop), None)

    @property
    def usable(self) -> bool:
        """Whether it can be answered: RFC 8760 §2.4."""
        return _base(self.algorithm)[0] in _HASHES and self.chosen_qop is not None

    def answer(
        self,
        user: str,
        password: Secret,
        *,
        method: str,
        uri: str,
        body: bytes,
        cnonce: str,
        count: int,
    ) -> "Authorization":
        """The credentials for one request; count: which use of this nonce it is, from 1.

        With a -sess algorithm cnonce has to stay the same for all uses of a nonce.
        """
        qop = self.chosen_qop or ""
        given = Authorization(
            username=quote(user)[1:-1],
            realm=self.realm,
            nonce=self.nonce,
            uri=uri,
            algorithm=self.algorithm,
            qop=qop,
            cnonce=cnonce if qop or _base(self.algorithm)[1] else "",
            nc=count if qop else 0,
            opaque=self.opaque,
        )
        return replace(given, response=digest(given, password, method, body))

    def __str__(self) -> str:
        parts = [f'realm="{self.realm}"', f'nonce="{self.nonce}"']
        if self.algorithm:
            parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f'qop="{",".join(self.qop)}"')
        if self.opaque is not None:
            parts.append(f'opaque="{self.opaque}"')
        if self.stale:
            parts.append("stale=true")
        return "Digest " + ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The answer to a challenge: RFC 7616 §3.4. nc is 0 and cnonce "" in the form of RFC 2069."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = field(default="", repr=False)
    algorithm: str = ""
    qop: str = ""
    cnonce: str = ""
    nc: int = 0
    opaque: str | None = None

    @classmethod
    def read(cls, auth: Auth) -> "Authorization":
        """Raises RemoteProtocolError for what are no digest credentials."""
        params = auth.params
        needed = ["username", "realm", "nonce", "uri", "response"]
        if params.get("qop"):
            needed += ["cnonce", "nc"]
        if auth.scheme != "digest" or any(name not in params for name in needed):
            raise RemoteProtocolError("no complete digest credentials")
        qop = _read_token(params, "qop").lower()
        count = _read_count(params.get("nc", "0"))
        return cls(
            username=params["username"],
            realm=params["realm"],
            nonce=params["nonce"],
            uri=params["uri"],
            response=params["response"].lower(),
            algorithm=_read_token(params, "algorithm"),
            qop=qop,
            cnonce=params.get("cnonce", ""),
            nc=count if qop else 0,
            opaque=params.get("opaque"),
        )

    def proves(self, password: Secret, method: str, body: bytes) -> bool:
        """Whether whoever made this knows the password; False for an algorithm unknown here."""
        if _base(self.algorithm)[0] not in _HASHES or self.qop not in ("", "auth", "auth-int"):
            return False
        expected = digest(self, password, method, body)
        return compare_digest(expected.encode(), _octets(self.response))

    def __str__(self) -> str:
        parts = [
            f'username="{self.username}"',
            f'realm="{self.realm}"',
            f'nonce="{self.nonce}"',
            f'uri="{self.uri}"',
            f'response="{self.response}"',
        ]
        if self.algorithm:
            parts.append(f"algorithm={self.algorithm}")
        if self.cnonce:
            parts.append(f'cnonce="{self.cnonce}"')
        if self.opaque is not None:
            parts.append(f'opaque="{self.opaque}"')
        if self.qop:
            parts.append(f"qop={self.qop}")
            parts.append(f"nc={self.nc:0{_DIGITS_OF_NC}x}")
        return "Digest " + ", ".join(parts)


def digest(given: Authorization, password: Secret, method: str, body: bytes) -> str:
    """The response that these credentials must carry: RFC 7616 §3.4.1; `given.response` is not
    looked at. The algorithm must be a known one.
    """
    name, session = _base(given.algorithm)
    algorithm = _HASHES[name]

    def hashed(*parts: str) -> str:
        return algorithm(_octets(":".join(parts))).hexdigest()

    secret = hashed(given.username, given.realm, password.reveal())
    if session:
        secret = hashed(secret, given.nonce, given.cnonce)
    if given.qop == "auth-int":
        request = hashed(method, given.uri, algorithm(body).hexdigest())
    else:
        request = hashed(method, given.uri)
    if not given.qop:
        return hashed(secret, given.nonce, request)
    count = f"{given.nc:0{_DIGITS_OF_NC}x}"
    return hashed(secret, given.nonce, count, given.cnonce, given.qop, request)


def _base(algorithm: str) -> tuple[str, bool]:
    """The hash that an algorithm uses, and whether it is of the -sess kind."""
    name = (algorithm or DEFAULT_ALGORITHM).upper()
    return name.removesuffix(_SESSION), name.endswith(_SESSION)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _read_token(params: Mapping[str, str], name: str) -> str:
    value = params.get(name, "")
    if value and not is_token(value):
        raise RemoteProtocolError(f"bad {name}: {value[:80]!r}")
    return value


def _read_count(text: str) -> int:
    try:
        if len(text) <= _DIGITS_OF_NC and text.isalnum():
            return int(text, 16)
    except ValueError:
        pass
    raise RemoteProtocolError(f"bad nonce count: {text[:80]!r}")
