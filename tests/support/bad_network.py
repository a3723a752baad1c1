"""A bad network between a phone and the device: loses and reorders, the same way for each seed."""

import contextlib
import random
import socket
import threading
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import monotonic

HOST = "127.0.0.1"
Flight = tuple[float, int, bytes, socket.socket, tuple[str, int]]


class BadNetwork:
    """Take datagrams on a port of its own and pass them on to another, and the answers back.

    loss: how much of both directions never arrives; reorder: how much waits `delay` seconds, so
    that later ones overtake it; rewrite: what becomes of the answers. It works in a thread of its
    own, within its `with`.
    """

    def __init__(
        self,
        to: int,
        *,
        loss: float = 0.0,
        reorder: float = 0.0,
        delay: float = 0.03,
        seed: int = 1,
        rewrite: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._chance = random.Random(seed)
        self._loss, self._reorder, self._delay = loss, reorder, delay
        self._rewrite = rewrite
        self._front, self._back = _bound(), _bound()
        self._to = (HOST, to)
        self._peer: tuple[str, int] | None = None  # who has spoken to us last
        self._flying: list[Flight] = []
        self._serials = count()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.port: int = self._front.getsockname()[1]
        self.passed = self.lost = 0

    def __enter__(self) -> "BadNetwork":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._front.close()
        self._back.close()

    def _run(self) -> None:
        while not self._over.is_set():
            for source in (self._front, self._back):
                self._take(source)
            now = monotonic()
            while self._flying and self._flying[0][0] <= now:
                _, _, data, way, to = heappop(self._flying)
                with contextlib.suppress(OSError):
                    way.sendto(data, to)
            self._over.wait(0.001)

    def _take(self, source: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, sender = source.recvfrom(65_536)
                if source is self._front:
                    self._peer = sender
                    self._pass(data, self._back, self._to)
                elif self._peer is not None:
                    self._pass(self._rewrite(data), self._front, self._peer)

    def _pass(self, data: bytes, way: socket.socket, to: tuple[str, int]) -> None:
        if self._chance.random() < self._loss:
            self.lost += 1
            return
        self.passed += 1
        waits = self._delay if self._chance.random() < self._reorder else 0.0
        heappush(self._flying, (monotonic() + waits, next(self._serials), data, way, to))


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.setblocking(False)
    return made
