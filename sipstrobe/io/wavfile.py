"""WAV files of 16-bit PCM: written while the sound goes on, read as a whole.

A file that is being written is valid at any moment, also after the process was killed: the sound is
written first, and only then do the header's sizes grow to cover it.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sipstrobe.errors import MediaError

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM, _EXTENSIBLE = 1, 0xFFFE
_FULL_SCALE = np.float32(32768.0)
MAX_DATA_BYTES: Final = 2**32 - 1 - _HEADER.size  # the sizes have 32 bits; 12 hours at 48 kHz
MAX_READ_BYTES: Final = 256 * 2**20  # of a file that is read; 46 minutes at 48 kHz, mono
MAX_HEAD_BYTES: Final = 2**20  # of a stream, before its sound
BLOCK_SECONDS: Final = 0.02  # of a stream that are read at once
_OPEN_SIZES: Final = (0, 0xFFFFFFFF)  # of sound whose end was not known
_NO_WAV: Final = "it is not a WAV file"
_NO_SOUND: Final = "its format or its sound is missing"
_FLUSH_SECONDS = 0.1


def _header(sample_rate: int, channels: int, size_bytes: int) -> bytes:
    riff_bytes = _HEADER.size - 8 + size_bytes
    frame_bytes = 2 * channels
    byte_rate = frame_bytes * sample_rate
    return _HEADER.pack(
        *(b"RIFF", riff_bytes, b"WAVE"),
        *(b"fmt ", 16, _PCM, channels, sample_rate, byte_rate, frame_bytes, 16),
        *(b"data", size_bytes),
    )


def endless_header(sample_rate: int) -> bytes:
    """Of mono sound whose end is not known: its sizes are as large as they can be."""
    header = bytearray(_header(sample_rate, 1, 0))
    header[4:8] = header[-4:] = b"\xff" * 4
    return bytes(header)


class WavWriter:
    """Write sound; what was written 0.1 s ago is in the file. OSError passes through.

    The samples of several channels alternate, and those of one instant come together. What the file
    held before is gone; fresh: raises FileExistsError instead.
    """

    def __init__(
        self, path: Path, sample_rate: int, channels: int = 1, *, fresh: bool = False
    ) -> None:
        self.size_bytes = 0  # of sound in the file, as its header says
        self._sample_rate = sample_rate
        self._channels = channels
        self._buffer = np.zeros(round(sample_rate * _FLUSH_SECONDS) * channels, np.float32)
        self._fill = 0  # samples in the buffer
        what_is_there = os.O_EXCL if fresh else os.O_TRUNC
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | what_is_there | os.O_CLOEXEC, 0o644)
        try:
            self._cover(0)
        except OSError:
            os.close(self._file)
            raise

    def write(self, block: NDArray[np.float32]) -> None:
        """Add samples, rounded to 16 bits; 1 − 2⁻¹⁵ is the largest."""
        while block.size:
            count = min(block.size, len(self._buffer) - self._fill)
            self._buffer[self._fill : self._fill + count] = block[:count]
            self._fill += count
            if self._fill == len(self._buffer):
                self.flush()
            block = block[count:]

    def write_silence(self, count: int) -> None:
        """Add this many samples of silence; however many, it takes no longer."""
        if count < len(self._buffer) - self._fill:
            self._buffer[self._fill : self._fill + count] = 0
            self._fill += count
            return
        self.flush()
        size_bytes = self._grown(2 * count)
        os.ftruncate(self._file, _HEADER.size + size_bytes)  # a hole is read as zeros
        self._cover(size_bytes)

    def flush(self) -> None:
        """Bring everything into the file. Raises OSError when it has reached MAX_DATA_BYTES."""
        scaled = np.rint(self._buffer[: self._fill] * _FULL_SCALE)
        data = np.clip(scaled, -32768.0, 32767.0).astype("<i2").tobytes()
        size_bytes = self._grown(len(data))
        at = _HEADER.size + self.size_bytes
        while data:
            written = os.pwrite(self._file, data, at)
            at, data = at + written, data[written:]
        self._fill = 0
        self._cover(size_bytes)

    def close(self) -> None:
        try:
            self.flush()
        finally:
            os.close(self._file)

    def _grown(self, added_bytes: int) -> int:
        if self.size_bytes + added_bytes > MAX_DATA_BYTES:
            raise OSError("the file is as long as a WAV file can be")
        return self.size_bytes + added_bytes

    def _cover(self, size_bytes: int) -> None:
        """Let the header's sizes say that this much sound is there."""
        os.pwrite(self._file, _header(self._sample_rate, self._channels, size_bytes), 0)
        self.size_bytes = size_bytes


class Sound(Struct, frozen=True, eq=False):
    """What a WAV file holds, as one channel from −1 to 1."""

    samples: NDArray[np.float32]
    sample_rate: int

    @property
    def seconds(self) -> float:
        return self.samples.size / self.sample_rate


def read_wav(path: Path) -> Sound:
    """Read a file of at most MAX_READ_BYTES. Raises MediaError with the reason in words."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_READ_BYTES + 1)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_READ_BYTES:
        raise MediaError(f"{path} is larger than {MAX_READ_BYTES // 2**20} MiB")
    try:
        return parse_wav(data)
    except MediaError as error:
        raise MediaError(f"{path} cannot be used: {error}") from error


def parse_wav(data: bytes) -> Sound:
    """Decode 8- or 16-bit PCM of 1 or 2 channels at 8–48 kHz; two are mixed to one.

    A file that ends before its sizes say so yields what is there. Raises MediaError.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise MediaError(_NO_WAV)
    chunks = _chunks(data)
    if b"data" not in chunks:
        raise MediaError(_NO_SOUND)
    bits, channels, sample_rate = _form(chunks.get(b"fmt ", b""))
    return Sound(_decode(chunks[b"data"], bits, channels), sample_rate)


def stream_wav(file: BinaryIO) -> tuple[int, Iterator[NDArray[np.float32]]]:
    """The sample rate, and the sound in blocks of BLOCK_SECONDS as they come, of a file that
    somebody is still writing; of the same kinds. Raises MediaError."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise MediaError(_NO_WAV)
    form, read = b"", 0
    while len(head := file.read(8)) == 8:
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            bits, channels, sample_rate = _form(form)
            count = round(sample_rate * BLOCK_SECONDS) * channels * bits // 8
            data = _blocks(file, count, None if size in _OPEN_SIZES else size)
            return sample_rate, (_decode(block, bits, channels) for block in data)
        read += size + size % 2
        if read > MAX_HEAD_BYTES:
            break
        body = file.read(size + size % 2)
        form = body if name == b"fmt " else form
    raise MediaError(_NO_SOUND)


def _blocks(file: BinaryIO, count: int, size: int | None) -> Iterator[bytes]:
    """Of count bytes each, up to this size or the end of the file."""
    while size is None or size > 0:
        block = file.read(count if size is None else min(count, size))
        if not block:
            return
        yield block
        size = None if size is None else size - len(block)


def _form(form: bytes) -> tuple[int, int, int]:
    """Bits, channels and sample rate, by the format chunk. Raises MediaError."""
    if len(form) < 16:
        raise MediaError(_NO_SOUND)
    code, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if code == _EXTENSIBLE and len(form) >= 26:
        code = int.from_bytes(form[24:26], "little")  # the sub-format's GUID begins with it
    if code != _PCM or bits not in (8, 16):
        raise MediaError("only PCM of 8 or 16 bits is supported")
    if channels not in (1, 2) or not 8000 <= sample_rate <= 48000:
        raise MediaError("only one or two channels at 8 to 48 kHz are supported")
    return bits, channels, sample_rate


def _chunks(data: bytes) -> dict[bytes, bytes]:
    """The first chunk of each name up to and including the sound."""
    chunks: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(data) and b"data" not in chunks:
        name = data[at : at + 4]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.setdefault(name, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return chunks


def _decode(data: bytes, bits: int, channels: int) -> NDArray[np.float32]:
    data = data[: len(data) - len(data) % (channels * bits // 8)]
    if bits == 8:  # unsigned, alone of all widths
        samples = (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    else:
        samples = np.frombuffer(data, "<i2").astype(np.float32) / _FULL_SCALE
    if channels == 1:
        return samples
    mixed: NDArray[np.float32] = samples.reshape(-1, 2).mean(axis=1, dtype=np.float32)
    return mixed
