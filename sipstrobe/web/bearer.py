"""Tokens of programs (RFC 6750): how they are made, found, and what remains of the role of each."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from sipstrobe.config.access import Scope, Token
from sipstrobe.config.users import ROLES, Role, User

PREFIX: Final = "sst_"  # so that people and scanners of repositories see what it is
TOKEN_BYTES: Final = 32  # random; nobody guesses so many, so that a quick hash of them is enough
SHOWN_MAX: Final = 256  # characters that are looked at


def draw(random_bytes: Callable[[int], bytes]) -> str:
    """A new token."""
    return PREFIX + urlsafe_b64encode(random_bytes(TOKEN_BYTES)).decode().rstrip("=")


def sha256_of(token: str) -> str:
    """What is stored of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class Bearers:
    """The tokens as they are now, by their hash; and when each was last used."""

    def __init__(self, tokens: Callable[[], Sequence[Token]]) -> None:
        self._tokens = tokens
        self._seen: Sequence[Token] = ()
        self._by_hash: dict[str, Token] = {}
        self.last_used: dict[str, datetime] = {}  # by id; since the start

    def find(self, shown: str, wall: datetime) -> Token | None:
        """The token that somebody shows, while it holds."""
        token = self._current().get(sha256_of(shown[:SHOWN_MAX]))
        if token is None or not _lasts(token, wall):
            return None
        self.last_used[token.id] = wall
        return token

    def holds(self, token_id: str, wall: datetime) -> bool:
        """Whether there still is this one, and its time is not over."""
        return any(token.id == token_id and _lasts(token, wall) for token in self._tokens())

    def _current(self) -> dict[str, Token]:
        tokens = self._tokens()
        if tokens is not self._seen:
            self._seen = tokens
            self._by_hash = {token.sha256.reveal(): token for token in tokens}
            ids = {token.id for token in tokens}
            self.last_used = {i: at for i, at in self.last_used.items() if i in ids}
        return self._by_hash


def _lasts(token: Token, wall: datetime) -> bool:
    return token.expires is None or wall < token.expires


def role_of(token: Token, owner: User) -> Role:
    """What it may be, at most: not more than its owner is by now, and administrator only where it
    is for that, whatever a door asks for itself."""
    roles = [token.role, owner.role]
    if Scope.SYSTEM not in token.scopes:
        roles.append(Role.OPERATOR)
    return min(roles, key=ROLES.index)
