"""Slow down who guesses passwords, by address, and nobody else."""

from collections import deque
from ipaddress import IPv6Address

FAILURES = 20  # wrong passwords that one address may send …
INTERVAL = 1.0  # … within so many seconds
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


def _site(address: str) -> str:
    """The address; of IPv6 its first 64 bits, since a site has all the others (RFC 6177)."""
    try:
        return str(int(IPv6Address(address)) >> 64)
    except ValueError:
        return address
