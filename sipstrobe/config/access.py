"""Who may come in beside the accounts, and what becomes of those who guess (ACC-06, BRU-01)."""

from collections.abc import Container
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from sipstrobe.config.users import Role
from sipstrobe.errors import Problem
from sipstrobe.secret import Secret

MAX_TOKENS: Final = 100
MAX_BLOCK_SECONDS: Final = 3600
MAX_FAILURES: Final = 1000


class BruteForce(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an address is refused for a while, because too many wrong passwords came from it."""

    enabled: Annotated[bool, Meta(title="Block who guesses")] = True
    block_seconds: Annotated[
        int, Meta(ge=1, le=MAX_BLOCK_SECONDS, title="Blocking period", description="Seconds.")
    ] = 10
    page_failures_per_second: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_FAILURES,
            title="Failures at a page",
            description="Wrong passwords of one address at one page within a second.",
        ),
    ] = 20
    device_failures_per_second: Annotated[
        int,
        Meta(
            ge=1,
            le=MAX_FAILURES,
            title="Failures at the device",
            description="Wrong passwords of all addresses together within a second. Only addresses"
            " that fail are blocked by it, and none from which somebody has signed in lately.",
        ),
    ] = 20


class Scope(StrEnum):
    """What a token is for."""

    READ = "read"  # look
    COMMANDS = "commands"  # give orders: start, stop, call, play
    SETTINGS = "settings"  # change settings, profiles, rules, clips
    SYSTEM = "system"  # what is for administrators


class Token(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a program shows in place of a name and a password (RFC 6750). Of the token itself, which
    is random, only the SHA-256 is kept."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}$(?!\n)", title="Number")]
    name: Annotated[
        str,
        Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$(?!\n)", title="Name", description="Whose it is."),
    ]
    owner: Annotated[str, Meta(title="Account", description="It ends with this account.")]
    role: Annotated[Role, Meta(title="Role")] = Role.VIEWER
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=4, title="Scopes")]
    created: Annotated[datetime, Meta(tz=True, title="Made")]
    expires: Annotated[datetime | None, Meta(title="Ends", description="Empty: never.")] = None
    sha256: Annotated[Secret, Meta(title="Token, as SHA-256")]


def problems(tokens: tuple[Token, ...], accounts: Container[str]) -> list[Problem]:
    """What is wrong with the tokens together, and with regard to the accounts."""
    found: list[Problem] = []
    ids: set[str] = set()
    for i, token in enumerate(tokens):
        if token.id in ids:
            found.append(Problem(f"/{i}/id", f"there is a token {token.id} already"))
        ids.add(token.id)
        if token.owner not in accounts:
            found.append(Problem(f"/{i}/owner", f"there is no account {token.owner!r}"))
        if not token.sha256:
            found.append(Problem(f"/{i}", "has no value"))
    return found
