"""Who was not let in: refused sign-ins and the addresses that were blocked (checklist LOG-04).

The newest are in memory, and in a file that outlives the run.
"""

import asyncio
from collections import deque
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any, Final

from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.services.log_file import LogFile

FILE: Final = "access.log"
KEPT: Final = 1000  # refusals


class AccessLog:
    """Listens to SignInFailed and AddressBlocked, between `open` and `aclose`."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._file = LogFile(folder / FILE)
        self._refusals: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._serials = count(1)
        self._unsubscribe = [
            context.bus.subscribe(SignInFailed, self._note),
            context.bus.subscribe(AddressBlocked, self._note),
        ]

    async def open(self) -> None:
        """Read what earlier runs have left."""
        for known in await asyncio.to_thread(self._file.read, KEPT):
            if isinstance(known.get("at"), str) and isinstance(known.get("event"), str):
                self._keep(known)

    async def aclose(self) -> None:
        while self._unsubscribe:
            self._unsubscribe.pop()()
        await asyncio.to_thread(self._file.close)

    def refusals(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """The newest first: seq, at, event, and what the event says; before: only those with a
        smaller seq."""
        newest = (r for r in reversed(self._refusals) if before is None or r["seq"] < before)
        return [refusal for refusal, _ in zip(newest, range(limit), strict=False)]

    def _note(self, event: SignInFailed | AddressBlocked) -> None:
        at = self._context.clock.wall().isoformat(timespec="milliseconds")
        named = "sign_in_failed" if isinstance(event, SignInFailed) else "address_blocked"
        known: dict[str, Any] = {"at": at, "event": named, **asdict(event)}
        self._keep(known)
        self._file.write(known)

    def _keep(self, known: dict[str, Any]) -> None:
        self._refusals.append({**known, "seq": next(self._serials)})
