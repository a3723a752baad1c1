"""Typed values of header fields. Each keeps the text it was read from and gives it back exactly."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import (
    HOST,
    MAX_PARAMS,
    QUOTED,
    REMEMBERED,
    TCHAR,
    parse_delta_seconds,
    parse_host,
    parse_integer,
    parse_params,
    parse_port,
    split_commas,
    unquote,
    without_params,
)
from sipstrobe.sip.uri import Uri

MAGIC_COOKIE = "z9hG4bK"  # RFC 3261 §8.1.1.7
MAX_SEQUENCE = 2**31 - 1  # RFC 3261 §8.1.1.5
MAX_RSEQ = 2**32 - 1  # RFC 3262 §7.1

_VIA = re.compile(
    rf"[Ss][Ii][Pp][ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+([{TCHAR}]++)[ \t]++"
    rf"({HOST})(?:[ \t]*+:[ \t]*+(\d++))?[ \t]*+(;.*)?",
    re.DOTALL,
)
_NAME_ADDR = re.compile(rf'(?:({QUOTED})|([^"<>]*+))[ \t]*+<([^<>]*+)>[ \t]*+(;.*)?', re.DOTALL)
_ADDR_SPEC = re.compile(r'([^\s;,?<>"]++)[ \t]*+(;.*)?', re.DOTALL)
_CSEQ = re.compile(rf"(\d++)[ \t]++([{TCHAR}]++)")
_RACK = re.compile(rf"(\d++)[ \t]++(\d++)[ \t]++([{TCHAR}]++)")
_RETRY_AFTER = re.compile(r"(\d++)[ \t]*+(?:\(.*\))?[ \t]*+(?:;.*)?", re.DOTALL)
_AUTH_SCHEME = re.compile(rf"([{TCHAR}]++)[ \t]++(.*)", re.DOTALL)
_AUTH_PARAM = re.compile(rf"([{TCHAR}]++)[ \t]*+=[ \t]*+({QUOTED}|[^\s,\"]*+)", re.DOTALL)
_TOKEN = re.compile(f"[{TCHAR}]++")
_TOKENS = re.compile(rf"[ \t]*+[{TCHAR}]*+[ \t]*+(?:,[ \t]*+[{TCHAR}]*+[ \t]*+)*+")
_MEDIA_TYPE = re.compile(rf"([{TCHAR}]++)[ \t]*+/[ \t]*+([{TCHAR}]++)[ \t]*+(?:;.*)?", re.S)


class Via:
    """One hop a request has taken: RFC 3261 §20.42. host has no brackets."""

    __slots__ = ("_raw", "host", "params", "port", "transport")

    def __init__(
        self, raw: str, transport: str, host: str, port: int | None, params: Mapping[str, str]
    ) -> None:
        self._raw = raw
        self.transport = transport  # upper case; UDP, TCP, … or one we do not know
        self.host = host
        self.port = port
        self.params = params

    @classmethod
    def parse(cls, text: str) -> "Via":
        via = _VIA.fullmatch(text)
        if via is None:
            raise RemoteProtocolError(f"bad Via: {text[:80]!r}")
        transport, host, port, params = via.groups()
        return cls(
            text,
            transport.upper(),
            host if host[0] != "[" else parse_host(host),
            parse_port(port) if port else None,
            parse_params(params) if params else {},
        )

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")

    @property
    def received(self) -> str:
        """Where the request came from, "" if the same as host. RFC 5118 §4.5: brackets or not."""
        return self.params.get("received", "").strip("[]")

    @property
    def rport(self) -> int | None:
        """The port the request came from, if it was filled in: RFC 3581 §4."""
        value = self.params.get("rport", "")
        return parse_port(value) if value else None

    def with_received(self, host: str, port: int) -> "Via":
        """The same, with where it really came from: RFC 3261 §18.2.1, RFC 3581 §4."""
        start, semicolon, text = self._raw.partition(";")
        text = without_params(semicolon + text, ("received", "rport"))
        params = {**self.params, "received": host}
        added = f";received={host}"
        if "rport" in params:
            params["rport"] = str(port)
            added += f";rport={port}"
        raw = f"{start.rstrip()}{text}{added}"
        return Via(raw, self.transport, self.host, self.port, params)

    def __str__(self) -> str:
        return self._raw

    def __repr__(self) -> str:
        return f"Via({self._raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Via) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)


class NameAddr:
    """An address with a name and parameters: From, To, Contact, Route, Record-Route …

    display is unquoted, "" if there is none. params are those of the header, not of the URI.
    """

    __slots__ = ("_raw", "display", "params", "uri")

    def __init__(self, raw: str, display: str, uri: Uri, params: Mapping[str, str]) -> None:
        self._raw = raw
        self.display = display
        self.uri = uri
        self.params = params

    @staticmethod
    def parse(text: str) -> "NameAddr":
        """Raises RemoteProtocolError.

        RFC 4475 §3.1.2.14 and §3.1.2.15: space inside <> is passed over and the quotes that an
        unquoted name lacks are inferred. RFC 3261 §20: a URI without <> has no parameters or
        headers of its own.
        """
        return _parse_name_addr(text)

    @property
    def tag(self) -> str:
        """The tag of From and To, "" if there is none."""
        return self.params.get("tag", "")

    def __str__(self) -> str:
        return self._raw

    def __repr__(self) -> str:
        return f"NameAddr({self._raw!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NameAddr) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)


@lru_cache(maxsize=REMEMBERED)
def _parse_name_addr(text: str) -> NameAddr:
    match = _NAME_ADDR.fullmatch(text)
    if match is not None:
        quoted, name, uri, params = match.groups()
        uri = uri.strip(" \t")
        display = unquote(quoted) if quoted else name.strip(" \t")
    else:
        match = _ADDR_SPEC.fullmatch(text)
        if match is None:
            raise RemoteProtocolError(f"bad address: {text[:80]!r}")
        uri, params = match.groups()
        display = ""
    return NameAddr(text, display, Uri.parse(uri), parse_params(params) if params else {})


STAR = NameAddr("*", "", Uri.parse("any:*"), {})  # ``Contact: *``, RFC 3261 §10.2.2


class CSeq(NamedTuple):
    """RFC 3261 §20.16."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        match = _CSEQ.fullmatch(text)
        if match is None:
            raise RemoteProtocolError(f"bad CSeq: {text[:80]!r}")
        return cls(parse_integer(match[1], MAX_SEQUENCE), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class RAck(NamedTuple):
    """Which reliable provisional response a PRACK acknowledges: RFC 3262 §7.2."""

    rseq: int
    cseq: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "RAck":
        match = _RACK.fullmatch(text)
        if match is None:
            raise RemoteProtocolError(f"bad RAck: {text[:80]!r}")
        rseq = parse_integer(match[1], MAX_RSEQ)
        return cls(rseq, parse_integer(match[2], MAX_SEQUENCE), match[3])

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"


class SessionExpires(NamedTuple):
    """RFC 4028 §4. refresher: "uac", "uas" or "" (not decided)."""

    seconds: int
    refresher: str = ""

    @classmethod
    def parse(cls, text: str) -> "SessionExpires":
        if text.isdigit():  # nearly always
            return cls(parse_delta_seconds(text))
        seconds, semicolon, params = text.partition(";")
        refresher = parse_params(semicolon + params).get("refresher", "").lower()
        if refresher not in ("", "uac", "uas"):
            raise RemoteProtocolError(f"bad refresher: {text[:80]!r}")
        return cls(parse_delta_seconds(seconds.strip(" \t")), refresher)

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


class Auth(NamedTuple):
    """A challenge or credentials: RFC 3261 §20.44, §20.7. Names and scheme are lower case.

    params are as they came, less the quotes: a digest is made of exactly that (RFC 7616 §3.4.2).
    """

    scheme: str
    params: Mapping[str, str]


def parse_auth(text: str) -> tuple[Auth, ...]:
    """One challenge or credentials, or several where a server has them in one line."""
    found: list[tuple[str, list[str]]] = []
    for piece in split_commas(text):
        if _AUTH_PARAM.fullmatch(piece):
            if not found:
                raise RemoteProtocolError(f"no authentication scheme: {text[:80]!r}")
            found[-1][1].append(piece)
        elif match := _AUTH_SCHEME.fullmatch(piece):
            found.append((match[1].lower(), [match[2]]))
        elif piece:
            raise RemoteProtocolError(f"bad authentication header: {piece[:80]!r}")
    return tuple([Auth(scheme, _auth_params(pieces)) for scheme, pieces in found])


def parse_auth_params(text: str) -> dict[str, str]:
    """The same without a scheme, as Authentication-Info has it: RFC 7616 §3.5."""
    return _auth_params([piece for piece in split_commas(text) if piece])


def _auth_params(pieces: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for piece in pieces:
        param = _AUTH_PARAM.fullmatch(piece)
        if param is None:
            raise RemoteProtocolError(f"bad authentication parameter: {piece[:80]!r}")
        name, value = param[1].lower(), param[2]
        if name in params or len(params) >= MAX_PARAMS:
            raise RemoteProtocolError("too many authentication parameters, or one twice")
        params[name] = value[1:-1] if value[:1] == '"' else value
    return params


def parse_retry_after(text: str) -> int:
    """Seconds: RFC 3261 §20.33. Comment and parameters are passed over."""
    match = _RETRY_AFTER.fullmatch(text)
    if match is None:
        raise RemoteProtocolError(f"bad Retry-After: {text[:80]!r}")
    return parse_delta_seconds(match[1])


@lru_cache(maxsize=REMEMBERED)
def parse_media_type(text: str) -> str:
    """``type/subtype`` in lower case, without parameters."""
    match = _MEDIA_TYPE.fullmatch(text)
    if match is None:
        raise RemoteProtocolError(f"bad media type: {text[:80]!r}")
    return f"{match[1]}/{match[2]}".lower()


@lru_cache(maxsize=REMEMBERED)
def parse_tokens(text: str) -> tuple[str, ...]:
    """A comma list of tokens, which may be empty (``Supported:``)."""
    if not _TOKENS.fullmatch(text):
        raise RemoteProtocolError(f"not a list of tokens: {text[:80]!r}")
    return tuple(_TOKEN.findall(text))
