"""What control programs call each source of pages: its id, or one made of its label.

The id of a source that has none in the settings does not hang on the others, nor on its rank, so it
stays the same as long as its label does.
"""

import re
from collections.abc import Iterable
from typing import Final
from zlib import crc32

from sipstrobe.multicast.settings import InternalSource, PageSource, Source

INTERNAL_IDS: Final[dict[str, str]] = {
    "sip": "SIP",
    "stream": "VAPIXAudio",
    "clip": "VAPIXMediaClip",
}
"""By what the device sounds itself (GAP-16)."""


def ids_of(sources: Iterable[Source]) -> list[str]:
    """The id of each, all different."""
    sources = list(sources)
    taken = {*INTERNAL_IDS.values(), *(s.id for s in sources if isinstance(s, PageSource))}
    ids: list[str] = []
    for source in sources:
        match source:
            case InternalSource(sound=sound):
                ids.append(INTERNAL_IDS[sound])
            case PageSource(id=written) if written:
                ids.append(written)
            case _:
                ids.append(_free(_made_of(source.label), taken))
                taken.add(ids[-1])
    return ids


def _made_of(label: str) -> str:
    """The label itself where it can be an id, else what of it can, and a mark of the rest."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", label):
        return label
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-")
    return f"{plain}-{crc32(label.encode()):08x}".lstrip("-")


def _free(wanted: str, taken: set[str]) -> str:
    n, free = 1, wanted
    while free in taken:
        n += 1
        free = f"{wanted}_{n}"
    return free
