"""Browsers that are none: connections for the talk service, and what they say and were told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sipstrobe.audio.format import Samples

OFFER = "\r\n".join(
    (
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=rtcp-mux",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=mid:0",
        "a=sendonly",
        "a=rtpmap:111 opus/48000/2",
        "a=candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host",
        "a=candidate:2 1 udp 2113937151 0c9b-4e.local 50001 typ host",
        "a=candidate:3 1 tcp 1518280447 192.0.2.9 9 typ host tcptype active",
        "",
    )
)


@dataclass
class FakeLine:
    """One connection, as the browser at its other end."""

    offer: str
    speaks: bool
    heard: Callable[[Samples, int], None]
    changed: Callable[[str], None]
    answer: str = "v=0 answer"
    said: list[Samples] = field(default_factory=list[Samples])
    closed: bool = False

    def say(self, samples: Samples) -> None:
        self.said.append(samples)

    async def close(self) -> None:
        self.closed = True

    def tone(self, level: float, *, rate: int = 48000, frames: int = 1) -> None:
        """Sound comes: frames of 20 ms that are this loud."""
        for _ in range(frames):
            self.heard(np.full(rate // 50, level, np.float32), rate)


class FakeLines:
    """failure: what comes in place of a connection."""

    def __init__(self) -> None:
        self.made: list[FakeLine] = []
        self.failure: Exception | None = None
        self.closed = False

    async def open(
        self,
        offer: str,
        *,
        speaks: bool,
        heard: Callable[[Samples, int], None],
        changed: Callable[[str], None],
    ) -> FakeLine:
        await asyncio.sleep(0)  # another may come in the meantime
        if self.failure is not None:
            raise self.failure
        self.made.append(FakeLine(offer, speaks, heard, changed))
        return self.made[-1]

    async def aclose(self) -> None:
        self.closed = True
