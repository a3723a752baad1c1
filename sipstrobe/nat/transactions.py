"""Requests that wait for their response, and are repeated until then: RFC 8489 §6.2.1."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sipstrobe.nat.stun import Message

RTO: Final = 0.5  # seconds until the first repetition; RFC 8489 §6.2.1
T = TypeVar("T")


@dataclass(slots=True)
class _Pending(Generic[T]):
    data: bytes
    purpose: T
    interval: float
    repeat_at: float
    ends_at: float


class Transactions(Generic[T]):
    """The requests of one client; a purpose says what each is for.

    rto: seconds until the first repetition, doubled with each. limit: seconds after which one is
    given up. reliable: over a stream nothing is repeated.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        *,
        limit: float,
        rto: float = RTO,
        reliable: bool = False,
    ) -> None:
        self._random_bytes = random_bytes
        self._limit = limit
        self._rto = rto
        self._reliable = reliable
        self._pending: dict[bytes, _Pending[T]] = {}

    @property
    def deadline(self) -> float | None:
        return min((min(p.repeat_at, p.ends_at) for p in self._pending.values()), default=None)

    def begin(self, make: Callable[[bytes], bytes], purpose: T, *, now: float) -> bytes:
        """The request to send, made for a transaction ID that nobody can guess (§5)."""
        transaction_id = self._random_bytes(12)
        data = make(transaction_id)
        repeat_at = now + (self._limit if self._reliable else self._rto)
        self._pending[transaction_id] = _Pending(
            data, purpose, self._rto, repeat_at, now + self._limit
        )
        return data

    def awaited(self, message: Message) -> T | None:
        """What the request was for that this answers; None: it answers none of ours."""
        found = self._pending.get(message.transaction_id)
        return None if found is None else found.purpose

    def end(self, message: Message) -> None:
        """It has its answer."""
        self._pending.pop(message.transaction_id, None)

    def forget(self) -> None:
        """Nothing is waited for any more."""
        self._pending.clear()

    def due(self, now: float) -> Iterator[tuple[bytes | None, T]]:
        """What to send again, and with None what was given up."""
        for transaction_id, pending in list(self._pending.items()):
            if now >= pending.ends_at:
                del self._pending[transaction_id]
                yield None, pending.purpose
            elif now >= pending.repeat_at:
                pending.interval *= 2
                pending.repeat_at = now + pending.interval
                yield pending.data, pending.purpose
