"""The audit trail: who did what, in lines that prove each other (`audit_chain`).

What people and programs order or change is noted with who it was, from where, and what came of it;
what rules do of themselves is in the history of events. Lines are written beside the loop, those of
a quarter of a second together. What is done over and over is one entry with a count, so that nobody
writes the trail full to have the rest of it deleted.

Publishes: ServiceStateChanged.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar, TypeVarTuple

import msgspec

from sipstrobe.clock import Handle
from sipstrobe.commands import ChangeSettings, Command
from sipstrobe.context import Context
from sipstrobe.events import (
    AddressBlocked,
    DeviceStarted,
    ServiceStateChanged,
    SettingsChanged,
    SignInFailed,
)
from sipstrobe.masking import whole
from sipstrobe.orders import COMMANDS, name_of
from sipstrobe.services.audit_chain import AuditFiles, Entry
from sipstrobe.trace import Actor, Cause, Decision, Input

logger = logging.getLogger(__name__)

GATHER: Final = 0.25  # seconds from one write to the next
REPEATED: Final = 10.0  # seconds in which what is done again is counted
REPEATED_MAX: Final = 256  # different things that are counted at a time
WAITING_MAX: Final = 2048  # entries for a disk that is slow; more are not kept, which is noted
WORDS_MAX: Final = 300  # characters of what was done
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end
DEVICE: Final = Actor(way="device")
_ORDERS: Final = frozenset(COMMANDS.values()) - {ChangeSettings}
_WAYS: Final = ("mqtt", "command line")  # of orders that are noted here; the web door notes its own


T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Deed(NamedTuple):
    actor: Actor
    what: str
    result: str
    paths: tuple[str, ...]


class AuditTrail:
    """Notes what people do, and shows it."""

    def __init__(self, context: Context, state: Path) -> None:
        self._context = context
        self._files = AuditFiles(state)
        self._thread = ThreadPoolExecutor(1, "audit")
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._repeated: dict[_Deed, int] = {}
        self._timer: Handle | None = None
        self._next: Handle | None = None
        self._busy = False
        self._is_closed = False
        self._writing: asyncio.Future[None] | None = None
        self._is_open = False
        self._problem = ""
        subscribe = context.bus.subscribe
        self._unsubscribe = [
            subscribe(SettingsChanged, self._settings_changed),
            subscribe(SignInFailed, self._sign_in_failed),
            subscribe(AddressBlocked, self._address_blocked),
            subscribe(DeviceStarted, self._started),
            context.dispatcher.watch(self._executed),
        ]

    async def aclose(self) -> None:
        """Write what waits."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._tell_repeated()
        for timer in (self._timer, self._next):
            if timer is not None:
                timer.cancel()
        if self._waiting:
            self._begin()
        self._is_closed = True
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    def note(self, actor: Actor, what: str, result: str, paths: tuple[str, ...] = ()) -> None:
        """Somebody did this, and that came of it. The first is written at once; the same again
        within ten seconds is counted, and then written as one."""
        deed = _Deed(actor, what[:WORDS_MAX], result, paths)
        if deed in self._repeated:
            self._repeated[deed] += 1
            return
        if len(self._repeated) < REPEATED_MAX:
            self._repeated[deed] = 0
            if self._timer is None:
                clock = self._context.clock
                self._timer = clock.call_at(clock.now() + REPEATED, self._tell_repeated)
        self._add(deed, 1)

    async def page(self, limit: int, before: int | None) -> Sequence[Mapping[str, object]]:
        """So many entries, the newest first, older than that number. Raises OSError."""
        entries = await self._run(self._files.newest, limit, before)
        return [msgspec.to_builtins(msgspec.structs.asdict(entry)) for entry in entries]

    async def verify(self) -> Mapping[str, object]:
        """What a look at the whole trail finds. Raises OSError."""
        verdict = await self._run(self._files.verify)
        return {"sound": not verdict.problems, **asdict(verdict)}

    # --- what is noted --------------------------------------------------------------------------

    def _settings_changed(self, event: SettingsChanged) -> None:
        actor = _actor(self._context.trace.current)
        paths = tuple(event.paths.split())
        self.note(actor, "settings", "changed", paths)

    def _sign_in_failed(self, event: SignInFailed) -> None:
        actor = Actor(way="nobody", who=event.name, address=event.address)
        self._add(_Deed(actor, "sign in", "refused", ()), event.attempts)

    def _address_blocked(self, event: AddressBlocked) -> None:
        actor = Actor(way="nobody", address=event.address)
        self._add(_Deed(actor, f"blocked for {event.seconds:g} s", "", ()), 1)

    def _started(self, event: DeviceStarted) -> None:
        self._add(_Deed(DEVICE, f"started: {event.reason.value}", "", ()), 1)

    def _executed(self, cause: Cause) -> None:
        """Orders that came by other doors than the web's."""
        command = cause.what
        if type(command) not in _ORDERS:
            return
        root = cause.root.what
        if not isinstance(root, Input) or root.kind not in _WAYS or _by_rule(cause):
            return
        assert isinstance(command, Command)
        self.note(_actor(cause), name_of(type(command)), "ordered")

    # --- writing --------------------------------------------------------------------------------

    def _tell_repeated(self) -> None:
        """The time is over: say how often more."""
        self._timer = None
        repeated, self._repeated = self._repeated, {}
        for deed, times in repeated.items():
            if times:
                self._add(deed, times)

    def _add(self, deed: _Deed, times: int) -> None:
        if self._is_closed:
            return
        if len(self._waiting) >= WAITING_MAX:
            self._lost += 1
            return
        at = self._context.clock.wall().isoformat(timespec="milliseconds")
        actor, what, result, paths = deed
        self._waiting.append(
            Entry(
                at=at,
                way=actor.way,
                who=whole(actor.who),
                address=actor.address,
                what=whole(what),
                paths=paths,
                result=result,
                times=times,
            )
        )
        if not self._busy:
            self._begin()

    def _begin(self) -> None:
        """Have all that waits written."""
        self._busy = True
        entries = list(self._waiting)
        self._waiting.clear()
        if self._lost:
            entries.append(
                self._own(f"{self._lost} entries are lost: the disk was too slow, or failed")
            )
            self._lost = 0
        self._writing = self._run(self._put, entries)
        self._writing.add_done_callback(partial(self._written, len(entries)))

    def _written(self, number: int, writing: "asyncio.Future[None]") -> None:
        """A disk that fails is tried again with the next entry."""
        error = None if writing.cancelled() else writing.exception()
        if error is None:
            self._tell("")
        else:
            self._is_open = False
            self._lost += number
            self._tell(f"the audit trail cannot be written: {error}")
        if self._is_closed:
            return
        clock = self._context.clock
        self._next = clock.call_at(clock.now() + GATHER, self._go_on)

    def _go_on(self) -> None:
        self._next = None
        self._busy = False
        if self._waiting:
            self._begin()

    def _run(self, work: Callable[[*Ts], T], *given: *Ts) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def _put(self, entries: list[Entry]) -> None:
        """In the other thread."""
        if not self._is_open:
            words = self._files.open()
            self._is_open = True
            if words:
                logger.warning("audit trail: %s", words)
                entries = [self._own(words), *entries]
        self._files.append(entries)

    def _own(self, words: str) -> Entry:
        at = self._context.clock.wall().isoformat(timespec="milliseconds")
        return Entry(at=at, way=DEVICE.way, what=f"audit trail: {words}")

    def _tell(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        with self._context.trace.input("file", "audit trail", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="audit", working=not problem, problem=problem)
            )


def _actor(cause: Cause | None) -> Actor:
    """Who began what is done now."""
    root = cause.root.what if cause is not None else None
    if not isinstance(root, Input):
        return DEVICE
    return root.actor or Actor(way=root.kind)


def _by_rule(cause: Cause) -> bool:
    return any(isinstance(link.what, Decision) for link in cause.chain())
