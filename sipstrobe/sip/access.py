"""Who may call: the access list, compiled once for quick decisions (ACL-01…04, GAP-27).

What an entry is compared with, and what that proves:

``192.0.2.0/24``, ``2001:db8::1``
    where the request came from. Over TCP, TLS and WebSocket that cannot be forged; over UDP it
    can, but whoever does so never sees our answers, so his call ends before it is confirmed.
``sip:10*@pbx.example``, ``*@pbx.example``, ``sips:*@pbx.example``
    the caller as the request names him in From, which anybody can write as he likes. Only what
    our own server asserts of him (P-Asserted-Identity, RFC 3325, which then counts in place of
    From) is as good as that server. ``sips:`` wants a sips caller, anything else takes both.
``pbx.example``, ``*.example``
    one of our servers by its name, which is where the request came from; or else the domain of the
    caller, with the same reservation.

``*`` stands for any characters, within the user or within the host. Users are compared as they are
(RFC 3261 §19.1.4), hosts without regard to case and to the dot that may end a name.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Generic, TypeVar

from sipstrobe.sip.message import Request
from sipstrobe.sip.settings import AccessSettings
from sipstrobe.sip.uri import Uri, readable, user_of

T = TypeVar("T")
_SCHEME = re.compile(r"(?i)(sips?):")
_PLACE = re.compile(r"\[([0-9a-f:.]+)\](?::\d+)?|([^:]+):\d+")
_IPV4_BITS = 32
_SEPARATORS = re.compile(r"[-.()]")  # RFC 3966 §5.1.1: visual separators of a number mean nothing


class AccessList:
    """Decide by one setting of the list; an unused list admits everybody."""

    def __init__(self, settings: AccessSettings) -> None:
        self._enabled = settings.enabled
        self._listed_may = settings.policy == "allow"
        self._networks = _Networks()
        self._hosts: _Patterns[bool] = _Patterns()
        self._callers: dict[bool, _Patterns[_Patterns[bool]]] = {  # by: wants a sips caller
            False: _Patterns(),
            True: _Patterns(),
        }
        for entry in settings.entries:
            self._enter(entry)

    def admits(self, caller: Uri, source: str, names: Collection[str] = ()) -> bool:
        """Whether this caller may call.

        source: the numeric address that the request came from; names: those of the server of ours
        that has this address.
        """
        if not self._enabled:
            return True
        return self._lists(caller, source, names) is self._listed_may

    def vouches(self, source: str) -> bool:
        """Whether the owner has allowed this very address, so that it need not be suspected."""
        return self._enabled and self._listed_may and self._networks.find(source)

    def _lists(self, caller: Uri, source: str, names: Collection[str]) -> bool:
        if self._networks.find(source):
            return True
        user, host = _user_and_host(caller)
        if any(any(self._hosts.find(name)) for name in (host, *map(_host, names))):
            return True
        kinds = (False, True) if caller.scheme == "sips" else (False,)
        return any(
            any(users.find(user)) for kind in kinds for users in self._callers[kind].find(host)
        )

    def _enter(self, entry: str) -> None:
        scheme = _SCHEME.match(entry)
        rest = entry[scheme.end() :] if scheme else entry
        user, at, host = rest.rpartition("@")
        host = _host(_bare(host.lower()))
        if at or scheme:
            secure = scheme is not None and scheme[1].lower() == "sips"
            users = self._callers[secure].setdefault(host, _Patterns())
            users.setdefault(user if at else "*", True)
        elif not self._networks.enter(host):
            self._hosts.setdefault(host, True)


class _Patterns(Generic[T]):
    """Values by patterns with ``*``; all whose pattern fits a text are found.

    Those with one ``*`` at an end, as most are, cost one look for each of their lengths; only
    those with more are tried one after the other.
    """

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._beginnings: dict[int, dict[str, T]] = {}  # by length
        self._ends: dict[int, dict[str, T]] = {}
        self._others: dict[tuple[str, ...], T] = {}  # by what stands between the stars

    def setdefault(self, pattern: str, value: T) -> T:
        """The value of this pattern; this one if it has none yet."""
        before, star, after = pattern.partition("*")
        if not star:
            return self._exact.setdefault(pattern, value)
        if not after:
            return self._beginnings.setdefault(len(before), {}).setdefault(before, value)
        if not before and "*" not in after:
            return self._ends.setdefault(len(after), {}).setdefault(after, value)
        return self._others.setdefault(tuple(pattern.split("*")), value)

    def find(self, text: str) -> Iterator[T]:
        """The values of all patterns that fit."""
        if text in self._exact:
            yield self._exact[text]
        for length, values in self._beginnings.items():
            if text[:length] in values:
                yield values[text[:length]]
        for length, values in self._ends.items():
            if text[-length:] in values:
                yield values[text[-length:]]
        for parts, value in self._others.items():
            if _fits(parts, text):
                yield value


def _fits(parts: tuple[str, ...], text: str) -> bool:
    """Whether the text is made of these parts with anything between them; in linear time, since
    the first place where a part is found is as good as any."""
    first, *between, last = parts
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in between:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class _Networks:
    """Networks of both IP versions, in one table for each length of prefix."""

    def __init__(self) -> None:
        self._tables: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}  # by version, by free bits

    def enter(self, text: str) -> bool:
        """Add a network or address; False when it is none."""
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            return False
        rest, first = network.max_prefixlen - network.prefixlen, network.network_address
        if rest <= _IPV4_BITS:
            first = _unmapped(first)
        self._tables[first.version].setdefault(rest, set()).add(int(first) >> rest)
        return True

    def find(self, address: str) -> bool:
        """Whether this address lies in any of them. The name of a host lies in none."""
        numeric = _numeric(address)
        if numeric is None:
            return False
        number = int(numeric)
        tables = self._tables[numeric.version]
        return any(number >> rest in table for rest, table in tables.items())


@lru_cache(1024)
def _numeric(address: str) -> IPv4Address | IPv6Address | None:
    """An address without its link (``%2``); one of IPv4 in IPv6 as what it is; None for a name."""
    try:
        return _unmapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return None


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """RFC 4291 §2.5.5.2."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def caller_of(request: Request, *, from_server: bool) -> Uri:
    """Who calls, as From has it or, from a server of ours, as that asserts (RFC 3325 §9.1).

    Raises RemoteProtocolError when that cannot be read.
    """
    if from_server:
        for asserted in request.addresses("P-Asserted-Identity"):
            return asserted.uri
    return request.from_.uri


def _user_and_host(caller: Uri) -> tuple[str, str]:
    """What entries are compared with; a telephone number has no host (RFC 3966)."""
    if caller.is_sip:
        return user_of(caller), _host(caller.host)
    return _SEPARATORS.sub("", readable(caller.opaque.partition(";")[0])), ""


def _bare(host: str) -> str:
    """A host of an entry without brackets and port."""
    named = _PLACE.fullmatch(host)
    return host if named is None else named[1] or named[2]


def _host(text: str) -> str:
    """A host as it is compared: in the one spelling that names and IPv6 addresses have."""
    if ":" in text:
        with suppress(ValueError):
            return str(IPv6Address(text))
    return text.lower().rstrip(".")
