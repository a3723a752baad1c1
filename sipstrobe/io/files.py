"""How many files and sockets this process may have open."""

import resource

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
