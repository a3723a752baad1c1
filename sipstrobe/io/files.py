"""How many files and sockets this process may have open, and whose its files become."""

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
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
def as_owner(folder: Path) -> Generator[None]:
    """What root does inside is done as whoever owns the folder, so that what is made there is his:
    a service of its own user could not read it otherwise. Others go on as they are."""
    try:
        owner = folder.stat()
    except FileNotFoundError:
        owner = None
    if os.geteuid() or owner is None or not owner.st_uid:
        yield
        return
    group = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
