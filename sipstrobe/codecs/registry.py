"""Every codec there is, by its name: a new one is one file and one line here."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.g711 import PCMA, PCMU
from sipstrobe.codecs.l16 import L16_8000, L16_16000, L16_48000
from sipstrobe.codecs.opus import OPUS
from sipstrobe.codecs.spandsp import G722, G726_32

CODECS: Final[Mapping[str, Codec]] = MappingProxyType(
    {
        codec.name: codec
        for codec in (OPUS, L16_48000, L16_16000, G722, PCMU, PCMA, G726_32, L16_8000)
    }
)


def usable(names: Iterable[str]) -> tuple[str, ...]:
    """Those of them for which there is all that they need; the others are left out."""
    return tuple(name for name in names if CODECS[name].usable)
