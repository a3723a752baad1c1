"""Proves passwords beside the loop, one at a time: a flood of log-ins must not hold up a call.

What a slow hash has proven once is remembered for a while, so that a program that sends its
password with each request (Basic, RFC 7617) waits for it with the first only.
"""

import asyncio
import hmac
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from sipstrobe.config.passwords import COST, SALT_BYTES, Cost, hash_password, proves
from sipstrobe.config.users import User
from sipstrobe.io.addresses import site
from sipstrobe.io.memory import return_large_blocks
from sipstrobe.web.exchange import HttpProblem, Response

WAITING_MAX: Final = 16  # passwords that wait for their turn …
WAITING_PER_ADDRESS: Final = 4  # … of which so many from one address
WAITING_KNOWN: Final = 8  # and so many more of addresses where somebody knows a password
REMEMBERED_MAX: Final = 64  # passwords of programs; the one unused for longest goes first
RETRY_AFTER: Final = 2  # seconds after which there is room again
NICENESS: Final = 10  # of the thread: whatever else the device does comes first

S = TypeVar("S")
R = TypeVar("R")


class Busy(HttpProblem):
    """Too many sign in at once."""

    def __init__(self) -> None:
        super().__init__(503, "too many sign in at once; try again", code="busy")

    def response(self) -> Response:
        return super().response().with_headers(("Retry-After", str(RETRY_AFTER)))


class Prover:
    """Slow hashes, one at a time; each is computed for as long whether it fits or not."""

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        cost: Cost = COST,
        trusts: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """trusts: whether somebody at this address has known a password lately: strangers do not
        keep him waiting outside."""
        self._random_bytes = random_bytes
        self._cost = cost
        self._trusts = trusts
        self._key = random_bytes(32)
        self._thread = ThreadPoolExecutor(1, "passwords", initializer=_step_back)
        self._waiting: Counter[str] = Counter()  # by address
        self._remembered: dict[bytes, User] = {}

    async def hashed(self, password: str, address: str = "") -> str:
        """What to store of a new password. Raises Busy."""
        make = partial(hash_password, cost=self._cost)
        return await self._run(address, make, password, self._random_bytes(SALT_BYTES))

    async def check(self, user: User | None, password: str, address: str) -> tuple[bool, str]:
        """Whether this is the password of this user, and the hash to store if there is none yet.

        user: None where there is none of that name, which takes as long to find wrong.
        Raises Busy.
        """
        if user is not None and user.password:
            return await self._run(address, proves, password, user.password.reveal()), ""
        made = await self.hashed(password, address)
        return user is not None and user.proves(password), made

    def remember(self, user: User, password: str) -> None:
        """This has been proven, until the account has another password."""
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[self._mark(user.name, password)] = user

    def remembers(self, user: User, password: str) -> bool:
        """Whether this is known to be the password of this user, as the account is now."""
        mark = self._mark(user.name, password)
        known = self._remembered.pop(mark, None)
        if known is None or not known.same_password(user):
            return False
        self._remembered[mark] = known  # the newest again
        return True

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, address: str, work: Callable[[str, S], R], password: str, other: S) -> R:
        most = WAITING_MAX + (WAITING_KNOWN if self._trusts(address) else 0)
        address = site(address)
        if self._waiting.total() >= most or self._waiting[address] >= WAITING_PER_ADDRESS:
            raise Busy
        self._waiting[address] += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, work, password, other)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]

    def _mark(self, name: str, password: str) -> bytes:
        """What stands for both, and tells neither: names have no colon."""
        return hmac.digest(
            self._key, f"{name}:{password}".encode("utf-8", "surrogatepass"), "sha256"
        )


def _step_back() -> None:
    """Linux has a niceness of each thread. The memory of a hash is only lent."""
    return_large_blocks()
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
