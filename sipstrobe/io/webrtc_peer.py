"""One connection with a browser by aiortc. Imported, and run, in the thread of io.webrtc only.

aiortc's own default names a public STUN server: the list is always given, and empty.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

from sipstrobe.errors import RemoteProtocolError

for _name in ("aiortc", "aioice"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # their INFO is about each check

SAMPLE_RATE: Final = 48000  # of what the browser is given to hear
WAITING_MAX: Final = 5  # blocks for the browser; of more the oldest go
OPEN_LIMIT: Final = 5.0  # seconds until there is an answer
CLOSE_LIMIT: Final = 1.0
_FULL_SCALE: Final = np.float32(32768.0)

Heard = Callable[[NDArray[np.float32], int], None]
Changed = Callable[[str], None]


class Peer:
    """heard: told of each frame of sound, one channel, with its sample rate. changed: told of the
    states connected, failed and closed. Both are called in this thread."""

    def __init__(self, heard: Heard, changed: Changed) -> None:
        self._heard = heard
        self._changed = changed
        self._voice = Voice()
        self._listening: asyncio.Task[None] | None = None
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("track", self._listen)
        self._connection.on("connectionstatechange", self._tell)

    async def answer(self, offer: str, *, speaks: bool) -> str:
        """The answer to an offer; speaks: the browser is given something to hear.

        Raises RemoteProtocolError for an offer that cannot be answered.
        """
        connection = self._connection
        if speaks:
            connection.addTrack(self._voice)
        try:
            async with asyncio.timeout(OPEN_LIMIT):
                description = RTCSessionDescription(sdp=offer, type="offer")
                await connection.setRemoteDescription(description)
                made = await connection.createAnswer()
                assert made is not None
                await connection.setLocalDescription(made)
        except Exception as error:  # whatever a parser of others makes of a stranger's text
            await self.close()
            words = f"the offer cannot be answered: {type(error).__name__}"
            raise RemoteProtocolError(words) from error
        return connection.localDescription.sdp

    def say(self, samples: NDArray[np.int16]) -> None:
        """20 ms for the browser to hear."""
        self._voice.say(samples)

    async def close(self) -> None:
        """Part from the browser."""
        if self._listening is not None:
            self._listening.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_LIMIT):
                await self._connection.close()

    def _tell(self) -> None:
        self._changed(self._connection.connectionState)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._listening = asyncio.ensure_future(self._hear(track))

    async def _hear(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                self._take(await track.recv())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]

    def _take(self, frame: object) -> None:
        if isinstance(frame, AudioFrame):
            self._heard(_mono(frame), frame.sample_rate)


class Voice(MediaStreamTrack):
    """What the browser is given to hear, block by block as it comes."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._blocks: asyncio.Queue[NDArray[np.int16]] = asyncio.Queue(WAITING_MAX)
        self._samples = 0

    def say(self, samples: NDArray[np.int16]) -> None:
        if self._blocks.full():
            self._blocks.get_nowait()
        self._blocks.put_nowait(samples)

    async def recv(self) -> AudioFrame:
        samples = await self._blocks.get()
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.time_base = Fraction(1, SAMPLE_RATE)
        frame.pts = self._samples
        self._samples += samples.size
        return frame


def _mono(frame: AudioFrame) -> NDArray[np.float32]:
    """Its channels mixed to one; aiortc's decoders give 16 bits, channels alternating."""
    channels = len(frame.layout.channels)
    samples = frame.to_ndarray().reshape(-1, channels).astype(np.float32)
    return samples.mean(axis=1, dtype=np.float32) / _FULL_SCALE
