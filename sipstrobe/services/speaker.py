"""Keeps the wanted output open, and something in its place while it cannot be."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from sipstrobe.audio.fade import Fade
from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import MediaError
from sipstrobe.io.soundcard import Buffering, Null, Output, Render, is_card
from sipstrobe.services.beside import beside

logger = logging.getLogger(__name__)

MakeOutput = Callable[[str, Clock, int, Buffering], Output]

FADE_OUT: Final = 0.03  # seconds until every output has played its fade
WATCH: Final = 1.0  # how often a card is looked at; one that asked for nothing meanwhile is lost
RETRY_FIRST: Final = 1.0
RETRY_MAX: Final = 60.0
CLOSE_LIMIT: Final = 1.0
SETTLE_LIMIT: Final = 1.0
UNBUFFERED: Final = Buffering(0.0, 0.0)  # what is no card has no choice


class _Gate:
    """Between one output and the mixer: of all outputs, only the one with an open gate mixes.

    No fault of the mixer goes any further: it is counted, and the period is silent.
    """

    __slots__ = ("_fade", "_render", "fault", "faults", "output", "wanted")

    def __init__(self, output: Output, render: Render) -> None:
        self.output = output
        self.wanted = 0.0  # 1: open, 0: shut; assigned by the loop
        self.faults = 0
        self.fault: Exception | None = None  # the latest
        self._render = render
        self._fade = Fade(0.0)

    def render(self, out: Samples, at: float) -> None:
        fade, wanted = self._fade, self.wanted
        if not wanted and not fade.gain:
            out.fill(0.0)
            return
        try:
            self._render(out, at)
        except Exception as error:
            self.faults += 1
            self.fault = error
            out.fill(0.0)
        if fade.gain != 1.0 or wanted != 1.0:
            fade.apply(out, wanted)


class Speaker:
    """One output at a time, by the name and with the buffering that the settings give it.

    A change fades the old one out, closes it and opens the new one. What takes long is done in a
    thread, and the sound runs on meanwhile, to nobody. So it does while the wanted output cannot
    be opened or was lost; that is reported, and tried again after 1, 2, 4 … 60 s.
    """

    def __init__(
        self,
        clock: Clock,
        make_output: MakeOutput,
        render: Render,
        render_unheard: Render,  # for what plays in place of the wanted output
        report: Callable[[str], None],  # of the problem in words, "" when it works
    ) -> None:
        self.problem = ""
        self._clock = clock
        self._make_output = make_output
        self._render = render
        self._render_unheard = render_unheard
        self._report = report
        self._wanted = ("", UNBUFFERED)
        self._gate: _Gate | None = None  # what plays now
        self._running = False
        self._changing = False
        self._closed = False
        self._timer: Handle | None = None  # to look at the card, or to try again
        self._retry_after = RETRY_FIRST
        self._seen = 0  # periods of the output when it was last looked at
        self._seen_faults = 0
        self._told = asyncio.Event()
        self._at_work = 0  # threads
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    @property
    def output(self) -> Output | None:
        """What plays now; null in place of the wanted one while that does not work."""
        return None if self._gate is None else self._gate.output

    @property
    def next_at(self) -> float | None:
        """When the first sample that is mixed next is heard; None: not known."""
        return None if self._gate is None else self._gate.output.next_at

    def want(self, name: str, buffering: Buffering) -> None:
        wanted = (name, buffering if is_card(name) else UNBUFFERED)
        if wanted != self._wanted:
            self._wanted = wanted
            self._retry_after = RETRY_FIRST
            self._change()

    def run(self) -> None:
        """There is something to hear."""
        self._running = True
        if self._gate is not None:
            self._gate.output.run()

    def rest(self) -> None:
        """There is nothing to hear."""
        self._running = False
        if self._gate is not None:
            self._gate.output.rest()

    def catch_up(self) -> None:
        """What is to be heard will change."""
        if self._gate is not None:
            self._gate.output.catch_up()

    async def settled(self) -> None:
        """Until it is known whether the wanted output works, or it takes too long to tell."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_LIMIT):
                await self._told.wait()

    async def aclose(self) -> None:
        """Fade out and close. A card that is being opened is waited for as well: a process that
        ends in the middle of that crashes."""
        self._closed = True
        self._wait(None)
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.output.catch_up()
            gate.wanted = 0.0
            if self._running:
                await asyncio.sleep(FADE_OUT)
            self._do(gate.output, gate.output.close, lambda _: None)
        try:
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._at_rest.wait()
        except TimeoutError:
            logger.warning("the sound card neither opens nor closes: %s", self._wanted)

    # --- from one output to the next ---

    def _change(self) -> None:
        """Begin to put the wanted output in place of what plays, unless that is going on."""
        if self._changing or self._closed:
            return
        self._changing = True
        self._wait(None)
        gate = self._gate
        if gate is None:
            self._open()
            return
        gate.output.catch_up()
        gate.wanted = 0.0
        if self._running:
            self._wait(self._clock.now() + FADE_OUT, self._faded)
        else:
            self._faded()

    def _faded(self) -> None:
        gate, self._gate = self._gate, None
        assert gate is not None
        self._do(gate.output, gate.output.close, self._open)

    def _open(self, failure: BaseException | None = None) -> None:
        """Open the wanted output; the old one is closed, however well that went."""
        if failure is not None:
            logger.warning("the sound card did not close well: %s", failure)
        if self._closed:
            return
        name, buffering = self._wanted
        made = self._make_output(name, self._clock, SAMPLE_RATE, buffering)
        gate = _Gate(made, self._render)
        if gate.output.blocking and self._gate is None:
            self._stand_in()
        opened = partial(self._opened, self._wanted, gate)
        self._do(gate.output, partial(gate.output.open, gate.render), opened)

    def _opened(
        self, wanted: tuple[str, Buffering], gate: _Gate, failure: BaseException | None = None
    ) -> None:
        if self._closed or wanted != self._wanted:  # meanwhile something else is wanted
            self._do(gate.output, gate.output.close, self._change_again)
            return
        self._changing = False
        if failure is None:
            if self._gate is not None:
                self._gate.output.close()
            self._play(gate)
            self._retry_after = RETRY_FIRST
            self._watch_on()
            self._tell(gate.output.problem)
        else:
            self._fail(str(failure))

    def _change_again(self, _: BaseException | None) -> None:
        self._changing = False
        self._change()

    def _fail(self, problem: str) -> None:
        """Go on without the wanted output, and try again later."""
        if self._gate is None:
            self._stand_in()
        self._tell(problem)
        self._wait(self._clock.now() + self._retry_after, self._retry)
        self._retry_after = min(2 * self._retry_after, RETRY_MAX)

    def _retry(self) -> None:
        self._changing = True
        self._open()

    def _stand_in(self) -> None:
        gate = _Gate(Null(self._clock, SAMPLE_RATE), self._render_unheard)
        gate.output.open(gate.render)
        self._play(gate)

    def _play(self, gate: _Gate) -> None:
        self._gate = gate
        self._seen = -1
        self._seen_faults = 0
        gate.wanted = 1.0
        if self._running:
            gate.output.run()

    # --- while it plays ---

    def _watch_on(self) -> None:
        self._wait(self._clock.now() + WATCH, self._watch)

    def _watch(self) -> None:
        gate = self._gate
        assert gate is not None
        output = gate.output
        if output.blocking and (output.problem or output.periods == self._seen):
            self._lose(gate, output.problem or f"The sound card {output.name} hangs.")
            return
        self._seen = output.periods
        if gate.faults > self._seen_faults:
            count = gate.faults - self._seen_faults
            logger.error("%d periods could not be mixed", count, exc_info=gate.fault)
            self._seen_faults = gate.faults
        if output.problem:
            self._tell(output.problem)
        self._watch_on()

    def _lose(self, gate: _Gate, problem: str) -> None:
        self._changing = True
        gate.wanted = 0.0
        self._gate = None

        def closed(failure: BaseException | None) -> None:
            self._changing = False
            if not self._closed:
                self._fail(problem)

        self._do(gate.output, gate.output.close, closed)

    def _tell(self, problem: str) -> None:
        if problem != self.problem or not self._told.is_set():
            self.problem = problem
            self._told.set()
            self._report(problem)

    def _wait(self, when: float | None, then: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(when, then) if when is not None and then else None

    def _do(
        self,
        output: Output,
        step: Callable[[], None],
        then: Callable[[BaseException | None], None],
    ) -> None:
        """Do a step that may fail or take long, and go on with its failure, if any."""
        if output.blocking:
            self._at_work += 1
            self._at_rest.clear()
            beside("sound card", step, partial(self._done, then))
            return
        failure = None
        try:
            step()
        except MediaError as error:
            failure = error
        then(failure)

    def _done(
        self, then: Callable[[BaseException | None], None], failure: BaseException | None
    ) -> None:
        self._at_work -= 1
        then(failure)
        if not self._at_work:
            self._at_rest.set()
