"""What is kept of messages: while they wait, and of what has become of them."""

from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from sipstrobe.sending.message import AnyMessage

MAX_RESULTS: Final = 500  # kept; of more, the oldest are forgotten


class Stored(Struct, frozen=True, kw_only=True):
    """A message in the outbox. why: the chain of causes of its order, as people read it."""

    serial: int
    lane: str
    kind: str  # of the recipient
    message: AnyMessage
    rule: str
    why: list[dict[str, Any]]
    attempts: int = 0
    failure: str = ""


class Result(Struct, frozen=True, kw_only=True):
    """What has become of a message. Instants are seconds since 1970."""

    id: str
    recipient: str
    kind: str
    about: str
    sent: bool
    words: str
    attempts: int
    rule: str
    ordered: float
    ended: float
    why: list[dict[str, Any]]


@dataclass(slots=True)
class Left:
    """What was found. serial: the last that was given to a message."""

    serial: int
    messages: list[Stored]
    results: list[Result]  # the oldest first


Step = Stored | Result
"""A message is there, as it stands now; or it has ended so."""
