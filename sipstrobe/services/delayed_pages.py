"""Pages that are heard when their caller has hung up, so that a phone near the speaker does not
howl: what is said is taken down meanwhile, and played once. While another sound silences it, it
waits.

Serves: StopPages. What is taken down is on the disk, and of no use to a device that starts anew.
"""

import asyncio
import logging
import shutil
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

from sipstrobe.audio.format import Samples, gain_from_db, peak, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import REFILL_SAMPLES, AddSource, RemoveSource, SourceKind
from sipstrobe.clock import Handle
from sipstrobe.commands import HangUp, StopPages
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.io.pcmfile import PcmFile
from sipstrobe.services.calls import Call
from sipstrobe.services.lanes import TheirSide
from sipstrobe.services.tape import Tape

logger = logging.getLogger(__name__)

FOLDER: Final = "pages"
LONGEST: Final = 300.0  # seconds; then the caller is hung up, and what he has said is played
MAX_PAGES: Final = 8  # that are taken down or wait: 0.5 GB on the disk at the most
FAINTEST: Final = gain_from_db(-50.0)  # peak; what is softer is a pause
SHORTEST: Final = samples_in(0.3)  # from the first word to the last; what is shorter is no page
MARGIN: Final = samples_in(0.2)  # of the pauses before and after it, which are left out
PIECE: Final = samples_in(0.05)  # in which words and pauses are told apart
PAUSE: Final = 0.5  # seconds between two pages
AGAIN: Final = samples_in(1.0)  # of what was heard before a page was silenced, when it goes on
LONGEST_WAIT: Final = 3600.0  # seconds for which one is played or waits; then it is forgotten
CLOSE_LIMIT: Final = 1.0  # seconds for the files to go at the end


class _Sink:
    """Samples on the disk as PcmFile reads them; for the thread alone."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("wb", buffering=0)
        self.samples = 0
        self.first = self.last = 0  # samples between which something is said

    def write(self, block: Samples) -> None:
        """Samples of one channel."""
        samples = np.ascontiguousarray(block).reshape(-1)
        self._file.write(samples.data)
        for start in range(0, samples.size, PIECE):
            piece = samples[start : start + PIECE]
            if peak(piece) >= FAINTEST:
                self.first = self.first or self.samples + 1
                self.last = self.samples + piece.size
            self.samples += piece.size

    def skip(self, count: int) -> None:
        """So many samples are lost: silence in their place."""
        self.write(np.zeros(count, np.float32))

    def close(self) -> None:
        self._file.close()


@dataclass(eq=False, slots=True)
class _Page:
    """What one caller has said."""

    call: str
    rank: int
    path: Path
    tape: Tape | None = None  # while it is taken down
    sink: _Sink | None = None
    over: bool = False  # its caller has hung up; the rest is on its way to the disk
    dropped: bool = False  # on that way, by an order
    file: PcmFile | None = None  # while it is played
    position: int = 0  # in it, of the next sample
    start: int = 0  # where its first word is
    end: int = 0  # behind its last
    turn: bool = False  # no other sound silences it
    unheard: int | None = None  # the first sample that was not heard when one did
    limit: Handle | None = None
    ring: SampleRing = field(default_factory=lambda: SampleRing(samples_in(0.5)))

    @property
    def owner(self) -> str:
        """As the speaker calls it."""
        return f"page of {self.call}"

    def open(self) -> _Sink:
        """For the thread."""
        self.sink = _Sink(self.path)
        return self.sink


class DelayedPages:
    """Takes down what callers of `delayed` calls say, and plays it in the order in which they hang
    up, with the rank of their calls."""

    def __init__(self, context: Context, state: Path) -> None:
        self._context = context
        self._folder = state / FOLDER
        self._thread = ThreadPoolExecutor(1, "pages")
        self._serials = count(1)
        self._taken: dict[str, _Page] = {}  # by call
        self._waiting: deque[_Page] = deque()
        self._playing: _Page | None = None
        self._resting = False  # between two pages
        self._thread.submit(shutil.rmtree, self._folder, True)
        context.dispatcher.serve(StopPages, self._stop)

    def begin(self, call: Call) -> None:
        """An active call: take down what is said if it is to be heard later."""
        if not call.delayed or call.media is None:
            return
        if len(self._taken) + len(self._waiting) >= MAX_PAGES:
            logger.warning("call %s: %d pages wait already", call.id, MAX_PAGES)
            self._later(0.0, f"no room for call {call.id}", partial(self._hang_up, call.id))
            return
        page = _Page(call.id, call.rank, self._folder / f"{next(self._serials)}.pcm")
        page.tape = Tape(
            self._context.clock,
            self._thread,
            page.open,
            (TheirSide(call.media.stream.ring),),
            LONGEST,
            partial(self._taken_down, page),
        )
        self._taken[call.id] = page

    def end(self, call: Call) -> None:
        """It is over: what was said is played as soon as all of it is on the disk."""
        page = self._taken.get(call.id)
        if page is not None and page.tape is not None:
            page.over = True
            page.tape.stop()

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows: calls that are taken down, that wait, and that are heard."""
        first = self._playing
        waiting = [] if first is None or first.turn else [first.call]
        return {
            "recording": list(self._taken),
            "waiting": waiting + [page.call for page in self._waiting],
            "playing": first.call if first is not None and first.turn else "",
        }

    async def aclose(self) -> None:
        """Forget them all."""
        self._stop(StopPages())
        for page in list(self._taken.values()):
            if page.tape is not None:
                page.tape.stop()
        run = asyncio.get_running_loop().run_in_executor
        done = run(self._thread, partial(shutil.rmtree, self._folder, ignore_errors=True))
        await asyncio.wait([done], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    # --- taking down ----------------------------------------------------------------------------

    def _taken_down(self, page: _Page, problem: str) -> None:
        self._taken.pop(page.call, None)
        sink = page.sink
        if problem:
            logger.warning("page of call %s: %s", page.call, problem)
        if problem or page.dropped or sink is None or sink.last - sink.first < SHORTEST:
            self._forget(page)
        else:
            self._waiting.append(page)
        self._later(0.0, f"page of call {page.call}", partial(self._hang_up, page.call))
        self._next()

    def _hang_up(self, call: str) -> None:
        """Where the caller has not done so: he has had his time."""
        try:
            self._context.dispatcher.execute(HangUp(call=call))
        except CommandRefused:
            return  # he has

    # --- playing --------------------------------------------------------------------------------

    def _next(self) -> None:
        if self._playing is not None or self._resting or not self._waiting:
            return
        page = self._playing = self._waiting.popleft()
        assert page.sink is not None
        try:
            page.file = PcmFile(page.path, page.sink.samples)
            page.start = page.position = max(0, page.sink.first - MARGIN)
            page.end = min(page.sink.samples, page.sink.last + MARGIN)
            page.ring.ended = True  # until it has its turn
            page.limit = self._later(LONGEST_WAIT, page.owner, partial(self._give_up, page))
            order = AddSource(
                owner=page.owner,
                kind=SourceKind.PAGE,
                ring=page.ring,
                rank=page.rank,
                refill=partial(self._refill, page),
                on_turn=partial(self._turn, page),
                relayable=True,
            )
            with self._context.trace.input("file", page.owner, self._context.clock.now()):
                self._context.dispatcher.execute(order)
        except (MediaError, CommandRefused) as error:
            logger.warning("page of call %s is not heard: %s", page.call, error)
            self._end(page)

    def _turn(self, page: _Page, turn: bool) -> None:
        """Wait while another sound silences it; what is in the ring then passes unheard."""
        if not turn:
            page.unheard = page.position - page.ring.fill
        elif not page.ring.fill and page.unheard is not None:
            page.position = max(page.start, page.unheard - AGAIN)
        page.turn = turn
        if turn:
            self._refill(page, REFILL_SAMPLES - page.ring.fill)
        else:
            page.ring.ended = True

    def _refill(self, page: _Page, lacking: int) -> None:
        """Write the next samples, or those that are left."""
        file = page.file
        if file is None or not page.turn:
            return
        count = min(lacking, page.end - page.position)
        if count > 0:
            page.ring.write(file.read(page.position, count))
            page.position += count
        page.ring.ended = page.position == page.end
        if page.ring.ended and not page.ring.fill:
            page.file = None
            self._later(0.0, f"end of the {page.owner}", partial(self._end, page))

    def _end(self, page: _Page) -> None:
        if self._playing is not page:
            return  # it was stopped
        self._playing = page.file = None
        if page.limit is not None:
            page.limit.cancel()
        self._context.dispatcher.execute(RemoveSource(owner=page.owner))
        self._forget(page)
        self._resting = True
        self._later(PAUSE, "pages", self._go_on)

    def _give_up(self, page: _Page) -> None:
        if self._playing is page:
            words = "page of call %s: it could not be heard to its end within %g s"
            logger.warning(words, page.call, LONGEST_WAIT)
            self._end(page)

    def _go_on(self) -> None:
        self._resting = False
        self._next()

    def _stop(self, _: StopPages) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        for page in waiting:
            self._forget(page)
        for page in self._taken.values():
            page.dropped = page.over
        if self._playing is not None:
            self._end(self._playing)

    def _forget(self, page: _Page) -> None:
        self._thread.submit(page.path.unlink, missing_ok=True)

    def _later(self, seconds: float, words: str, step: Callable[[], None]) -> Handle:
        def run() -> None:
            with self._context.trace.input("timer", words, self._context.clock.now()):
                step()

        return self._context.clock.call_at(self._context.clock.now() + seconds, run)
