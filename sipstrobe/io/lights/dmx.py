"""How pixels lie in universes of DMX512: whole ones only, the first from a channel on."""

from typing import NamedTuple

SLOTS = 512


class Part(NamedTuple):
    """levels[start:end] stand in the universe that is so many after the first, from slot (0…)."""

    universe: int
    slot: int
    start: int
    end: int


def parts(size: int, width: int, channel: int) -> list[Part]:
    """Lay size bytes of pixels, each of width bytes, into universes.

    channel: where the first begins, 1…512; there is room for a pixel. Later universes begin at 1.
    """
    found: list[Part] = []
    start, slot = 0, channel - 1
    while start < size:
        end = min(size, start + (SLOTS - slot) // width * width)
        found.append(Part(len(found), slot, start, end))
        start, slot = end, 0
    return found
