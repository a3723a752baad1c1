"""Records calls, the speaker and the microphone (AUD-05).

Serves: StartRecording, StopRecording. Listens to: CallStateChanged, MicrophoneChanged. Publishes:
RecordingChanged, ServiceStateChanged.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.tap import Tap
from sipstrobe.clock import Handle
from sipstrobe.commands import StartRecording, StopRecording
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    CallStateChanged,
    CallStatus,
    MicrophoneChanged,
    RecordingChanged,
    ServiceStateChanged,
)
from sipstrobe.services.beside import on_loop
from sipstrobe.services.lanes import (
    MicrophoneSide,
    OurSide,
    Recordable,
    Side,
    SpeakerSide,
    TheirSide,
)
from sipstrobe.services.recording_store import NAME, Recorded, RecordingStore, WavSink
from sipstrobe.services.speech import LiveSource
from sipstrobe.services.tape import Tape

logger = logging.getLogger(__name__)

MAX_AT_ONCE: Final = 8
LONGEST: Final = 24 * 3600  # seconds
HOUR: Final = 3600  # seconds of one file of what is recorded without end, at the most …
SHARE: Final = 0.25  # … and of the quota, so that not much goes with the oldest
RETRY: Final = 10.0  # seconds after which it is tried again where it cannot begin
LOOK: Final = 5.0  # seconds between two looks at the room on the disk, while something is recorded
CLOSE_LIMIT: Final = 2.0  # seconds for the last words to be written
MEGABYTE: Final = 10**6


class Phone(Protocol):
    """What the recorder knows of the phone."""

    def recordable(self, call: str | None) -> Recordable | None:
        """This call, or the one that is active longest; None if there is none."""
        ...


class _Running(Struct, frozen=True):
    tape: Tape
    source: str
    call: str  # empty: none
    began: float  # monotonic


class Recorder:
    """Each recording is a WAV file of 16 bits: of a call, the other side on the left and what it
    is given to hear on the right, at the rate of its codec; else one channel at 48 kHz.

    A recording of a call ends with the call. The oldest recordings make room for new ones. The
    microphone may be recorded without end, one file after the other.
    """

    def __init__(
        self,
        context: Context,
        state: Path,
        phone: Phone,
        speaker: tuple[Tap, Callable[[], None]],
        listen: Callable[[], LiveSource | None],
    ) -> None:
        """speaker: what it plays, up to date after the call. listen: begins to listen to the
        microphone, None while it is off."""
        self._context = context
        self._phone = phone
        self._speaker = speaker
        self._listen = listen
        self._store = RecordingStore(state)
        self._thread = ThreadPoolExecutor(1, "recorder")
        self._running: dict[str, _Running] = {}
        self._serials = count(self._store.last_serial() + 1)
        self._quota_bytes = 0
        self._no_room = ""  # why there is none, as was last seen
        self._problem = ""
        self._timer: Handle | None = None
        self._continuously = False  # the microphone is to be recorded without end
        self._microphone_on = False
        self._endless = ""  # the recording that does
        self._retry: Handle | None = None
        self._refusal = ""  # why the next could not begin, as was last said
        self._unsubscribe = [
            context.bus.subscribe(CallStateChanged, self._note),
            context.bus.subscribe(MicrophoneChanged, self._note_microphone),
        ]
        context.dispatcher.serve(StartRecording, self._start)
        context.dispatcher.serve(StopRecording, self._stop)

    # --- settings and life ----------------------------------------------------------------------

    def apply(self, quota_mb: int, *, continuously: bool = False) -> None:
        """Keep recordings within so many megabytes from now on, and record the microphone without
        end whenever it is on, or no longer."""
        self._quota_bytes = quota_mb * MEGABYTE
        self._continuously = continuously
        self._make_room()
        self._go_on()

    async def aclose(self) -> None:
        """End all recordings, and let them be written."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._continuously = False
        for timer in (self._timer, self._retry):
            if timer is not None:
                timer.cancel()
        for running in list(self._running.values()):
            running.tape.stop()
        done = asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
        await asyncio.wait([done], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    # --- what there is --------------------------------------------------------------------------

    def snapshot(self) -> list[dict[str, Any]]:
        """The recordings that are being made."""
        now = self._context.clock.now()
        return [
            {
                "recording": name,
                "source": running.source,
                "call": running.call,
                "seconds": round(now - running.began, 1),
            }
            for name, running in self._running.items()
        ]

    async def recordings(self) -> list[Recorded]:
        """The newest first, with those that are being made. Raises OSError."""
        return await self._ask(self._store.list)

    async def delete(self, name: str) -> bool:
        """False: there is no such recording. Raises CommandRefused "recording" while it is being
        made, OSError."""
        if name in self._running:
            raise CommandRefused("recording", f"{name} is being made")
        if NAME.fullmatch(name) is None:
            return False
        return await self._ask(partial(self._store.delete, name))

    def path(self, name: str) -> Path | None:
        """The file of a recording, if it is one's name; it may be gone."""
        return self._store.path(name)

    # --- orders ---------------------------------------------------------------------------------

    def _start(self, order: StartRecording) -> str:
        if not 1 <= order.seconds <= LONGEST:
            raise CommandRefused("seconds", f"a recording lasts 1 to {LONGEST} seconds")
        if len(self._running) >= MAX_AT_ONCE:
            words = f"{MAX_AT_ONCE} recordings are being made already"
            raise CommandRefused("too_many_recordings", words)
        if self._no_room:
            self._make_room()  # somebody may have made some
            raise CommandRefused("storage_full", self._no_room)
        call, sides, rate = self._sides(order)
        name = self._name(order.source, call)
        path = self._store.path(name)
        assert path is not None
        sink = partial(WavSink, path, len(sides), SAMPLE_RATE // rate)
        tape = Tape(
            self._context.clock,
            self._thread,
            sink,
            sides,
            order.seconds,
            partial(self._ended, name),
        )
        self._running[name] = _Running(tape, order.source, call, self._context.clock.now())
        logger.info("recording %s", name)
        self._context.bus.publish(RecordingChanged(recording=name, active=True))
        self._look_on()
        return name

    def _stop(self, order: StopRecording) -> None:
        for name, running in list(self._running.items()):
            if order.recording in (None, name):
                running.tape.stop()

    def _sides(self, order: StartRecording) -> tuple[str, Sequence[Side], int]:
        """The call, the channels and their rate."""
        match order.source:
            case "speaker":
                return "", (SpeakerSide(*self._speaker),), SAMPLE_RATE
            case "microphone":
                listener = self._listen()
                if listener is None:
                    raise CommandRefused("no_microphone", "the microphone is off")
                return "", (MicrophoneSide(listener),), SAMPLE_RATE
            case "call":
                found = self._phone.recordable(order.call)
                if found is None:
                    which = (
                        "no call is" if order.call is None else f"there is no call {order.call!r}"
                    )
                    raise CommandRefused("no_call", f"{which} active")
                if any(running.call == found.call for running in self._running.values()):
                    words = f"call {found.call} is being recorded already"
                    raise CommandRefused("too_many_recordings", words)
                sides = (TheirSide(found.stream.ring), OurSide(found.stream))
                return found.call, sides, found.sample_rate

    def _name(self, source: str, call: str) -> str:
        """When, of what, and a number, since much may begin in one second."""
        stamp = self._context.clock.wall().strftime("%Y%m%dT%H%M%SZ")
        return f"{stamp}-{source}{f'-{call}' if call else ''}-{next(self._serials)}.wav"

    def _note(self, event: CallStateChanged) -> None:
        if event.state is CallStatus.TERMINATED:
            for running in list(self._running.values()):
                if running.call == event.call:
                    running.tape.stop()

    # --- without end ----------------------------------------------------------------------------

    def _note_microphone(self, event: MicrophoneChanged) -> None:
        self._microphone_on = event.on
        self._go_on()

    def _go_on(self) -> None:
        """Begin the next file, or end the last, as is wanted now."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        wanted = self._continuously and self._microphone_on
        if wanted and not self._endless:
            with self._context.trace.input("device", "recording", self._context.clock.now()):
                self._begin_next()
        elif not wanted and self._endless in self._running:
            self._running[self._endless].tape.stop()

    def _begin_next(self) -> None:
        share = int(SHARE * self._quota_bytes / (2 * SAMPLE_RATE))
        order = StartRecording(source="microphone", seconds=max(1, min(HOUR, share)))
        refusal = ""
        try:
            self._endless = self._start(order)
        except CommandRefused as refused:
            refusal = str(refused)
            self._try_later()
        if refusal and refusal != self._refusal:
            logger.warning("the microphone is not recorded: %s", refusal)
        self._refusal = refusal

    def _try_later(self) -> None:
        if self._continuously:
            self._retry = self._context.clock.call_at(
                self._context.clock.now() + RETRY, self._go_on
            )

    # --- what becomes of them -------------------------------------------------------------------

    def _ended(self, name: str, problem: str) -> None:
        del self._running[name]
        if problem:
            logger.warning("recording %s: %s", name, problem)
        with self._context.trace.input("file", name, self._context.clock.now()):
            self._context.bus.publish(RecordingChanged(recording=name, active=False))
        self._tell(problem or self._no_room)
        self._make_room()
        if name == self._endless:
            self._endless = ""
            if problem:
                self._try_later()
            else:
                self._go_on()

    def _look_on(self) -> None:
        if self._timer is None and self._running:
            at = self._context.clock.now() + LOOK
            self._timer = self._context.clock.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        self._make_room()
        self._look_on()

    def _make_room(self) -> None:
        look = partial(self._store.make_room, self._quota_bytes, tuple(self._running))
        done = self._thread.submit(look)
        done.add_done_callback(on_loop(lambda _: self._seen(done.exception() or done.result())))

    def _seen(self, found: BaseException | str) -> None:
        """Where there is no room, nothing more is recorded."""
        before, self._no_room = self._no_room, str(found)
        if self._no_room and self._running:
            logger.warning("nothing more is recorded: %s", self._no_room)
            for running in list(self._running.values()):
                running.tape.stop()
            self._tell(self._no_room)
        elif before and not self._no_room and self._problem == before:
            self._tell("")

    def _tell(self, problem: str) -> None:
        """Publish whether recordings can be made."""
        if problem == self._problem:
            return
        self._problem = problem
        with self._context.trace.input("file", "recordings", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="recorder", working=not problem, problem=problem)
            )

    async def _ask(self, step: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)
