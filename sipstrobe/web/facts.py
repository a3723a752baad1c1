"""What the gate tells of those who come and go."""

from dataclasses import dataclass

from sipstrobe.config.users import User
from sipstrobe.events import AddressBlocked, SignInFailed


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody has begun a session on the page."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Somebody has ended one, or all of an account."""

    name: str
    address: str
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password was proven of which there was no slow hash so far: this is it."""

    user: User
    hashed: str


Fact = SignInFailed | AddressBlocked | SignedIn | SignedOut | Hashed
