"""The few file operations that the store is made of, each of which a crash may come before."""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sipstrobe.errors import ConfigError, Problem


class Files(Protocol):
    """One folder. Names are plain file names in it."""

    def read(self, name: str) -> bytes | None:
        """The content, or None if there is no such file."""
        ...

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        """Make or empty the file, write it and wait until it is on the disk."""
        ...

    def replace(self, name: str, by: str) -> None:
        """Rename `by` to `name` in one step, and wait until the folder is on the disk."""
        ...

    def close(self) -> None: ...


class Folder:
    """A folder on disk, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: int | None = None

    def hold(self) -> None:
        """Make the folder if need be and keep others from writing; ends with the process too.

        Raises ConfigError if another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            words = f"{self.path} is in use by a running device"
            raise ConfigError([Problem("", words)]) from None
        self._held = held

    def close(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def read(self, name: str) -> bytes | None:
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        path = self.path / name
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)

    def replace(self, name: str, by: str) -> None:
        os.replace(self.path / by, self.path / name)
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Memory:
    """A folder that is forgotten."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self.contents.get(name)

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        self.contents[name] = data

    def replace(self, name: str, by: str) -> None:
        self.contents[name] = self.contents.pop(by)

    def close(self) -> None:
        pass
