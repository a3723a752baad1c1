"""Slow down who guesses passwords, by address, and nobody else."""

from collections import deque
from ipaddress import IPv6Address

FAILURES = 20  # wrong passwords that one address may send …
INTERVAL = 1.0  # … within so many seconds
TELL_EVERY = 10.0  # seconds
BLOCK = 10.0  # seconds for which the address is then refused
ADDRESSES_MAX = 1024  # addresses remembered; the longest known is forgotten first


class Throttle:
    """Count completed attempts with wrong credentials. A first request without any is none.

    There is no lasting lock-out: what was before the interval is forgotten. All addresses of an
    IPv6 site count as one.
    """

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}
        self._blocked: dict[str, float] = {}

    def failed(self, address: str, *, now: float) -> bool:
        """Note a failure; True if the address is blocked from now on."""
        address = _site(address)
        if address not in self._failures and len(self._failures) >= ADDRESSES_MAX:
            del self._failures[next(iter(self._failures))]
        failures = self._failures.setdefault(address, deque(maxlen=FAILURES))
        failures.append(now)
        if len(failures) < FAILURES or now - failures[0] > INTERVAL:
            return False
        del self._failures[address]
        if address not in self._blocked and len(self._blocked) >= ADDRESSES_MAX:
            del self._blocked[next(iter(self._blocked))]
        self._blocked[address] = now + BLOCK
        return True

    def blocked(self, address: str, *, now: float) -> bool:
        address = _site(address)
        until = self._blocked.get(address)
        if until is None:
            return False
        if now < until:
            return True
        del self._blocked[address]
        return False


class Attempts:
    """Which wrong passwords to tell of: the first of an address, then one in TELL_EVERY with the
    number of all since."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[float, int]] = {}  # when the last was told, and those since

    def count(self, address: str, *, now: float) -> int:
        """Note one; how many there are to tell of, or 0 for not yet."""
        address = _site(address)
        told_at, attempts = self._counts.pop(address, (-TELL_EVERY, 0))
        if len(self._counts) >= ADDRESSES_MAX:
            del self._counts[next(iter(self._counts))]
        tell = now - told_at >= TELL_EVERY
        self._counts[address] = (now, 0) if tell else (told_at, attempts + 1)
        return attempts + 1 if tell else 0


def _site(address: str) -> str:
    """The address; of IPv6 its first 64 bits, since a site has all the others (RFC 6177)."""
    try:
        return str(int(IPv6Address(address)) >> 64)
    except ValueError:
        return address
