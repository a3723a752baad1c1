"""From a packet of a call to the multicast packet with its sound: `python -m benchmarks.relay`.

In a network namespace of its own, so by root. A second process sends a call in L16 at 16 kHz, in
which each packet is a constant of its own, to a stream of this process, and hears the group to
which the relay sends. Delays are from when a packet is sent to when the first of its sound is back:
what the call's own jitter buffer makes wait before the card is no part of it. Evenness is by how
much the time between two packets of the relay differs from 20 ms. "busy": each core has a process
that never rests.
"""

import argparse
import asyncio
import multiprocessing
import os
import select
import socket
import struct
import time
from bisect import bisect
from typing import Final, NamedTuple

from msgspec.structs import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from benchmarks.media_stream import HOST, parameters
from benchmarks.playback import spin
from sipstrobe.audio.latency import NORMAL
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, SourceKind
from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.io.multicast import GroupSockets
from sipstrobe.io.udp import PortPairs
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp import packet
from sipstrobe.services.group_line import GroupLine
from sipstrobe.services.page_relay import PageRelay
from sipstrobe.services.sound import Sound
from sipstrobe.services.stream import Stream
from sipstrobe.services.ticker import Ticker
from tests.support.netns import namespace

CODEC: Final = "L16/16000"
GROUP, PORT, START_PORT = "239.1.1.9", 5004, 22000
PTIME, SIZE = 0.020, 320  # seconds, samples
LEVELS: Final = 9  # constants that are told apart, also when filters have made them 2 % different
STEP: Final = 3200  # of 16 bits from one to the next
SETTLED: Final = 50  # packets that do not count

Times = tuple[list[float], list[tuple[float, bytes]]]  # of what was sent, and what came


class Found(NamedTuple):
    """delays, unevenness: seconds. cpu: a share of one core."""

    delays: list[float]
    unevenness: list[float]
    cpu: float


def talk(port: int, seconds: float, told: "multiprocessing.Queue[Times]") -> None:
    """The other process."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hearer,
    ):
        hearer.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the relay hears it, too
        hearer.bind((GROUP, PORT))
        group = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(HOST))
        hearer.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        start = time.monotonic()
        sent: list[float] = []
        came: list[tuple[float, bytes]] = []
        for n in range(round(seconds / PTIME)):
            while (wait := start + n * PTIME - time.monotonic()) > 0.0:
                if select.select([hearer], [], [], wait)[0]:
                    came.append((time.monotonic(), hearer.recv(2048)))
            payload = np.full(SIZE, (n % LEVELS + 1) * STEP, ">i2").tobytes()
            sent.append(time.monotonic())
            sender.sendto(packet.build(96, not n, n, n * SIZE, 7, payload), (HOST, port))
    told.put((sent, came))


async def measure(seconds: float, *, relayed: bool, busy: bool) -> Found:
    clock = LoopClock(asyncio.get_running_loop())
    context = Context(clock)
    sound = Sound(context)
    sound.apply(AudioSettings(output="null"))
    relay = PageRelay(context, sound, GroupLine(GroupSockets(clock)))
    relay.apply(RelaySettings(enabled=relayed, address=GROUP, port=PORT), CODEC)

    def speak() -> None:
        ring = stream.ring
        order = AddSource(owner="call", kind=SourceKind.PAGE, ring=ring, rank=5, relayable=True)
        context.dispatcher.execute(order)

    ports, ticker = PortPairs(HOST, START_PORT, clock), Ticker(clock)
    stream = Stream(context, ports, ticker, shortest=NORMAL.wait, on_first=speak)
    stream.start(
        replace(parameters(9), codec=CODEC, payload_type=96, receive_types={96: CODEC}, ptime_ms=20)
    )
    spawn = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[Times] = spawn.Queue()
    peer = spawn.Process(target=talk, args=(stream.local_port, seconds, told))
    others = [spawn.Process(target=spin, daemon=True) for _ in range(busy * (os.cpu_count() or 1))]
    for process in (peer, *others):
        process.start()
    began, used = time.monotonic(), time.process_time()
    sent, came = await asyncio.to_thread(told.get)
    cpu = (time.process_time() - used) / (time.monotonic() - began)
    for process in others:
        process.terminate()
    relay.close()
    stream.close()
    await sound.aclose()
    at = [when for when, _ in came][SETTLED:]
    return Found(delays_of(sent, came), [abs(gap - PTIME) for gap in np.diff(at)], cpu)


def delays_of(sent: list[float], came: list[tuple[float, bytes]]) -> list[float]:
    """Of each packet: until its constant is first seen, which is sooner than it is sent again."""
    found: dict[int, float] = {}
    for when, data in came:
        samples = np.frombuffer(packet.parse(data).payload, ">i2").astype(np.float64)
        near = np.rint(samples / STEP)
        levels = near[np.abs(samples - near * STEP) < STEP / 4].astype(int) - 1
        latest = bisect(sent, when) - 1
        seen: list[int] = levels.tolist()
        for level in dict.fromkeys(seen):
            if 0 <= level < LEVELS and seen.count(level) > SIZE // 32:
                n = latest - (latest - level) % LEVELS
                found.setdefault(n, when - sent[n])
    return list(found.values())[SETTLED:]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=20.0)
    seconds = arguments.parse_args().seconds
    print(f"{'':10} delay, ms  p50   p99   unevenness, ms  p50   p99      CPU")
    with namespace() as network:
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        with network.inside():
            for busy in (False, True):
                without = asyncio.run(measure(seconds / 2, relayed=False, busy=busy))
                found = asyncio.run(measure(seconds, relayed=True, busy=busy))
                shown = [
                    1e3 * float(np.quantile(values, q))
                    for values in (found.delays, found.unevenness)
                    for q in (0.5, 0.99)
                ]
                print(
                    f"{'busy' if busy else 'idle':10} {shown[0]:14.1f} {shown[1]:5.1f}"
                    f" {shown[2]:20.2f} {shown[3]:5.2f} {100 * (found.cpu - without.cpu):7.2f} %"
                    f"  ({len(found.delays)} packets)",
                    flush=True,
                )


if __name__ == "__main__":
    main()
