"""The test of the speaker: tones, and how they are heard against how they were (SPT-01…08).

With a microphone that is on, it listens to the room; without, to what the output takes, which says
nothing of the speaker itself: so each result says which of the two it was.

Publishes: SpeakerTested.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np
from msgspec import Struct

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.audio.tone import find_tone
from sipstrobe.clock import Handle
from sipstrobe.commands import CalibrateSpeaker, RunSpeakerTest
from sipstrobe.config.files import Folder
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import SpeakerRun, SpeakerTested, SpeakerWay
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)

FILE: Final = "speaker.json"
OWNER: Final = "speaker test"
RANK: Final = 13  # as the health check's tone
TONES: Final = (500.0, 1000.0, 3000.0)  # Hz
TONE_DB: Final = -20.0  # RMS in dBFS, before the volume
TONE_SECONDS: Final = 1.9  # of each; the output is asked about its last 1.5 s
LOOK: Final = 0.1  # seconds between two looks at what the microphone hears
MEASURED: Final = samples_in(0.5)  # of what the microphone hears of each
RING: Final = samples_in(0.2)
CLEAR_DB: Final = 6.0  # above all else that the microphone hears
OFF_DB: Final = 10.0  # softer than when it was calibrated: something is wrong
SINE_PEAK: Final = 2.0**0.5  # of a sine with an RMS of 1


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How the tones were heard. levels_db: by the microphone, each RMS in dBFS at a volume of 0 dB;
    none in a loop-back."""

    way: SpeakerWay
    at: datetime
    levels_db: tuple[float, ...] = ()


class Witness(Protocol):
    """One who hears with the microphone whenever it reads."""

    def read(self) -> None: ...
    def close(self) -> None: ...


class Ear(Struct, frozen=True):
    """What the test asks of sound and microphone.

    problem: what is wrong at the output with a tone (Hz, RMS in dBFS before the volume) that has
    played for 1.5 s; empty: nothing. volume_db: of the speaker. witness: begins to hear what the
    microphone does, its own speaker included; None while it is off.
    """

    problem: Callable[[float, float], str]
    volume_db: Callable[[], float]
    witness: Callable[[Callable[[Samples], None]], Witness | None]


class SpeakerTest:
    """One test at a time. `open` first."""

    def __init__(self, context: Context, folder: Path, ear: Ear) -> None:
        self._context = context
        self._folder = folder
        self._ear = ear
        self._run: _Run | None = None
        self._storing: asyncio.Future[None] | None = None
        self.calibration: Calibration | None = None
        context.dispatcher.serve(CalibrateSpeaker, lambda _: self._start(SpeakerRun.CALIBRATION))
        context.dispatcher.serve(RunSpeakerTest, lambda _: self._start(SpeakerRun.TEST))

    async def open(self) -> None:
        """Read the calibration, if there is one that can be read."""
        try:
            text = await asyncio.to_thread(Folder(self._folder).read, FILE)
            if text is not None:
                self.calibration = msgspec.json.decode(text, type=Calibration)
        except (OSError, msgspec.DecodeError) as error:
            logger.warning("the calibration of the speaker cannot be read: %s", error)

    async def aclose(self) -> None:
        if self._run is not None:
            self._run.close()
            self._run = None
        if self._storing is not None:
            await asyncio.wait([self._storing], timeout=1.0)

    def snapshot(self) -> dict[str, object]:
        """What the status shows (SPT-06)."""
        known = self.calibration
        return {
            "calibrated": known is not None,
            "way": known.way if known else "",
            "at": known.at if known else None,
            "running": self._run.test if self._run else "",
        }

    def _start(self, test: SpeakerRun) -> None:
        if self._run is not None:
            raise CommandRefused("busy", f"a {self._run.test} of the speaker is running")
        if test is SpeakerRun.TEST and self.calibration is None:
            raise CommandRefused("not_calibrated", "the speaker is not calibrated yet")
        self._run = run = _Run(self._context, test, self._ear, self._end)
        try:
            run.next()
        except CommandRefused:
            self._run = None
            run.close()
            raise

    def _end(self, run: "_Run") -> None:
        self._run = None
        run.close()
        problem = run.problem
        if not problem and run.test is SpeakerRun.CALIBRATION:
            self._keep(run)
        elif not problem and self.calibration is not None:
            problem = _difference(self.calibration, run)
        ended = "has passed" if run.test is SpeakerRun.TEST else "is done"
        logger.info("speaker %s (%s): %s", run.test, run.way, problem or ended)
        words = problem or f"the {run.test} of the speaker {ended}"
        event = SpeakerTested(test=run.test, passed=not problem, way=run.way, words=words)
        with self._context.trace.because(run.cause):
            self._context.bus.publish(event)

    def _keep(self, run: "_Run") -> None:
        """Remember how it was heard."""
        wall = self._context.clock.wall().astimezone(UTC)
        made = Calibration(way=run.way, at=wall, levels_db=tuple(run.levels_db))
        self.calibration = made
        loop = asyncio.get_running_loop()
        self._storing = loop.run_in_executor(None, self._store, msgspec.json.encode(made))

    def _store(self, text: bytes) -> None:
        files = Folder(self._folder)
        try:
            files.write(FILE + ".new", text, mode=0o644)
            files.replace(FILE, FILE + ".new")
        except OSError as error:
            logger.warning("the calibration of the speaker lasts until the end only: %s", error)


class _Run:
    """The tones, one after another."""

    def __init__(
        self, context: Context, test: SpeakerRun, ear: Ear, end: "Callable[[_Run], None]"
    ) -> None:
        self.test = test
        self.problem = ""
        self.levels_db: list[float] = []
        self.cause: Cause | None = context.trace.current
        self._context = context
        self._ear = ear
        self._end = end
        self._tone = 0
        self._timer: Handle | None = None
        self._heard: Samples = np.zeros(0, np.float32)
        self._ends_at = 0.0  # of the tone that is played
        self._witness = ear.witness(self._hear)
        self.way = SpeakerWay.LOOP_BACK if self._witness is None else SpeakerWay.ACOUSTIC

    def next(self) -> None:
        """Play the next tone. Raises CommandRefused if the speaker takes no more."""
        ring, played = SampleRing(RING), 0
        step = 2.0 * np.pi * TONES[self._tone] / SAMPLE_RATE
        gain = SINE_PEAK * gain_from_db(TONE_DB)

        def refill(count: int) -> None:
            nonlocal played
            count = min(count, ring.space)
            phases = step * np.arange(played, played + count)
            ring.write((gain * np.sin(phases)).astype(np.float32))
            played += count

        self._context.dispatcher.execute(
            AddSource(owner=OWNER, kind=SourceKind.TONE, ring=ring, rank=RANK, refill=refill)
        )
        self._ends_at = self._context.clock.now() + TONE_SECONDS
        self._look_on()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._witness is not None:
            self._witness.close()
            self._witness = None
        self._context.dispatcher.execute(RemoveSource(owner=OWNER))

    def _look_on(self) -> None:
        clock = self._context.clock
        self._timer = clock.call_at(min(clock.now() + LOOK, self._ends_at), self._look)

    def _look(self) -> None:
        if self._witness is not None:
            self._witness.read()
        if self._context.clock.now() < self._ends_at:
            self._look_on()
        else:
            self._measure()

    def _hear(self, piece: Samples) -> None:
        self._heard = np.concatenate((self._heard, piece))[-MEASURED:]

    def _measure(self) -> None:
        self._timer = None
        hertz = TONES[self._tone]
        self.problem = self._ear.problem(hertz, TONE_DB)
        if not self.problem and self.way is SpeakerWay.ACOUSTIC:
            self.problem = self._listen(hertz)
        self._tone += 1
        if not self.problem and self._tone < len(TONES):
            try:
                self.next()
                return
            except CommandRefused as refused:
                self.problem = str(refused)
        self._end(self)

    def _listen(self, hertz: float) -> str:
        if self._heard.size < MEASURED:
            return "the microphone hears nothing"
        tone = find_tone(self._heard, hertz)
        if tone.level_db < tone.rest_db + CLEAR_DB:
            return (
                f"the microphone does not hear the tone of {hertz:g} Hz: {tone.level_db:.0f} dBFS,"
                f" with {tone.rest_db:.0f} dBFS of other sound"
            )
        self.levels_db.append(round(tone.level_db - self._ear.volume_db(), 1))
        return ""


def _difference(known: Calibration, run: _Run) -> str:
    """What is otherwise than when it was calibrated; empty: nothing that matters."""
    if known.way != run.way:
        return f"the calibration was {known.way}, and this test is {run.way}: calibrate anew"
    for hertz, before, now in zip(TONES, known.levels_db, run.levels_db, strict=False):
        if before - now > OFF_DB:
            softer = f"the tone of {hertz:g} Hz is {before - now:.0f} dB softer"
            return f"{softer} than at the calibration: see what stands before it, and what is set"
    return ""
