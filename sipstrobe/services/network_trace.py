"""A trace of what the device says and hears: SIP, RTP and RTCP, for other programs to look into
(checklist LOG-05).

What comes over TCP, TLS or a WebSocket is written as if each SIP message were a datagram, since
that is what can be read. Media that are encrypted stay so. The file may hold passwords' digests,
keys and voices, and is gone when the device starts.
"""

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.io import pcap
from sipstrobe.io.udp import Endpoint, Tap, local_address_for
from sipstrobe.sip.transport import Flow

logger = logging.getLogger(__name__)

FILE: Final = "trace.pcap"
LONGEST: Final = 300  # seconds
MAX_BYTES: Final = 32 << 20  # of the file; then the trace ends
WAITING_MAX: Final = 4 << 20  # bytes that wait for the disk; of more, packets are lost
FLUSH: Final = 0.25  # seconds between two writes

_Packet = tuple[float, Endpoint, Endpoint, bool, bytes]  # at, ours, theirs, sent


class NetworkTrace:
    """Writes while somebody has asked for it; else costs a question a packet."""

    def __init__(self, context: Context, folder: Path, media: Tap) -> None:
        """media: by which the sockets of calls and pages tell what goes through them."""
        self._context = context
        self._clock = context.clock
        self._path = folder / FILE
        self._media = media
        self._thread = ThreadPoolExecutor(1, "trace")
        self._turn = asyncio.Lock()  # of orders, which wait for the thread
        self._packets: list[_Packet] = []
        self._waiting = 0  # bytes
        self._timer: Handle | None = None
        self._began = self._until = 0.0  # monotonic
        self._wall = 0.0  # seconds since 1970 at monotonic 0
        self._began_wall: str | None = None
        self.running = False
        self._told = 0
        self._lost = 0
        self._size = 0
        self._words = ""

    # --- orders ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """What an earlier run has left is removed."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def start(self, seconds: int) -> None:
        """Begin a trace, in place of the last one. Raises CommandRefused "running", OSError."""
        async with self._turn:
            if self.running:
                raise CommandRefused("running", "a trace is being made already")
            self.running = True
            try:
                await self._do(self._create)
            except BaseException:
                self.running = False
                raise
            self._begin(seconds)
        logger.warning("a network trace of %d s begins: it may hold secrets and voices", seconds)

    async def stop(self) -> None:
        """End it now; the file stays."""
        async with self._turn:
            await self._stop()

    async def remove(self) -> None:
        """End it, and forget the file."""
        async with self._turn:
            await self._stop()
            self._began_wall, self._told, self._size = None, 0, 0
            await self._do(lambda: self._path.unlink(missing_ok=True))

    async def aclose(self) -> None:
        await self.stop()
        self._thread.shutdown(wait=False)

    def _begin(self, seconds: int) -> None:
        now, wall = self._clock.now(), self._clock.wall()
        self._began, self._until = now, now + seconds
        self._wall, self._began_wall = wall.timestamp() - now, wall.isoformat(timespec="seconds")
        self._told = self._lost = 0
        self._size, self._words = len(pcap.HEADER), ""
        self._media.sink = self._datagram
        self._timer = self._clock.call_at(now + FLUSH, self._flush)

    async def _stop(self) -> None:
        if self.running:
            self._end("stopped")
            await self._do(lambda: None)  # what was handed over is on the disk

    # --- what is seen ---------------------------------------------------------------------------

    @property
    def path(self) -> Path | None:
        """The file of a trace that has ended; None: there is none."""
        return None if self.running or self._began_wall is None else self._path

    def snapshot(self) -> dict[str, Any]:
        left = max(0.0, self._until - self._clock.now()) if self.running else 0.0
        return {
            "running": self.running,
            "began": self._began_wall,
            "seconds_left": round(left, 1),
            "packets": self._told,
            "lost": self._lost,
            "bytes": self._size,
            "words": self._words,
        }

    def message(self, data: bytes, flow: Flow, *, sent: bool) -> None:
        """A SIP message that has come or goes."""
        if self.running:
            ours, theirs = flow.local, flow.remote
            self._add(
                self._clock.now(), (ours.host, ours.port), (theirs.host, theirs.port), sent, data
            )

    def _datagram(self, port: int, peer: Endpoint, data: bytes, received_at: float | None) -> None:
        """One of media; received_at: None if it is sent."""
        at = self._clock.now() if received_at is None else received_at
        self._add(at, ("", port), peer, received_at is None, data)

    def _add(self, at: float, ours: Endpoint, theirs: Endpoint, sent: bool, data: bytes) -> None:
        if self._waiting > WAITING_MAX:
            self._lost += 1
            return
        self._told += 1
        self._waiting += len(data)
        self._packets.append((at, ours, theirs, sent, data))

    # --- the file -------------------------------------------------------------------------------

    def _flush(self) -> None:
        now = self._clock.now()
        if now >= self._until:
            self._end("the time is up")
        elif self._size >= MAX_BYTES:
            self._end(f"the file has {MAX_BYTES >> 20} MB, which is as much as it may have")
        else:
            self._hand_over()
            self._timer = self._clock.call_at(min(now + FLUSH, self._until), self._flush)

    def _hand_over(self) -> None:
        packets, self._packets = self._packets, []
        self._waiting = 0
        if packets:
            writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write, packets)
            writing.add_done_callback(self._written)

    def _end(self, words: str) -> None:
        self.running = False
        self._media.sink = None
        self._words = self._words or words
        if self._timer is not None:
            self._timer.cancel()
        self._hand_over()
        logger.info("the network trace has ended: %s", self._words)

    def _written(self, writing: "asyncio.Future[int]") -> None:
        if writing.cancelled():
            return
        if (error := writing.exception()) is not None:
            self._words = f"it could not be written: {error}"
            if self.running:
                self._end(self._words)
        else:
            self._size += writing.result()

    async def _do(self, work: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- the thread -----------------------------------------------------------------------------

    def _create(self) -> None:
        self._path.unlink(missing_ok=True)
        with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pcap.HEADER)

    def _write(self, packets: list[_Packet]) -> int:
        """How many bytes they have taken."""
        records: list[bytes] = []
        for at, ours, theirs, sent, data in packets:
            with suppress(ValueError):  # of a name that was looked up elsewhere
                here = (ours[0] or _ours_towards(theirs[0]), ours[1])
                source, to = (here, theirs) if sent else (theirs, here)
                records.append(pcap.record(self._wall + at, source, to, data))
        data = b"".join(records)
        with self._path.open("ab") as file:
            file.write(data)
        return len(data)


@lru_cache(256)
def _ours_towards(host: str) -> str:
    """The address of ours that a packet to this one leaves from."""
    try:
        return local_address_for(host)
    except OSError:
        return "::" if ":" in host else "0.0.0.0"  # noqa: S104
