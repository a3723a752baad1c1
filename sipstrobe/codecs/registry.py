"""Every codec there is, by its encoding name: a new one is one file and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.g711 import PCMA, PCMU

CODECS: Final[Mapping[str, Codec]] = MappingProxyType({codec.name: codec for codec in (PCMU, PCMA)})
