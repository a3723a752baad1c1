"""Who of many gets an output: one rule for light, siren and speaker alike."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

K = TypeVar("K", bound=Hashable)


class Claim(Struct, Generic[K], frozen=True):
    """Somebody wants an output. rank: larger wins; order: a serial number, smaller was first."""

    owner: K
    rank: int
    order: int


def arbitrate(claims: Iterable[Claim[K]]) -> list[Claim[K]]:
    """The claims from the winner down: higher rank first, among equals who was there first."""
    return sorted(claims, key=lambda claim: (-claim.rank, claim.order))
