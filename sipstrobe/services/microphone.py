"""The microphone: open while somebody listens, and one for all who do (AUD-01…03).

Publishes: MicrophoneChanged, ServiceStateChanged.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples, samples_in
from sipstrobe.audio.settings import Microphone as Settings
from sipstrobe.audio.tap import Tap
from sipstrobe.clock import Clock, Handle
from sipstrobe.context import Context
from sipstrobe.events import MicrophoneChanged, ServiceStateChanged
from sipstrobe.io.microphone import Input, Load, make_input
from sipstrobe.services.beside import beside
from sipstrobe.services.capture import Capture
from sipstrobe.services.echo import Reference, make_echo, means
from sipstrobe.services.recordings import load_recording

logger = logging.getLogger(__name__)

MakeInput = Callable[[str, Clock, int, Load], Input]

CUSHION: Final = samples_in(0.020)  # what waits for a listener, so that a late block is not heard
SLACK: Final = samples_in(0.060)  # more than that in addition is left out
WATCH: Final = 1.0  # seconds between two looks at an open input
RETRY_FIRST: Final = 1.0
RETRY_MAX: Final = 60.0
CLOSE_LIMIT: Final = 1.0


class Listener:
    """Sound from the microphone for one who asks for it in real time; silence while there is none.

    As a source of sound it is called with the number of samples. After `close` it stays silent.
    """

    def __init__(self, microphone: "Microphone") -> None:
        self.underruns = 0
        self._microphone: Microphone | None = microphone
        self._tap: Tap | None = None
        self._position: int | None = None  # in the tap

    def __call__(self, count: int) -> Samples | None:
        """The next samples; None: silence."""
        tap = self._microphone.fresh() if self._microphone is not None else None
        if tap is not self._tap:
            self._tap, self._position = tap, None
        return None if tap is None else self._read(tap, count)

    def close(self) -> None:
        """Listen no more."""
        if self._microphone is not None:
            self._microphone.leave(self)
            self._microphone = None

    def _read(self, tap: Tap, count: int) -> Samples | None:
        position, newest = self._position, tap.played
        if position is None or newest - position > count + CUSHION + SLACK:
            position = newest - count - CUSHION
            if position < 0:
                return None
        elif newest - position < count:
            self.underruns += 1
            self._position = None
            return None
        self._position = position + count
        return tap.since(position, count)


class Witness:
    """Hears what the microphone does before anything is done to it, whenever `read` is called,
    which must be ten times a second."""

    def __init__(self, microphone: "Microphone", heard: Callable[[Samples], None]) -> None:
        self._microphone = microphone
        self._heard = heard
        self._listener = microphone.listen()

    def read(self) -> None:
        """Call with what came since the last time."""
        self._microphone.fresh()

    def close(self) -> None:
        self._microphone.dismiss(self._heard)
        self._listener.close()


class Microphone:
    """One input for all who listen. It is opened when the first does and closed with the last, or
    when it is muted: then nothing is heard of the room at all.

    What the settings name is also opened once to see whether it works. While it does not, that is
    told, and tried again after 1, 2, 4 … 60 s as long as somebody wants to listen.
    """

    def __init__(
        self,
        context: Context,
        played: Tap,
        catch_up: Callable[[], None],
        *,
        allowed: bool = True,
        make_input: MakeInput = make_input,
    ) -> None:
        """played: what the speaker plays, up to date after catch_up. allowed: False: it stays off,
        whatever anybody sets (AUD-07)."""
        self._context = context
        self._clock = context.clock
        self._reference = (played, catch_up)
        self._allowed = allowed
        self._make_input = make_input
        self._settings = Settings()
        self._listeners: set[Listener] = set()
        self._witnesses: list[Callable[[Samples], None]] = []
        self._capture: Capture | None = None
        self._opened = Settings()  # what the capture was opened with
        self._changing = False  # an input is being opened or closed
        self._untried = False
        self._closed = False
        self._told_on = False
        self._problem: str | None = None  # None: nothing is known
        self._timer: Handle | None = None
        self._retry_after = RETRY_FIRST
        self._seen = 0  # samples of the input when it was last looked at

    # --- settings and life ----------------------------------------------------------------------

    @property
    def on(self) -> bool:
        """Whether the settings name an input, muted or not."""
        return bool(self._settings.input) and self._allowed

    def apply(self, wanted: Settings) -> None:
        """Bring settings into effect, for those who listen already too."""
        before, self._settings = self._settings, wanted
        if before.input != wanted.input:
            self._untried = bool(wanted.input)
            self._retry_after = RETRY_FIRST
            self._wait(None)
            if not wanted.input and self._problem:
                self._tell("")
        if self._capture is not None:
            self._capture.apply(wanted)
        self._decide()
        on = self.on and not wanted.muted
        if on != self._told_on:
            self._told_on = on
            self._context.bus.publish(MicrophoneChanged(on=on))

    def listen(self) -> Listener:
        """Begin to listen."""
        listener = Listener(self)
        self._listeners.add(listener)
        if not self._changing and self._capture is None:
            self._wait(None)  # whoever begins is a reason to try again at once
        self._decide()
        return listener

    def witness(self, heard: Callable[[Samples], None]) -> "Witness":
        """Begin to hear everything, our own speaker and all. The pieces are lent."""
        self._witnesses.append(heard)
        return Witness(self, heard)

    def dismiss(self, heard: Callable[[Samples], None]) -> None:
        """See Witness.close."""
        self._witnesses.remove(heard)

    def leave(self, listener: Listener) -> None:
        """See Listener.close."""
        self._listeners.discard(listener)
        self._decide()

    def fresh(self) -> Tap | None:
        """What is heard, until now; None while nothing is."""
        capture = self._capture
        if capture is None:
            return None
        capture.run(self._clock.now())
        return capture.tap

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows; levels in dBFS."""
        capture = self._capture
        return {
            "input": self._settings.input if self._allowed else "",
            "name": capture.input.name if capture is not None else "",
            "allowed": self._allowed,
            "muted": self._settings.muted,
            "open": capture is not None,
            "working": self.on and not self._problem,
            "problem": self._problem or "",
            "listeners": len(self._listeners),
            "level_db": round(capture.level_db, 1) if capture is not None else SILENCE_DB,
            "gain_db": round(capture.gain_db, 1) if capture is not None else 0.0,
            "echo": means() if self._settings.echo_cancellation else "off",
            "lost": capture.lost + capture.input.late if capture is not None else 0,
        }

    async def aclose(self) -> None:
        """Nobody is heard any more."""
        self._closed = True
        self._decide()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                while self._changing:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    # --- opening and closing --------------------------------------------------------------------

    @property
    def _needed(self) -> bool:
        wanted = bool(self._listeners) or self._untried
        return self.on and wanted and not self._settings.muted and not self._closed

    def _decide(self) -> None:
        """Open or close the input if that is to be done, and not under way."""
        if self._changing:
            return
        if self._capture is None:
            if self._needed and self._timer is None:
                self._open()
        elif not self._needed or _differs(self._opened, self._settings):
            self._close(self._capture)

    def _open(self) -> None:
        wanted = self._opened = self._settings
        made = self._make_input(wanted.input, self._clock, SAMPLE_RATE, load_recording)
        echo = make_echo(Reference(*self._reference)) if wanted.echo_cancellation else None
        capture = Capture(made, echo)
        capture.apply(wanted)
        capture.witnesses = self._witnesses
        self._changing = True

        def opened(failure: BaseException | None) -> None:
            self._changing = False
            if failure is None:
                self._use(capture)
            else:
                capture.close()
                self._fail(str(failure))

        beside("microphone", lambda: made.open(capture.take), opened)

    def _use(self, capture: Capture) -> None:
        self._capture = capture
        self._seen = -1
        capture.apply(self._settings)
        self._untried = False
        self._retry_after = RETRY_FIRST
        self._tell("")
        self._watch_on()
        self._decide()

    def _close(self, capture: Capture, problem: str = "") -> None:
        """problem: it is lost, because of this."""
        self._capture = None
        self._changing = True
        self._wait(None)

        def closed(failure: BaseException | None) -> None:
            self._changing = False
            capture.close()
            if failure is not None:
                logger.warning("the microphone did not close well: %s", failure)
            if problem:
                self._fail(problem)
            else:
                self._decide()

        beside("microphone", capture.input.close, closed)

    def _fail(self, problem: str) -> None:
        if self._opened.input != self._settings.input:  # meanwhile another one is wanted
            self._decide()
            return
        self._untried = False
        self._tell(problem)
        if self._needed:
            self._wait(self._clock.now() + self._retry_after, self._retry)
            self._retry_after = min(2 * self._retry_after, RETRY_MAX)

    def _retry(self) -> None:
        self._wait(None)
        self._decide()

    def _watch_on(self) -> None:
        self._wait(self._clock.now() + WATCH, self._watch)

    def _watch(self) -> None:
        capture = self._capture
        assert capture is not None
        capture.run(self._clock.now())
        if capture.input.problem or capture.received == self._seen:
            words = capture.input.problem or f"The microphone {capture.input.name} hangs."
            self._close(capture, words)
            return
        self._seen = capture.received
        self._watch_on()

    def _wait(self, when: float | None, then: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_at(when, then) if when is not None and then else None

    def _tell(self, problem: str) -> None:
        """Publish whether the wanted input works."""
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            logger.warning("%s", problem)
        with self._context.trace.input("device", "microphone", self._clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="microphone", working=not problem, problem=problem)
            )


def _differs(opened: Settings, wanted: Settings) -> bool:
    """Whether an input must be opened anew for these settings."""
    return (opened.input, opened.echo_cancellation) != (wanted.input, wanted.echo_cancellation)
