"""Accounts as changes of the settings: for the first visit, --demo and the command line."""

from collections.abc import Iterable
from typing import Any

from sipstrobe.config.users import User
from sipstrobe.errors import ConfigError, Problem

PASSWORD_ADVICE = 12  # characters from which on a password is worth its name


def added(users: Iterable[User], user: User) -> dict[str, Any]:
    """The patch that adds an account, or takes it in place of the one of this name."""
    others = (other for other in users if other.name != user.name)
    return {"web": {"users": (*others, user)}}


def removed(users: Iterable[User], name: str) -> dict[str, Any]:
    """The patch that removes an account. Raises ConfigError if there is none of this name."""
    users = tuple(users)
    kept = tuple(user for user in users if user.name != name)
    if len(kept) == len(users):
        raise ConfigError([Problem("/web/users", f"there is no account {name!r}")])
    return {"web": {"users": kept}}


def advice(password: str) -> str:
    """What to say about a password that is allowed and weak; empty when there is nothing to say."""
    if len(password) >= PASSWORD_ADVICE:
        return ""
    return f"short: {PASSWORD_ADVICE} characters or more are hard to guess"
