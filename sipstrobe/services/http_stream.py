"""Live sound that somebody sends over HTTP, from the connection to the speaker (GAP-16).

TCP loses nothing, so there is neither a jitter buffer nor concealment. Sound waits a little before
it is played, and again whenever it has run dry. It is read no faster than it is played: who sends
faster, such as a file, is held up by his connection. Who sends in real time has a clock of his own,
which is followed by playing up to 0.3 % faster or slower.

Publishes: StreamStateChanged.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples, rms_db, samples_in
from sipstrobe.audio.resample import Upsampler
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.codecs.base import Decoder
from sipstrobe.codecs.registry import CODECS
from sipstrobe.codecs.stretch import Warp
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import PageState, StreamStateChanged
from sipstrobe.services.follower import Follower

logger = logging.getLogger(__name__)

OWNER: Final = "stream"
RANK: Final = 5  # that of calls and pages
START: Final = 0.12  # seconds that sound waits before the first of it is heard
AHEAD: Final = 0.5  # seconds that are read ahead of what is played
STALLED: Final = 1.0  # seconds in which LEAST of sound must come
LEAST: Final = 0.1
HELD_UP: Final = 5.0  # seconds for which the speaker may take nothing
PIECE: Final = 0.1  # seconds that are decoded at a time
LONGEST_TYPE: Final = 64  # characters of a media type that are repeated to people

_SILENCE: Final = np.zeros(samples_in(START), np.float32)


class Encoding(NamedTuple):
    """How sound is written. rate: samples a second, whatever the codec has elsewhere."""

    codec: str
    rate: int
    samples: int  # in an octet


ENCODINGS: Final[Mapping[str, Encoding]] = {
    "audio/basic": Encoding("PCMU", 8000, 1),  # RFC 2046 §4.3
    "audio/axis-mulaw-128": Encoding("PCMU", 16000, 1),
    "audio/g726-32": Encoding("G726-32", 8000, 2),  # RFC 3551 §4.5.4
}


class _Transmission:
    """What comes from one sender, as it goes into the ring."""

    def __init__(self, encoding: Encoding, now: float) -> None:
        self.ring = SampleRing(samples_in(START + AHEAD + PIECE))
        self.newest: Samples | None = None
        self._encoding = encoding
        self._decoder: Decoder = CODECS[encoding.codec].decoder()
        self._upsampler = Upsampler(SAMPLE_RATE // encoding.rate)
        self._warp = Warp()
        self._follower = Follower(much=samples_in(START), little=samples_in(START / 3))
        self._follower.restart(now)

    def seconds(self, octets: int) -> float:
        return octets * self._encoding.samples / self._encoding.rate

    def octets(self, seconds: float) -> int:
        return round(seconds * self._encoding.rate / self._encoding.samples)

    def play(self, data: bytes, now: float) -> None:
        """The next sound, PIECE at most; the ring has room for it."""
        if self.ring.fill:
            self._follower.see(self.ring.fill, now)
        else:
            self.ring.write(_SILENCE)
            self._follower.restart(now)
        self.newest = block = self._decoder.decode(data)
        raised = self._upsampler.process(block)
        self.ring.write(self._warp.process(raised, self._follower.speed))

    def held_up(self, now: float) -> None:
        """The sender has had to wait."""
        self._follower.restart(now)
        self._follower.speed = 0.0


class HttpStream:
    """The sound of one sender at a time."""

    def __init__(self, context: Context) -> None:
        self.state = PageState.IDLE
        self._context = context
        self._clock = context.clock
        self._transmission: _Transmission | None = None
        self._sender = ""  # the last one
        self._type = ""

    async def transmit(self, content_type: str, sender: str, content: AsyncIterator[bytes]) -> None:
        """Play what comes until it ends or breaks off, and then what of it is still to be heard.

        content_type: a media type of ENCODINGS. sender: as people are told. Raises CommandRefused:
        unknown_type, busy, too_many_sources; later stalled, when it does not go on, and not_heard,
        when the speaker does not.
        """
        media_type = content_type.partition(";")[0].strip().lower()
        encoding = ENCODINGS.get(media_type)
        if encoding is None or not CODECS[encoding.codec].usable:
            words = f"{media_type[:LONGEST_TYPE]!r} is none of {', '.join(ENCODINGS)}"
            raise CommandRefused("unknown_type", words)
        if self._transmission is not None:
            raise CommandRefused("busy", f"{self._sender} transmits already")
        transmission = _Transmission(encoding, self._clock.now())
        with self._heard(transmission, media_type, sender):
            with suppress(RemoteProtocolError):  # as most senders end: the connection is closed
                await self._play(transmission, content)
            transmission.ring.ended = True
            await self._pause(transmission.ring.fill / SAMPLE_RATE)

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows; sender and type are those of the last one."""
        transmission = self._transmission
        newest = None if transmission is None else transmission.newest
        waiting = 0 if transmission is None else transmission.ring.fill
        return {
            "state": self.state.value,
            "sender": self._sender,
            "type": self._type,
            "level_db": SILENCE_DB if newest is None else round(rms_db(newest), 1),
            "waiting_ms": round(1000 * waiting / SAMPLE_RATE),
        }

    @contextmanager
    def _heard(self, transmission: _Transmission, media_type: str, sender: str) -> Generator[None]:
        """The speaker has it meanwhile."""
        self._transmission, self._sender, self._type = transmission, sender, media_type
        order = AddSource(
            owner=OWNER,
            kind=SourceKind.PAGE,
            ring=transmission.ring,
            rank=RANK,
            streamed=True,
            on_heard=self._hear,
        )
        try:
            self._context.dispatcher.execute(order)
            logger.info("%s transmits %s", sender, media_type)
            yield
        finally:
            self._transmission = None
            self._context.dispatcher.execute(RemoveSource(owner=OWNER))
            self._show(PageState.IDLE)

    async def _play(self, transmission: _Transmission, content: AsyncIterator[bytes]) -> None:
        """Piece by piece, none before there is room for it."""
        size = transmission.octets(PIECE)
        left, come = STALLED, 0.0
        while True:
            since = self._clock.now()
            data = await self._next(content, left)
            if not data:
                return
            left -= self._clock.now() - since
            come += transmission.seconds(len(data))
            if come >= LEAST:
                left, come = STALLED, 0.0
            for start in range(0, len(data), size):
                await self._room(transmission)
                transmission.play(data[start : start + size], self._clock.now())

    async def _room(self, transmission: _Transmission) -> None:
        """Until PIECE more is not too far ahead."""
        ring, allowed = transmission.ring, samples_in(AHEAD - PIECE)
        if ring.fill <= allowed:
            return
        deadline = self._clock.now() + HELD_UP
        while (surplus := ring.fill - allowed) > 0:
            if self._clock.now() >= deadline:
                raise CommandRefused("not_heard", "the speaker takes nothing")
            await self._pause(surplus / SAMPLE_RATE)
        transmission.held_up(self._clock.now())

    async def _next(self, content: AsyncIterator[bytes], limit: float) -> bytes:
        """What comes next; empty: it has ended."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as timeout:
                timer = self._clock.call_at(
                    self._clock.now() + limit, lambda: timeout.reschedule(loop.time())
                )
                try:
                    return await anext(content, b"")
                finally:
                    timer.cancel()
        except TimeoutError:
            raise CommandRefused("stalled", "the sound does not go on") from None

    async def _pause(self, seconds: float) -> None:
        over = asyncio.Event()
        timer = self._clock.call_at(self._clock.now() + seconds, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()

    def _hear(self, heard: bool) -> None:
        """The speaker says whether it is heard."""
        self._show(PageState.ACTIVE if heard else PageState.HIDDEN)

    def _show(self, state: PageState) -> None:
        before, self.state = self.state, state
        if state is not before:
            self._context.bus.publish(StreamStateChanged(state=state, sender=self._sender))
