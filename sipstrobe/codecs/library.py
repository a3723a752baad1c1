"""Codecs that others have written in C, reached through ctypes: each library is looked for when it
is first asked for, and whoever has none does without what it can."""

import ctypes
import logging
from functools import cache
from typing import Final

logger = logging.getLogger(__name__)

OPUS: Final = "libopus.so.0"  # Debian: libopus0
SPANDSP: Final = "libspandsp.so.2"  # Debian: libspandsp2
PACKAGES: Final = {OPUS: "libopus0", SPANDSP: "libspandsp2"}  # of Debian


@cache
def find(name: str) -> ctypes.CDLL | None:
    """The shared library of this name, None where there is none."""
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        logger.info("%s cannot be used: %s", name, error)
        return None


def have(name: str) -> ctypes.CDLL:
    """A library that is known to be there."""
    found = find(name)
    assert found is not None, f"{name} is not installed"
    return found
