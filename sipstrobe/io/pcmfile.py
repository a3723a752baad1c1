"""Decoded sound on disk, played from there: it costs neither memory nor another decoding."""

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.errors import MediaError

Samples = NDArray[np.float32]

HEAD: Final = 9600  # samples kept in memory: 0.2 s, more than a source asks for at once
_AHEAD: Final = 96000  # samples that the kernel is asked to have ready: 2 s
_STRIDE: Final = 24000  # and how often it is asked
_SIZE: Final = 4  # bytes of a sample


class PcmFile:
    """float32 samples of one channel, as the machine has them.

    Read, not mapped: a file that is cut short by others yields silence, where a mapping would end
    the process. The beginning is in memory, and of all else the kernel is told in time.
    """

    def __init__(self, path: Path, period_samples: int) -> None:
        """Raises MediaError if the file is not there or has another length."""
        self.period_samples = period_samples
        self._file = -1
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            size = os.fstat(self._file).st_size
            head = os.pread(self._file, _SIZE * min(HEAD, period_samples), 0)
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}") from error
        if size != _SIZE * period_samples or len(head) < _SIZE * min(HEAD, period_samples):
            raise MediaError(f"{path} has {size} bytes and not {_SIZE * period_samples}")
        self._head = np.frombuffer(head, np.float32)

    def read(self, start: int, n: int) -> Samples:
        """n samples from start on, not beyond the period; read-only. What is gone is silence."""
        if start < n or start // _STRIDE != (start + n) // _STRIDE:
            os.posix_fadvise(self._file, _SIZE * start, _SIZE * _AHEAD, os.POSIX_FADV_WILLNEED)
        if start + n <= self._head.size:
            return self._head[start : start + n]
        try:
            data = os.pread(self._file, _SIZE * n, _SIZE * start)
        except OSError:
            data = b""
        return np.frombuffer(data.ljust(_SIZE * n, b"\0"), np.float32)

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)
