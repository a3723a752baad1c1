"""SIP and SIPS URIs, and whatever else may stand where they do: RFC 3261 §19.1, §25."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import HOST, MAX_PARAMS, REMEMBERED, parse_host, parse_port

_SIP = re.compile(
    r'([Ss][Ii][Pp][Ss]?):(?:([^@:\s<>"]++)(?::([^@\s<>"]*+))?@)?'
    rf"({HOST})(?::(\d++))?((?:;[^;?=\s<>\"]++(?:=[^;?\s<>\"]*+)?+)*+)(?:\?([^\s<>\"]++))?+"
)
_PASSWORD = re.compile(r'([Ss][Ii][Pp][Ss]?:[^@:\s<>"]++):[^@\s<>"]*+@')
_ANY = re.compile(r'([A-Za-z][A-Za-z0-9+.\-]*+):([^\s<>"]++)')


class Uri:
    """One URI, as received (`str`) and in its parts.

    scheme is lower case. host has no brackets. params maps lower-case names to values as they
    came ("" if none), headers likewise with names as they came. Of a scheme other than sip and
    sips only `opaque` is known, the text after the colon; host is then "".
    """

    __slots__ = (
        "_raw",
        "headers",
        "host",
        "opaque",
        "params",
        "password",
        "port",
        "scheme",
        "user",
    )

    def __init__(
        self,
        raw: str,
        scheme: str,
        user: str | None,
        password: str | None,
        host: str,
        port: int | None,
        params: Mapping[str, str],
        headers: tuple[tuple[str, str], ...],
        opaque: str = "",
    ) -> None:
        self._raw = raw
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.params = params
        self.headers = headers
        self.opaque = opaque

    @staticmethod
    def parse(text: str) -> "Uri":
        """Raises RemoteProtocolError for what is no URI."""
        return _parse(text)

    @property
    def bare(self) -> "Uri":
        """The same without headers, which may not stand in a Request-URI: RFC 3261 §19.1.1."""
        if not self.headers:
            return self
        host_at = 0 if self.user is None else self._raw.index("@")  # a user may hold "?"
        return _parse(self._raw[: self._raw.index("?", host_at)])

    @property
    def is_sip(self) -> bool:
        """Whether it is sip: or sips:."""
        return self.scheme in ("sip", "sips")

    def __str__(self) -> str:
        return self._raw

    def __repr__(self) -> str:
        return f"Uri({self._raw!r})"

    def __eq__(self, other: object) -> bool:
        """Spelled the same. For the comparison of RFC 3261 see `equivalent`."""
        return isinstance(other, Uri) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)


def equivalent(a: Uri, b: Uri) -> bool:
    """Whether two URIs are equal as RFC 3261 §19.1.4 means it."""
    if a.scheme != b.scheme:
        return False
    if not a.is_sip:
        return a.opaque == b.opaque
    if a.host.lower() != b.host.lower() or a.port != b.port:
        return False
    if _user_info(a) != _user_info(b):
        return False
    for name in a.params.keys() | b.params.keys():
        both = name in a.params and name in b.params
        if both and _unescape(a.params[name]).lower() != _unescape(b.params[name]).lower():
            return False
        if not both and name in ("user", "ttl", "method", "maddr", "transport"):
            return False
    return _header_set(a) == _header_set(b)


def readable(address: str) -> str:
    """An address for people, rules, logs and JSON: what cannot be printed is escaped.

    A password in it is nobody's business.
    """
    address = without_password(address)
    if address.isprintable():
        return address
    return "".join([c if c.isprintable() else _escape(c) for c in address])


def without_password(address: str) -> str:
    """An address without the password that a SIP URI may have: RFC 3261 §19.1.1."""
    if "@" not in address or address.count(":") < 2:
        return address
    return _PASSWORD.sub(_user_alone, address)


def _user_alone(found: re.Match[str]) -> str:
    return f"{found[1]}@"


def user_of(uri: Uri) -> str:
    """The user part as people know it: ``*1%23`` is ``*1#`` (RFC 3261 §19.1.4)."""
    return readable(_unescape(uri.user or "").decode("utf-8", "surrogateescape"))


def _escape(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _user_info(uri: Uri) -> list[bytes | None]:
    return [None if text is None else _unescape(text) for text in (uri.user, uri.password)]


def _header_set(uri: Uri) -> list[tuple[bytes, bytes]]:
    return sorted((_unescape(name).lower(), _unescape(value)) for name, value in uri.headers)


def _unescape(text: str) -> bytes:
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))


@lru_cache(maxsize=REMEMBERED)
def _parse(text: str) -> Uri:
    sip = _SIP.fullmatch(text)
    if sip is None:
        return _parse_other(text)
    scheme, user, password, host, port, params, headers = sip.groups()
    return Uri(
        text,
        scheme.lower(),
        user,
        password,
        host if host[0] != "[" else parse_host(host),
        parse_port(port) if port else None,
        _parse_params(params) if params else {},
        _parse_headers(headers) if headers else (),
    )


def _parse_other(text: str) -> Uri:
    other = _ANY.fullmatch(text)
    if other is None or other[1].lower() in ("sip", "sips"):
        raise RemoteProtocolError(f"bad URI: {text[:80]!r}")
    return Uri(text, other[1].lower(), None, None, "", None, {}, (), other[2])


def _parse_params(text: str) -> dict[str, str]:
    params: dict[str, str] = {}
    parts = text.split(";", MAX_PARAMS + 1)
    for part in parts[1:]:
        name, _, value = part.partition("=")
        params[name.lower()] = value
    if len(params) != len(parts) - 1 or len(params) > MAX_PARAMS:
        raise RemoteProtocolError("too many URI parameters, or one twice")
    return params


def _parse_headers(text: str) -> tuple[tuple[str, str], ...]:
    parts = text.split("&", MAX_PARAMS)
    if len(parts) > MAX_PARAMS:
        raise RemoteProtocolError("too many headers in a URI")
    pairs = [part.partition("=") for part in parts]
    return tuple((name, value) for name, _, value in pairs)
