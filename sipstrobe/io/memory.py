"""What the C library does with memory that was given back."""

import ctypes
from contextlib import suppress
from typing import Final

M_MMAP_THRESHOLD: Final = -3  # <malloc.h>
LARGE_BYTES: Final = 4 << 20


def return_large_blocks() -> None:
    """From now on, have blocks of some megabytes taken from the system one by one, and given back.

    Of itself glibc keeps the room of the first large block for good (mallopt(3), "dynamic mmap
    threshold"). Other libraries have no such call, nor that habit.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
