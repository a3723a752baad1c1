"""How many files and sockets this process may have open, and whose its files become."""

import os
import resource
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

MAX_FILES = 16_384  # two sockets for each of 2000 calls, as many connections, and then some


def files_allowed() -> int:
    """How many may be open at most, if we ask for it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)


def allow_files() -> None:
    """Ask for it: the soft limit is often 1024, since old programs fail beyond that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files_allowed()), hard))


@contextmanager
def left_to_owner(folder: Path) -> Generator[None]:
    """What root makes inside, in the folder of somebody else, is his afterwards: a service with a
    user of its own could not read it otherwise. Others than root change nothing."""
    try:
        yield
    finally:
        if os.geteuid() == 0 and folder.exists():
            _give(folder)


def _give(folder: Path) -> None:
    owner = folder.stat()
    for _, folders, files, parent in os.fwalk(folder):
        for name in (*folders, *files) if owner.st_uid else ():
            with suppress(OSError):  # a link, or gone meanwhile
                fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
                try:
                    if _is_ours(os.fstat(fd)):
                        os.fchown(fd, owner.st_uid, owner.st_gid)
                finally:
                    os.close(fd)


def _is_ours(found: os.stat_result) -> bool:
    """Made by root in this folder, and no second name of something that is elsewhere."""
    single = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
    return found.st_uid == 0 and (single or stat.S_ISDIR(found.st_mode))
