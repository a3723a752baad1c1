"""The ranks of all that is in the list: 1 is the first and the highest (MCC-04, GAP-16).

A rank is a position in the list, so ranks are unique and have no gaps whatever is added, moved or
removed.
"""

from typing import Final, Literal

from msgspec import Struct

from sipstrobe.multicast.settings import InternalSource, MulticastSettings, Paged, Source

SOUNDS: Final[tuple[Literal["sip", "stream", "clip"], ...]] = ("sip", "stream", "clip")


class Ranking(Struct, frozen=True):
    """The rank of calls, of audio streams, of clips, and the pages with theirs."""

    sip: int
    stream: int
    clip: int
    pages: tuple[tuple[int, Paged], ...]


def listed(multicast: MulticastSettings) -> tuple[Source, ...]:
    """All that has a rank, the highest first. What the device sounds itself and the list does not
    name comes before all that it names."""
    named = {s.sound for s in multicast.sources if isinstance(s, InternalSource)}
    unnamed = (InternalSource(sound=sound) for sound in SOUNDS if sound not in named)
    return (*unnamed, *multicast.sources)


def ranking(multicast: MulticastSettings) -> Ranking:
    """The ranks of all that is listed."""
    ranks: dict[str, int] = {}
    pages: list[tuple[int, Paged]] = []
    for rank, source in enumerate(listed(multicast), start=1):
        if isinstance(source, InternalSource):
            ranks[source.sound] = rank
        else:
            pages.append((rank, source))
    return Ranking(ranks["sip"], ranks["stream"], ranks["clip"], tuple(pages))
