"""Requests outside of a dialog: RFC 3261 §8.1.1, with the preloaded route set of §8.1.2."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sipstrobe.sip.dialog import MAX_FORWARDS, Draft, routed
from sipstrobe.sip.grammar import quote
from sipstrobe.sip.headers import NameAddr
from sipstrobe.sip.identity import Identity

if TYPE_CHECKING:
    from sipstrobe.sip.layer import Layer

Fields = tuple[tuple[str, str], ...]


class Speaker:
    """One identity in requests that share Call-ID, From tag and a count.

    local: the value of From. to: the URI in To.
    """

    __slots__ = ("call_id", "credentials", "local", "number", "route", "tag", "to")

    def __init__(self, layer: "Layer", identity: Identity, to: str) -> None:
        self.call_id = layer.new_tag()
        self.tag = layer.new_tag()
        self.number = 0  # of the last request
        self.to = to
        self.local = ""
        self.route: tuple[NameAddr, ...] = ()
        self.credentials = identity.credentials
        self.be(identity)

    def be(self, identity: Identity) -> None:
        """Take on another identity, or the same with another route or password."""
        display = f"{quote(identity.display)} " if identity.display else ""
        self.local = f"{display}<{identity.uri}>;tag={self.tag}"
        self.route = tuple([NameAddr.parse(value) for value in identity.route])
        self.credentials = identity.credentials

    def next_number(self) -> int:
        self.number += 1
        return self.number

    def draft(
        self,
        method: str,
        uri: str,
        fields: Fields,
        body: bytes = b"",
        *,
        renumber: Callable[[], int] | None = None,
    ) -> Draft:
        """The next request, to this Request-URI.

        renumber: called for the number of the same request with credentials.
        """
        target, routes = routed(uri, self.route)
        base = (
            *routes,
            MAX_FORWARDS,
            ("From", self.local),
            ("To", f"<{self.to}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.next_number()} {method}"),
        )
        renumber = renumber or self.next_number
        return Draft(method, target, base + fields, body, self.credentials, renumber)
