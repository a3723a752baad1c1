"""Listen live to the microphone until whoever listens goes (AUD-05): as a WAV file, or bare G.711.

Publishes: LiveStreamChanged.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.resample import Downsampler
from sipstrobe.codecs.g711 import PCMU
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import LiveStreamChanged
from sipstrobe.io.wavfile import endless_header
from sipstrobe.services.speech import LiveSource

PIECE: Final = 0.02  # seconds of sound that are asked for at a time
PIECES: Final = 5  # that are sent at a time
LATE: Final = 0.04  # by which whoever listens may be behind; what is older is left out
MAX_LISTENERS: Final = 4


class _Wav:
    """One channel of 16 bits at 48 kHz."""

    head = endless_header(SAMPLE_RATE)

    def encode(self, samples: Samples) -> bytes:
        return np.rint(samples * np.float32(32767.0)).astype("<i2").tobytes()


class _Basic:
    """audio/basic, RFC 2046 §4.3: G.711 µ-law at 8 kHz, and nothing else."""

    head = b""

    def __init__(self) -> None:
        self._downsampler = Downsampler(SAMPLE_RATE // PCMU.sample_rate)
        self._encoder = PCMU.encoder("")

    def encode(self, samples: Samples) -> bytes:
        return self._encoder.encode(self._downsampler.process(samples))


class Listening:
    """Those who listen over the network."""

    def __init__(
        self, context: Context, is_on: Callable[[], bool], listen: Callable[[], LiveSource | None]
    ) -> None:
        """is_on: whether there is a microphone. listen: begins to listen to it; None while it is
        off."""
        self._context = context
        self._clock = context.clock
        self._is_on = is_on
        self._listen = listen
        self.listeners = 0

    def open(self, *, basic: bool = False) -> AsyncGenerator[bytes]:
        """What is heard, as it is heard: a WAV file of 16 bits at 48 kHz, or `audio/basic`. Begins
        when it is first asked, and ends when it is closed.

        Raises CommandRefused: no_microphone, too_many_listeners.
        """
        if self.listeners >= MAX_LISTENERS:
            raise CommandRefused("too_many_listeners", f"{MAX_LISTENERS} listen already")
        if not self._is_on():
            raise CommandRefused("no_microphone", "the microphone is off")
        return self._hear(_Basic() if basic else _Wav())

    async def _hear(self, form: _Wav | _Basic) -> AsyncGenerator[bytes]:
        if self.listeners >= MAX_LISTENERS:  # that have come meanwhile
            return
        source = self._listen()
        if source is None:
            return
        self._count(1)
        try:
            if form.head:
                yield form.head
            due = self._clock.now()
            while True:
                samples = np.zeros((PIECES, samples_in(PIECE)), np.float32)
                began = max(due, self._clock.now() - LATE)
                due = began + PIECES * PIECE
                for n, piece in enumerate(samples, 1):
                    await self._until(began + n * PIECE)
                    heard = source(piece.size)
                    if heard is not None:
                        piece[:] = heard
                yield form.encode(samples.reshape(-1))
        finally:
            self._count(-1)
            source.close()

    def _count(self, by: int) -> None:
        before = self.listeners
        self.listeners += by
        active = self.listeners > 0
        if active is not (before > 0):
            with self._context.trace.input("http", "live stream", self._clock.now()):
                self._context.bus.publish(LiveStreamChanged(active=active))

    async def _until(self, when: float) -> None:
        if when <= self._clock.now():
            await asyncio.sleep(0)
            return
        over = asyncio.Event()
        timer = self._clock.call_at(when, over.set)
        try:
            await over.wait()
        finally:
            timer.cancel()
