"""Slow down who guesses passwords, and nobody else (BRU-01)."""

from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Final, TypeVar

from sipstrobe.config.access import BruteForce
from sipstrobe.io.addresses import site

INTERVAL: Final = 1.0  # seconds in which failures are counted
TELL_EVERY: Final = 10.0  # seconds
ADDRESSES_MAX: Final = 1024  # addresses remembered; the longest known is forgotten first
PAGES_MAX: Final = 2048  # the same of pages, each with the addresses that failed there
PAGE_NAME_MAX: Final = 128  # characters of a page by which it is known
TRUSTED_TIME: Final = 24 * 3600.0  # seconds for which a right password speaks for its address …
TRUSTED_AGAIN: Final = 60.0  # … and until that is noted anew

K = TypeVar("K")
V = TypeVar("V")


class Throttle:
    """Count completed attempts with wrong credentials. A first request without any is none.

    An address is blocked when it fails too often at one page, or all of them together at the whole
    device. By what others do, only an address is blocked that fails itself; one from which somebody
    has signed in lately is not even then, and has the device's count for itself: whoever guesses
    cannot lock out those who know. There is no lasting lock-out: what was before the interval is
    forgotten. All addresses of an IPv6 site count as one.
    """

    def __init__(self, limits: Callable[[], BruteForce] = BruteForce) -> None:
        self._limits = limits
        self._pages: dict[tuple[str, str], deque[float]] = {}
        self._trusted: dict[str, tuple[float, deque[float]]] = {}
        self._device: deque[float] = deque()
        self._blocked: dict[str, float] = {}

    def failed(self, address: str, page: str = "", *, now: float) -> bool:
        """Note a failure; True if the address is blocked from now on."""
        limits = self._limits()
        address, page = site(address), page[:PAGE_NAME_MAX]
        failures = self._pages.pop((address, page), None) or deque[float]()
        _make_room(self._pages, PAGES_MAX)
        self._pages[address, page] = failures
        at_page = _count(failures, now, limits.page_failures_per_second)
        trusted = self.trusts(address, now=now)
        all_over = self._trusted[address][1] if trusted else self._device
        at_device = _count(all_over, now, limits.device_failures_per_second)
        if not limits.enabled or not (at_page or at_device):
            return False
        del self._pages[address, page]
        self._blocked.pop(address, None)
        _make_room(self._blocked, ADDRESSES_MAX)
        self._blocked[address] = now + limits.block_seconds
        return True

    def passed(self, address: str, *, now: float) -> None:
        """Somebody there knows a password."""
        address = site(address)
        known = self._trusted.get(address)
        if known is not None and now - known[0] < TRUSTED_AGAIN:
            return
        self._trusted.pop(address, None)
        _make_room(self._trusted, ADDRESSES_MAX)
        self._trusted[address] = now, known[1] if known is not None else deque()

    def trusts(self, address: str, *, now: float) -> bool:
        """Whether somebody there has known a password lately."""
        known = self._trusted.get(site(address))
        return known is not None and now - known[0] < TRUSTED_TIME

    def blocked(self, address: str, *, now: float) -> int:
        """For how many seconds the address is still refused; 0: it is not."""
        if not self._blocked:
            return 0
        address = site(address)
        until = self._blocked.get(address, now)
        if now < until and self._limits().enabled:
            return ceil(until - now)
        self._blocked.pop(address, None)
        return 0


class Attempts:
    """Which wrong passwords to tell of: the first of an address, then one in TELL_EVERY with the
    number of all since."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, int]] = {}  # when the last was told, and those since

    def count(self, address: str, *, now: float) -> int:
        """Note one; how many there are to tell of, or 0 for not yet."""
        address = site(address)
        told_at, attempts = self._counts.pop(address, (-TELL_EVERY, 0))
        _make_room(self._counts, ADDRESSES_MAX)
        tell = now - told_at >= TELL_EVERY
        self._counts[address] = (now, 0) if tell else (told_at, attempts + 1)
        return attempts + 1 if tell else 0


def _count(failures: deque[float], now: float, limit: int) -> bool:
    """Note a failure; whether there are now as many in the interval as the limit says."""
    failures.append(now)
    while len(failures) > limit or now - failures[0] > INTERVAL:
        failures.popleft()
    return len(failures) >= limit


def _make_room(table: dict[K, V], most: int) -> None:
    if len(table) >= most:
        del table[next(iter(table))]
