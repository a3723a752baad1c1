"""What a client is to do, and what it wants: its options and its outputs."""

from collections.abc import Hashable
from dataclasses import dataclass

from sipstrobe.mqtt.delivery import Token
from sipstrobe.mqtt.packets import Connect, Message


@dataclass(frozen=True, slots=True)
class Options:
    """How to connect. connect_timeout: seconds until the broker has let us in."""

    connect: Connect
    connect_timeout: float = 60.0
    reconnect: bool = True
    where: Hashable = None  # whatever else makes it another broker
    greeting: Hashable = None  # what is said on a new connection, and must be said anew if changed


# --- outputs ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a connection."""


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """Read nothing, or read on."""

    on: bool


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, once what was sent has gone."""


@dataclass(frozen=True, slots=True)
class Up:
    """The broker has let us in."""


@dataclass(frozen=True, slots=True)
class Down:
    """There is no broker, and why, empty: it is wanted so; retry: seconds until it is tried again,
    None: it is not."""

    words: str
    retry: float | None


@dataclass(frozen=True, slots=True)
class Arrived:
    """filters: those that it was sent for; empty: the broker does not say."""

    message: Message
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The broker has this message; problem: why it has not."""

    token: Token
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that people should know."""

    words: str


Output = Dial | Send | Hold | Close | Up | Down | Arrived | Delivered | Trouble
