"""People who talk through the device from a browser, and listen to the place where it is.

A connection stays while the page is used; what is said through it is a source of sound only while
something is said. So each time that somebody presses and speaks is one sound, with its own cause
and its own place among the others: a page, with the priority of the settings, and where a list of
places decides, that of audio streams.

Publishes nothing; who talks is in the snapshot.
"""

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples, rms_db, samples_in
from sipstrobe.audio.presence import Presence
from sipstrobe.audio.resample import Upsampler
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.clock import Handle
from sipstrobe.codecs.stretch import Warp
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.measure import Histogram
from sipstrobe.sdp.browser import read_offer
from sipstrobe.services.follower import Follower
from sipstrobe.services.speech import LiveSource

logger = logging.getLogger(__name__)

MAX_TALKERS: Final = 4
START: Final = 0.04  # seconds that sound waits before the first of it is heard
AHEAD: Final = 0.2  # seconds that wait at the most; what comes in a burst beyond them is left out
SPEAKING_DB: Final = -60.0  # RMS from which on something is said; a muted microphone is far below
PAUSE: Final = 1.0  # seconds of less than that until nothing more is said
CONNECT_LIMIT: Final = 15.0  # seconds from the answer until there is a connection
SILENCE_LIMIT: Final = 300.0  # seconds without a word, for those who do not listen
NOTHING_LIMIT: Final = 5.0  # seconds without a packet from those who talk
LONGEST: Final = 4 * 3600.0  # seconds of one connection
CHECK: Final = 1.0  # seconds from one look at a connection to the next
PIECE: Final = samples_in(0.02)  # of the microphone, at a time
LATE: Final = 0.06  # seconds by which the microphone may be behind; what is older is left out
GONE: Final = frozenset({"failed", "closed"})  # states of a connection
FRAMES_MAX: Final = 400  # from one look to the next; a sound has 50 a second


class Line(Protocol):
    """A connection with a browser, as io.webrtc makes them."""

    @property
    def answer(self) -> str: ...
    def say(self, samples: Samples) -> None: ...
    async def close(self) -> None: ...


class Lines(Protocol):
    """What makes them."""

    async def open(
        self,
        offer: str,
        *,
        speaks: bool,
        heard: Callable[[Samples, int], None],
        changed: Callable[[str], None],
    ) -> Line: ...
    async def aclose(self) -> None: ...


class Begun(NamedTuple):
    """What a browser is answered. words: why it hears nothing though it wants to; else empty."""

    id: str
    sdp: str
    listening: bool
    words: str


class Talk:
    """All who talk and listen from browsers."""

    def __init__(
        self,
        context: Context,
        lines: Lines,
        is_on: Callable[[], bool],
        listen: Callable[[], LiveSource | None],
    ) -> None:
        """is_on: whether there is a microphone. listen: begins to listen to it."""
        self._context = context
        self._lines = lines
        self._is_on = is_on
        self._listen = listen
        self._rank = 5
        self._talkers: dict[str, _Talker] = {}
        self._opening = 0
        self._ids = count(1)
        self._closing: set[asyncio.Task[None]] = set()
        self._delay = context.measures.histogram(
            "talk_waiting_seconds", "What waits of a browser's sound before it is played"
        )

    def apply(self, priority: int) -> None:
        """Have what is said this priority from now on."""
        self._rank = priority

    async def open(self, offer: str, who: str, address: str, still: Callable[[], bool]) -> Begun:
        """Answer a browser. still: whether whoever asks may go on, looked at each second.

        Raises CommandRefused: too_many_talkers, not_available, no_answer; RemoteProtocolError for
        what is no offer.
        """
        wanted = read_offer(offer)
        if not (wanted.sends or wanted.receives):
            raise RemoteProtocolError("the offer neither sends nor receives")
        if len(self._talkers) + self._opening >= MAX_TALKERS:
            raise CommandRefused("too_many_talkers", f"{MAX_TALKERS} talk or listen already")
        listening = wanted.receives and self._is_on()
        talker = _Talker(
            self._context, f"talk-{next(self._ids)}", who, address, lambda: self._rank, self._delay
        )
        self._opening += 1
        try:
            line = await self._lines.open(
                wanted.sdp, speaks=listening, heard=talker.hear, changed=talker.change
            )
        except ImportError as error:
            raise CommandRefused("not_available", f"talk needs aiortc: {error}") from None
        except TimeoutError:
            raise CommandRefused("no_answer", "no answer could be made in time") from None
        finally:
            self._opening -= 1
        self._talkers[talker.id] = talker
        talker.on_end = lambda: self._end(talker)
        talker.begin(line, self._listen if listening else None, still, sends=wanted.sends)
        logger.info("%s (%s) talks from a browser as %s", who, address, talker.id)
        words = "the microphone is off" if wanted.receives and not listening else ""
        return Begun(talker.id, line.answer, listening, words)

    def close(self, talker: str) -> bool:
        """End a connection; False: there is no such."""
        found = self._talkers.get(talker)
        if found is None:
            return False
        self._end(found)
        return True

    def snapshot(self) -> list[dict[str, Any]]:
        """Who is connected: id, who, address, state, talking, listening, level_db, seconds."""
        return [talker.snapshot() for talker in self._talkers.values()]

    async def aclose(self) -> None:
        """Everybody is parted from."""
        for talker in tuple(self._talkers.values()):
            self._end(talker)
        if self._closing:
            await asyncio.wait(tuple(self._closing))
        await self._lines.aclose()

    def _end(self, talker: "_Talker") -> None:
        del self._talkers[talker.id]
        line = talker.end()
        closing = asyncio.get_running_loop().create_task(line.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class _Talker:
    """One connection: what comes of it, and what it is given to hear."""

    def __init__(
        self,
        context: Context,
        name: str,
        who: str,
        address: str,
        rank: Callable[[], int],
        delay: Histogram,
    ) -> None:
        self.id = name
        self.on_end: Callable[[], None] = lambda: None
        self._rank = rank
        self._context = context
        self._clock = context.clock
        self._who = who
        self._address = address
        self._delay = delay
        self._state = "connecting"
        self._began = self._clock.now()
        self._line: Line | None = None
        self._still: Callable[[], bool] = lambda: True
        self._sends = False
        self._microphone: LiveSource | None = None
        self._utterance: _Utterance | None = None
        self._presence = Presence(SPEAKING_DB, PAUSE)
        self._upsampler: Upsampler | None = None
        self._rate = 0
        self._newest: Samples | None = None
        self._before: Samples | None = None  # what came last, unheard so far
        self._said_at = self._came_at = self._began
        self._frames = 0
        self._check: Handle | None = None
        self._piece: Handle | None = None
        self._due = 0.0

    def begin(
        self,
        line: Line,
        listen: Callable[[], LiveSource | None] | None,
        still: Callable[[], bool],
        *,
        sends: bool,
    ) -> None:
        self._line, self._still, self._sends = line, still, sends
        self._look_on()
        if listen is not None:
            self._microphone = listen()
            self._due = self._clock.now()
            self._give()

    def end(self) -> Line:
        """Say and hear no more; the line is to be closed."""
        for timer in (self._check, self._piece):
            if timer is not None:
                timer.cancel()
        if self._microphone is not None:
            self._microphone.close()
        self._stop()
        self._state = "closed"
        assert self._line is not None
        return self._line

    def snapshot(self) -> dict[str, Any]:
        newest = self._newest
        return {
            "id": self.id,
            "who": self._who,
            "address": self._address,
            "state": self._state,
            "talking": self._utterance is not None,
            "listening": self._microphone is not None,
            "level_db": SILENCE_DB if newest is None else round(rms_db(newest), 1),
            "seconds": round(self._clock.now() - self._began, 1),
        }

    # --- what the connection says ---------------------------------------------------------------

    def change(self, state: str) -> None:
        """The connection has another state."""
        if self._state == "closed":
            return
        self._state = state
        if state == "connected":
            self._came_at = self._clock.now()
        if state in GONE:
            logger.info("%s: the connection with the browser is %s", self.id, state)
            self.on_end()

    def hear(self, samples: Samples, rate: int) -> None:
        """A frame of sound has come."""
        self._frames += 1
        now = self._came_at = self._clock.now()
        if self._state == "closed" or self._frames > FRAMES_MAX or not samples.size:
            return
        self._newest = samples
        self._presence.hear(float(samples.dot(samples)) / samples.size, now=now)
        block = self._raised(samples, rate)
        if self._presence.at(now):
            self._said_at = now
            self._say(block, now)
        else:
            self._before = block
            self._stop()

    def _raised(self, samples: Samples, rate: int) -> Samples:
        """The same at 48 kHz. rate: 8, 16 or 48 kHz, those of the codecs that aiortc has."""
        if rate == SAMPLE_RATE:
            return samples
        if self._upsampler is None or rate != self._rate:
            self._upsampler, self._rate = Upsampler(SAMPLE_RATE // rate), rate
        return self._upsampler.process(samples)

    # --- to the speaker -------------------------------------------------------------------------

    def _say(self, block: Samples, now: float) -> None:
        if self._utterance is None:
            utterance = _Utterance(now)
            with self._context.trace.input("webrtc", f"{self._who} talks", now):
                try:
                    self._context.dispatcher.execute(
                        AddSource(
                            owner=self.id,
                            kind=SourceKind.PAGE,
                            ring=utterance.ring,
                            rank=self._rank(),
                            streamed=True,
                        )
                    )
                except CommandRefused as refused:
                    logger.warning("%s cannot be heard: %s", self.id, refused)
                    return
            self._utterance = utterance
            utterance.begin(self._before)
        self._utterance.play(block, now)
        self._delay.record(self._utterance.ring.fill / SAMPLE_RATE)

    def _stop(self) -> None:
        """Nothing more is said; what waits is still heard."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        utterance.ring.ended = True
        with self._context.trace.input("webrtc", f"{self._who} is silent", self._clock.now()):
            self._context.dispatcher.execute(RemoveSource(owner=self.id))

    # --- to the browser -------------------------------------------------------------------------

    def _give(self) -> None:
        """What the microphone hears, in real time."""
        microphone, line = self._microphone, self._line
        assert microphone is not None
        assert line is not None
        now = self._clock.now()
        self._due = max(self._due, now - LATE)
        while self._due <= now:
            heard = microphone(PIECE)
            line.say(np.zeros(PIECE, np.float32) if heard is None else heard)
            self._due += PIECE / SAMPLE_RATE
        self._piece = self._clock.call_at(self._due, self._give)

    # --- its end --------------------------------------------------------------------------------

    def _look_on(self) -> None:
        self._frames = 0
        self._check = self._clock.call_at(self._clock.now() + CHECK, self._look)

    def _look(self) -> None:
        words = self._over(self._clock.now())
        if not words:
            self._look_on()
            return
        logger.info("%s is parted from: %s", self.id, words)
        self.on_end()

    def _over(self, now: float) -> str:
        """Why it must end; empty: it need not."""
        if not self._still():
            return "the session is over"
        if self._state != "connected":
            return "no connection came about" if now - self._began > CONNECT_LIMIT else ""
        if now - self._began > LONGEST:
            return "it has lasted long enough"
        if self._sends and now - self._came_at > NOTHING_LIMIT:
            return "nothing comes"
        if self._microphone is None and now - self._said_at > SILENCE_LIMIT:
            return "nothing was said for long"
        if self._frames > FRAMES_MAX:
            return "too much comes"
        return ""


class _Utterance:
    """What is said from one press to the next, as it goes into the ring."""

    def __init__(self, now: float) -> None:
        self.ring = SampleRing(samples_in(AHEAD + START))
        self._warp = Warp()
        self._follower = Follower(much=2 * samples_in(START), little=samples_in(START / 2))
        self._follower.restart(now)

    def begin(self, before: Samples | None) -> None:
        """What came just before it was loud enough is the beginning of the word."""
        self._fill(before)

    def play(self, block: Samples, now: float) -> None:
        if not self.ring.fill:  # it has run dry: wait anew
            self._fill(None)
            self._follower.restart(now)
        self._follower.see(self.ring.fill, now)
        if self.ring.fill <= samples_in(AHEAD):
            self.ring.write(self._warp.process(block, self._follower.speed))

    def _fill(self, before: Samples | None) -> None:
        cushion = np.zeros(samples_in(START), np.float32)
        if before is not None:
            last = before[-cushion.size :]
            cushion[cushion.size - last.size :] = last
        self.ring.write(cushion)
