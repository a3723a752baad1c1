"""A change of the state folder as a whole, such as a factory default or the return of a backup.

Everything new is written into a folder beside, then a plan is renamed into its place: from that
moment on the change has happened, and whoever opens the state folder next carries it out before he
reads anything. Each step may be taken twice, so that a crash in the middle is followed by the same
end. A crash before the plan leaves all as it was.
"""

import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from sipstrobe.errors import ConfigError, Problem

logger = logging.getLogger(__name__)

PLAN: Final = "overhaul.json"
BESIDE: Final = "overhaul"
_FORMAT: Final = 1


class _Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """put: where the files beside, which are named by numbers, belong; gone: names in the folder
    of which only what is put remains."""

    format: int
    words: str
    put: list[str]
    gone: list[str]


def decide(
    folder: Path, *, put: Mapping[str, bytes | Path], gone: Iterable[str], words: str
) -> None:
    """Have the change happen, when the folder is opened next. Blocks.

    put: what is to be where (a path below the folder); a Path is moved away from where it is.
    words: for the log. Raises OSError, after which nothing has changed.
    """
    beside = folder / BESIDE
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(mode=0o700)
        for number, content in enumerate(put.values()):
            if isinstance(content, Path):
                os.replace(content, beside / str(number))
                _sync(beside / str(number))
            else:
                _write(beside / str(number), content)
        _sync(beside)
        plan = _Plan(_FORMAT, words, list(put), list(gone))
        _write(folder / (PLAN + ".new"), msgspec.json.encode(plan))
        os.replace(folder / (PLAN + ".new"), folder / PLAN)
        _sync(folder)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def carry_out(folder: Path) -> bool:
    """What was decided; False: nothing was. The folder is held by us. Raises OSError."""
    beside = folder / BESIDE
    try:
        plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=_Plan)
    except FileNotFoundError:
        shutil.rmtree(beside, ignore_errors=True)  # of one that was not decided
        return False
    except msgspec.DecodeError as error:
        raise ConfigError([Problem("", f"{PLAN} cannot be read: {error}")]) from None
    for number, name in enumerate(plan.put):
        if (beside / str(number)).exists():
            (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(beside / str(number), folder / name)
            _sync((folder / name).parent)
    stays = {folder / name for name in plan.put}
    for name in plan.gone:
        _remove(folder / name, stays)
    _sync(folder)
    (folder / PLAN).unlink()
    _sync(folder)
    shutil.rmtree(beside, ignore_errors=True)
    logger.warning("%s: done", plan.words)
    return True


def _remove(path: Path, stays: set[Path]) -> None:
    """A file, or all of a folder, but what stays."""
    if path in stays:
        return
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _remove(inner, stays)
        if not any(path.iterdir()):
            path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
