"""The other process of `benchmarks.paging`: it speaks to multicast groups, and says when it did."""

import multiprocessing
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from queue import Empty
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.registry import CODECS
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp
from sipstrobe.services.page_stream import STATIC

SPIN: Final = 0.0003  # seconds before an instant in which it is not slept any more
BEGINNING: Final = 0.2  # seconds until the first packet
DYNAMIC: Final = 97
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Page:
    """Somebody speaks to a group. start: in seconds; sound: at the codec's rate; ptime: seconds of
    it in a packet."""

    address: tuple[str, int]
    start: float
    sound: NDArray[np.float32]
    codec: str = "L16/48000"
    ptime: float = 0.010


@dataclass
class Sent:
    """What has become of a page, in monotonic seconds."""

    packets: list[float] = field(default_factory=list[float])
    bye: float = 0.0


class Sender:
    """Says pages, each with a BYE at the end of its sound, from a process of its own."""

    def __init__(self, pages: list[Page]) -> None:
        self._told: Queue[list[Sent]] = _SPAWN.Queue()
        self._process = _SPAWN.Process(target=_say, args=(pages, self._told), daemon=True)
        self._process.start()

    def sent(self) -> list[Sent]:
        """Of each page; waits for the end."""
        while True:
            try:
                found = self._told.get(timeout=1.0)
            except Empty:
                if not self._process.is_alive():
                    raise RuntimeError("the sender has ended without a word") from None
            else:
                self._process.join()
                return found


class Crowd:
    """Many who speak without end: packets of 20 ms of G.711, evenly spread over that time."""

    def __init__(self, addresses: list[tuple[str, int]], seconds: float) -> None:
        self._process = _SPAWN.Process(target=_murmur, args=(addresses, seconds), daemon=True)
        self._process.start()

    def end(self) -> None:
        self._process.terminate()
        self._process.join()


def _say(pages: list[Page], told: "Queue[list[Sent]]") -> None:
    wanted = sorted(
        (page.start + n * page.ptime, which, data)
        for which, page in enumerate(pages)
        for n, data in enumerate((*_packets(page, which), b""))
    )
    found = [Sent() for _ in pages]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        began = time.monotonic() + BEGINNING
        for offset, which, data in wanted:
            _wait(began + offset)
            host, port = pages[which].address
            if data:
                sender.sendto(data, (host, port))
                found[which].packets.append(time.monotonic())
            else:
                bye = rtcp.compound([rtcp.Report(which), rtcp.Bye((which,))])
                sender.sendto(bye, (host, port + 1))
                found[which].bye = time.monotonic()
    told.put(found)


def _packets(page: Page, ssrc: int) -> Iterable[bytes]:
    codec = CODECS[page.codec]
    encoder, size = codec.encoder(""), round(page.ptime * codec.sample_rate)
    units = round(page.ptime * codec.clock_rate)
    kinds = {name: number for number, name in STATIC.items()}
    for n, at in enumerate(range(0, page.sound.size - size + 1, size)):
        payload = encoder.encode(page.sound[at : at + size])
        yield rtp.build(kinds.get(page.codec, DYNAMIC), not n, n, n * units, ssrc, payload)


def _murmur(addresses: list[tuple[str, int]], seconds: float) -> None:
    ptime = 0.020
    sound = (0.1 * np.sin(np.arange(8000 * ptime) * 0.7)).astype(np.float32)
    payload = CODECS["PCMU"].encoder("").encode(sound)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        began = time.monotonic()
        for n in range(round(seconds / ptime)):
            for which, address in enumerate(addresses):
                due = began + (n + which / len(addresses)) * ptime
                if (wait := due - time.monotonic()) > SPIN:
                    time.sleep(wait)
                data = rtp.build(0, not n, n & 0xFFFF, n * sound.size, which, payload)
                sender.sendto(data, address)


def _wait(due: float) -> None:
    if (early := due - time.monotonic() - SPIN) > 0.0:
        time.sleep(early)
    while time.monotonic() < due:
        pass
