"""Accounts as changes of the settings: for the page, other doors, --demo and the command line."""

from collections.abc import Iterable
from typing import Any

from sipstrobe.config.settings import WebSettings
from sipstrobe.config.users import User
from sipstrobe.errors import ConfigError, Problem


def added(users: Iterable[User], user: User) -> dict[str, Any]:
    """The patch that adds an account, or takes it in place of the one of this name."""
    others = (other for other in users if other.name != user.name)
    return {"web": {"users": (*others, user)}}


def changed(users: Iterable[User], user: User) -> dict[str, Any]:
    """The patch that puts an account in the place of the one of this name."""
    return {"web": {"users": tuple(user if u.name == user.name else u for u in users)}}


def removed(web: WebSettings, name: str) -> dict[str, Any]:
    """The patch that removes an account with its tokens. Raises ConfigError if there is none of
    this name."""
    kept = tuple(user for user in web.users if user.name != name)
    if len(kept) == len(web.users):
        raise ConfigError([Problem("/web/users", f"there is no account {name!r}")])
    tokens = tuple(token for token in web.tokens if token.owner != name)
    return {"web": {"users": kept, "tokens": tokens}}
