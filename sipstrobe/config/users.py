"""Who may use the page and the API: names, roles and what proves a password (ACC-01…06)."""

import hashlib
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from sipstrobe.config import passwords
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.secret import Secret

REALM = "sipstrobe"  # part of every stored digest: another one would void all passwords
MAX_USERS = 100
MAX_PASSWORD = 64  # characters
NOTHING = Secret("")


class Role(StrEnum):
    """What a user may do; each role may do what those before it may (ACC-04, GAP-15)."""

    VIEWER = "viewer"  # look
    OPERATOR = "operator"  # start and stop, calls, profiles and rules
    ADMINISTRATOR = "administrator"  # everything, users included


ROLES = tuple(Role)  # from the least to the most


class User(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account. Of its password we keep a slow hash, and for programs that come in by Digest what
    RFC 7616 calls HA1, one a hash. Accounts of older versions have only these."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9._@-]{1,32}$(?!\n)",
            title="Name",
            description="1 to 32 letters, digits or . _ @ -",
        ),
    ]
    role: Annotated[Role, Meta(title="Role")] = Role.VIEWER
    password: Annotated[Secret, Meta(title="Password, hashed")] = NOTHING
    ha1_md5: Annotated[Secret, Meta(title="Password, as MD5 digest")] = NOTHING
    ha1_sha256: Annotated[Secret, Meta(title="Password, as SHA-256 digest")] = NOTHING

    @property
    def digest(self) -> bool:
        """Whether programs may come in by Digest, and without TLS."""
        return bool(self.ha1_md5)

    def proves(self, password: str) -> bool:
        """Is this the user's password? Takes time where there is a slow hash (`passwords`)."""
        if self.password:
            return passwords.proves(password, self.password.reveal())
        return Secret(_ha1("sha256", self.name, password)) == self.ha1_sha256

    def same_password(self, other: "User") -> bool:
        """Whether the two prove themselves alike; a slow hash that was added changes nothing."""
        if self.password and other.password:
            return self.password == other.password
        return self.digest and self.ha1_sha256 == other.ha1_sha256


def make_user(
    name: str, role: Role, password: str, hashed: str = "", *, digest: bool = True
) -> User:
    """An account with this password: 1 to 64 printable ASCII characters (ACC-03).

    hashed: what `passwords.hash_password` made of it, in another thread; without it, it is made
    when the password is first proven. digest: whether programs may come in by Digest.
    Raises ConfigError.
    """
    check_password(password)
    keep = digest or not hashed
    return User(
        name=name,
        role=role,
        password=Secret(hashed),
        ha1_md5=Secret(_ha1("md5", name, password) if keep else ""),
        ha1_sha256=Secret(_ha1("sha256", name, password) if keep else ""),
    )


def check_password(password: str, path: str = "/password") -> None:
    """Raise ConfigError if an account cannot have it. path: where it stands."""
    printable = all(" " <= character <= "~" for character in password)
    if not (1 <= len(password) <= MAX_PASSWORD and printable):
        words = f"must be 1 to {MAX_PASSWORD} printable ASCII characters"
        raise ConfigError([Problem(path, words)])


def problems(users: tuple[User, ...]) -> list[Problem]:
    """What is wrong with the users together."""
    found: list[Problem] = []
    names: set[str] = set()
    for i, user in enumerate(users):
        if user.name in names:
            found.append(Problem(f"/{i}/name", f"there is a user {user.name} already"))
        names.add(user.name)
        if bool(user.ha1_md5) is not bool(user.ha1_sha256):
            found.append(Problem(f"/{i}", "has one digest of its password and not the other"))
        elif not (user.password or user.digest):
            found.append(Problem(f"/{i}", "has no password"))
    if users and not any(user.role is Role.ADMINISTRATOR for user in users):
        found.append(Problem("", "one of them must be administrator"))
    return found


def _ha1(algorithm: str, name: str, password: str) -> str:
    """H(username:realm:password), RFC 7616 §3.4.2."""
    text = f"{name}:{REALM}:{password}".encode()
    return hashlib.new(algorithm, text, usedforsecurity=False).hexdigest()
