"""The folder of recordings: WAV files that are whole at any moment, and together within a quota.

All of it waits for the disk: it is for the recorder's thread.
"""

import os
import re
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.resample import Downsampler
from sipstrobe.io.wavfile import WavWriter

FOLDER: Final = "recordings"
MAX_FILES: Final = 1000  # whatever their size; the oldest make room
RESERVE_BYTES: Final = 64 * 2**20  # that stay free on the disk for all else
HEADER_BYTES: Final = 44
MAX_DIGITS: Final = 9  # of the number at the end of a name
NAME: Final = re.compile(r"\d{8}T\d{6}Z-[a-z0-9-]{1,40}\.wav")


class Recorded(Struct, frozen=True):
    """A recording that there is. began: seconds since 1970."""

    name: str
    began: float
    source: str  # call, speaker or microphone
    seconds: float
    size: int  # bytes


class WavSink:
    """A recording in the making. ratio: by which its rate is lower than ours."""

    def __init__(self, path: Path, channels: int, ratio: int) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = WavWriter(path, SAMPLE_RATE // ratio, channels, fresh=True)
        self._channels = channels
        self._ratio = ratio
        self._downsamplers = [Downsampler(ratio) for _ in range(channels)] if ratio > 1 else []

    def write(self, block: Samples) -> None:
        """Samples at 48 kHz, (count, channels); count is a multiple of the ratio."""
        lower = block
        if self._downsamplers:
            columns = zip(self._downsamplers, block.T, strict=True)
            parts = [downsampler.process(column) for downsampler, column in columns]
            lower = block[: parts[0].size].copy()
            for n, part in enumerate(parts):
                lower[:, n] = part
        self._writer.write(lower.reshape(-1))

    def skip(self, count: int) -> None:
        """So many samples at 48 kHz are lost: silence in their place."""
        self._writer.write_silence(count // self._ratio * self._channels)

    def close(self) -> None:
        self._writer.close()


class RecordingStore:
    """Lists and deletes; raises OSError as the disk does."""

    def __init__(self, state: Path) -> None:
        self.folder = state / FOLDER

    def path(self, name: str) -> Path | None:
        """Where the recording of this name is; None for what cannot be a name."""
        return self.folder / name if NAME.fullmatch(name) else None

    def last_serial(self) -> int:
        """The highest number with which a name ends; 0: none. Which of them are newer no calendar
        says for sure: a device may begin each day at the same instant."""
        try:
            serials = [path.stem.rpartition("-")[2] for path, _ in self._files()]
        except OSError:
            return 0  # what is there is not overwritten in any case
        return max((int(s) for s in serials if s.isdigit() and len(s) <= MAX_DIGITS), default=0)

    def list(self) -> list[Recorded]:
        """The newest first."""
        return [_read(path, size) for path, size in reversed(self._files())]

    def delete(self, name: str) -> bool:
        """False: there is no such recording."""
        path = self.path(name)
        try:
            assert path is not None
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def make_room(self, quota_bytes: int, growing: Collection[str]) -> str:
        """Delete the oldest until the others are within the quota; never those that grow, and not
        the newest, which may have outgrown it alone.

        What is wrong with the room for those that grow, in words; empty: nothing.
        """
        files = self._files()
        total, count = sum(size for _, size in files), len(files)
        for path, size in files[:-1]:
            if total <= quota_bytes and count <= MAX_FILES:
                break
            if path.name not in growing:
                path.unlink(missing_ok=True)
                total, count = total - size, count - 1
        if sum(size for path, size in files if path.name in growing) > quota_bytes:
            return f"the space for recordings ({quota_bytes // 10**6} MB) is used up"
        where = self.folder if self.folder.exists() else self.folder.parent
        if shutil.disk_usage(where).free < RESERVE_BYTES:
            return f"less than {RESERVE_BYTES // 2**20} MiB are free on the disk"
        return ""

    def _files(self) -> "list[tuple[Path, int]]":
        """With their sizes, the oldest first."""
        if not self.folder.exists():
            return []
        with os.scandir(self.folder) as entries:
            named = [e for e in entries if NAME.fullmatch(e.name) and e.is_file()]
            return sorted((Path(e.path), e.stat().st_size) for e in named)


def _read(path: Path, size: int) -> Recorded:
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    bytes_a_second = int.from_bytes(header[28:32], "little")
    sound = max(0, size - HEADER_BYTES)
    stamp, source, *_ = path.stem.split("-")
    return Recorded(
        name=path.name,
        began=datetime.strptime(stamp + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp(),
        source=source,
        seconds=sound / bytes_a_second if bytes_a_second else 0.0,
        size=size,
    )
