"""Accounts as changes of the settings, for the first visit and for --demo."""

from collections.abc import Iterable
from typing import Any

from sipstrobe.config.users import User

PASSWORD_ADVICE = 12  # characters from which on a password is worth its name


def added(users: Iterable[User], user: User) -> dict[str, Any]:
    """The patch that adds an account, or takes it in place of the one of this name."""
    others = (other for other in users if other.name != user.name)
    return {"web": {"users": (*others, user)}}


def advice(password: str) -> str:
    """What to say about a password that is allowed and weak; empty when there is nothing to say."""
    if len(password) >= PASSWORD_ADVICE:
        return ""
    return f"short: {PASSWORD_ADVICE} characters or more are hard to guess"
