"""What /vapix/call remembers of calls: when each began, why it is as it is, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sipstrobe.context import Context
from sipstrobe.events import CallReason, CallStateChanged, CallStatus, Direction

ENDED_MAX: Final = 20  # calls that are remembered once they are over


@dataclass(frozen=True, slots=True)
class Entry:
    """A call, from its first step on. began, ended: on the calendar; ended None: it runs."""

    call: str
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    state: CallStatus
    reason: CallReason
    began: datetime
    ended: datetime | None = None


class CallBook:
    """All running calls, and the last of those that have ended."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._entries: dict[str, Entry] = {}
        self._ended: list[str] = []  # the oldest first
        self.close: Callable[[], None] = context.bus.subscribe(CallStateChanged, self._note)

    def find(self, call: str) -> Entry | None:
        return self._entries.get(call)

    def ended(self) -> list[Entry]:
        """Those that are over, the oldest first."""
        return [self._entries[call] for call in self._ended]

    def _note(self, change: CallStateChanged) -> None:
        wall = self._clock.wall()
        entry = self._entries.get(change.call)
        if entry is None:
            entry = Entry(
                change.call,
                change.direction,
                change.account,
                change.local_uri,
                change.remote_uri,
                change.state,
                change.reason,
                wall,
            )
        over = change.state is CallStatus.TERMINATED
        self._entries[change.call] = replace(
            entry, state=change.state, reason=change.reason, ended=wall if over else None
        )
        if over:
            self._ended.append(change.call)
            while len(self._ended) > ENDED_MAX:
                self._entries.pop(self._ended.pop(0), None)
