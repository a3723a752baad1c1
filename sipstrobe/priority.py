"""Who of many gets an output: one rule for light, siren and speaker alike."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Claim(Generic[K]):
    """Somebody wants an output. rank: larger wins; order: a serial number, smaller was first."""

    owner: K
    rank: int
    order: int


def arbitrate(claims: Iterable[Claim[K]]) -> list[Claim[K]]:
    """The claims from the winner down: higher rank first, among equals who was there first."""
    return sorted(claims, key=lambda claim: (-claim.rank, claim.order))
