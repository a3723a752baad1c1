"""The history of calls: what became of each, kept over restarts (checklist GAP-24).

Listens to: CallStateChanged. Publishes: ServiceStateChanged. The file is written by one thread of
its own, a few times a second at most, so that a call costs the loop next to nothing.
"""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import CallStateChanged, CallStatus, ServiceStateChanged
from sipstrobe.services.calls import CallSnapshot

if TYPE_CHECKING:
    from sipstrobe.services.call_log import CallLog, CallRecord, Note

logger = logging.getLogger(__name__)

DELAY: Final = 0.25  # seconds that what has happened waits for more to be written with it
MAX_WAITING: Final = 10_000  # calls of which there is something to write; the oldest are lost
MAX_READ: Final = 1000  # calls at a time
PRUNE_EVERY: Final = 256  # calls
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end


class History:
    """Takes down every call. The first use of the disk is made beside the loop."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "history")
        self._log: CallLog | None = None  # of the thread alone
        self._waiting: dict[str, dict[str, object]] = {}  # by call
        self._due: Handle | None = None
        self._begun = 0
        self._problem = ""
        self._unsubscribe = context.bus.subscribe(CallStateChanged, self._note)
        self._submit([])

    # --- what has happened ----------------------------------------------------------------------

    def conclude(self, call: CallSnapshot, words: str) -> None:
        """A call is about to end: what is known of its media, and why it ends, in words."""
        self._write(call.id, words=words, transport=call.transport, codec=call.codec)
        report = call.audio
        if report is not None:
            self._write(
                call.id,
                encryption=report.encryption,
                packets=call.packets_received,
                lost=call.packets_lost,
                jitter_ms=round(report.jitter_ms, 1),
                mos=None if report.mos is None else round(report.mos, 2),
                verdict=report.verdict.value,
                cause=report.words,
            )

    def _note(self, event: CallStateChanged) -> None:
        at = self._context.clock.wall().timestamp()
        if event.before is CallStatus.IDLE:
            self._begun += 1
            self._write(
                event.call,
                direction=event.direction.value,
                account=event.account,
                local_uri=event.local_uri,
                remote_uri=event.remote_uri,
                extension=event.extension,
                started=at,
            )
        if event.state is CallStatus.ACTIVE:
            self._write(event.call, answered=at, local_uri=event.local_uri)
        elif event.state is CallStatus.TERMINATED:
            reason, local_uri = event.reason.value, event.local_uri
            self._write(event.call, ended=at, reason=reason, local_uri=local_uri)

    def _write(self, call: str, **known: object) -> None:
        waiting = self._waiting
        if call in waiting:
            waiting[call].update(known)
        else:
            if len(waiting) >= MAX_WAITING:
                del waiting[next(iter(waiting))]
            waiting[call] = known
        if self._due is None:
            clock = self._context.clock
            self._due = clock.call_at(clock.now() + DELAY, self._flush)

    def _flush(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        notes, self._waiting = list["Note"](self._waiting.items()), {}
        self._submit(notes)

    # --- what was ------------------------------------------------------------------------------

    async def calls(self, limit: int = 100, before: int | None = None) -> "list[CallRecord]":
        """The newest calls first, MAX_READ at most; before: only those with a smaller id.

        Raises OSError when the file cannot be read.
        """
        wanted = max(0, min(limit, MAX_READ))
        self._flush()
        return await asyncio.wrap_future(self._thread.submit(self._read, wanted, before))

    async def aclose(self) -> None:
        """Take down what is still waiting, and close the file."""
        self._unsubscribe()
        self._flush()
        closed = self._loop.run_in_executor(self._thread, self._close)
        await asyncio.wait([closed], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    # --- the thread ----------------------------------------------------------------------------

    def _submit(self, notes: "list[Note]") -> None:
        pruning = self._begun >= PRUNE_EVERY
        if pruning:
            self._begun = 0
        wall = self._context.clock.wall().timestamp()
        done = self._thread.submit(self._take_down, notes, wall, pruning)
        done.add_done_callback(self._taken_down)

    def _take_down(self, notes: "list[Note]", wall: float, pruning: bool) -> None:
        log = self._open(wall)
        log.write(notes)
        if pruning:
            log.prune(wall=wall)

    def _open(self, wall: float) -> "CallLog":
        from sipstrobe.services.call_log import CallLog  # SQLite is not needed to start

        if self._log is None:
            self._log = CallLog(self._folder, wall=wall)
        return self._log

    def _read(self, limit: int, before: int | None) -> "list[CallRecord]":
        import sqlite3

        try:
            return self._open(self._context.clock.wall().timestamp()).calls(limit, before)
        except sqlite3.Error as error:
            raise OSError(f"the history of calls: {error}") from error

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _taken_down(self, done: "Future[None]") -> None:
        """Called by the thread, or by whoever ends it."""
        if not done.cancelled() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, str(done.exception() or ""))

    def _tell(self, problem: str) -> None:
        """Publish whether the history is kept."""
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            logger.warning("the history of calls is not kept: %s", problem)
        with self._context.trace.input("file", "history", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="history", working=not problem, problem=problem)
            )
