"""What a client is to do, and what it wants: its options and its outputs."""

from collections.abc import Hashable

from msgspec import Struct

from sipstrobe.mqtt.delivery import Token
from sipstrobe.mqtt.packets import Connect, Message


class Options(Struct, frozen=True):
    """How to connect. connect_timeout: seconds until the broker has let us in."""

    connect: Connect
    connect_timeout: float = 60.0
    reconnect: bool = True
    where: Hashable = None  # whatever else makes it another broker
    greeting: Hashable = None  # what is said on a new connection, and must be said anew if changed


# --- outputs ------------------------------------------------------------------------------------


class Dial(Struct, frozen=True):
    """Open a connection."""


class Send(Struct, frozen=True):
    data: bytes


class Hold(Struct, frozen=True):
    """Read nothing, or read on."""

    on: bool


class Close(Struct, frozen=True):
    """End the connection, once what was sent has gone."""


class Up(Struct, frozen=True):
    """The broker has let us in."""


class Down(Struct, frozen=True):
    """There is no broker, and why, empty: it is wanted so; retry: seconds until it is tried again,
    None: it is not."""

    words: str
    retry: float | None


class Arrived(Struct, frozen=True):
    """filters: those that it was sent for; empty: the broker does not say."""

    message: Message
    filters: tuple[str, ...] = ()


class Delivered(Struct, frozen=True):
    """The broker has this message; problem: why it has not."""

    token: Token
    problem: str = ""


class Trouble(Struct, frozen=True):
    """Something that people should know."""

    words: str


Output = Dial | Send | Hold | Close | Up | Down | Arrived | Delivered | Trouble
