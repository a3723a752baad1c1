"""What media costs: microseconds a packet, stage by stage, and the share of one core.

    python benchmarks/media_stream.py [--streams 1 10 100] [--seconds 5] [--suites SUITE …]

With suites of SRTP (RFC 4568 §6.2) the streams are measured once more under each of them.

A second process plays the peers; its time does not count. The card is one that takes 5 ms at a time
out of every ring, on the loop, like `null`.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Sequence

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from sipstrobe.audio.mix import Channel, Entry, Mixer, MixPlan
from sipstrobe.audio.resample import Upsampler
from sipstrobe.audio.ring import SampleRing
from sipstrobe.clock import LoopClock
from sipstrobe.codecs.g711 import UlawDecoder, UlawEncoder
from sipstrobe.codecs.stretch import Warp
from sipstrobe.context import Context
from sipstrobe.io.udp import PortPairs
from sipstrobe.rtp import packet
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.rtp.quality import GMIN, Losses, quality
from sipstrobe.rtp.session import Session
from sipstrobe.rtp.srtp import Inbound, Keys, Outbound
from sipstrobe.rtp.verdict import Facts, judge
from sipstrobe.sdp.crypto import SUITES, make_key, make_keys
from sipstrobe.sdp.description import Direction
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.sdp.security import SdesKeys
from sipstrobe.secret import Secret
from sipstrobe.services.speech import Recording
from sipstrobe.services.stream import Stream
from sipstrobe.services.ticker import Ticker

HOST = "127.0.0.1"
PEER = (HOST, 30000)
START_PORT = 20000
PTIME = 0.020
UNITS = 160
PERIOD = 240  # frames the card takes at a time
ROUNDS = 20000


def measured(step: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """Microseconds of one step, the best of three goes."""
    best = float("inf")
    for go in range(3):
        first = go * rounds
        started = time.perf_counter()
        for n in range(first, first + rounds):
            step(n)
        best = min(best, (time.perf_counter() - started) / rounds)
    return best * 1e6


def stages() -> dict[str, float]:
    """The parts of one packet's way, each alone."""
    tone = (0.25 * np.sin(np.arange(UNITS) * 0.7)).astype(np.float32)
    payload = UlawEncoder().encode(tone)
    packets = [packet.build(0, False, n & 0xFFFF, n * UNITS, 7, payload) for n in range(3 * ROUNDS)]
    session = Session("bench", 8000, lambda n: bytes(n))
    session.configure(PEER, None, frozenset({0}), now=0.0)
    jitter = JitterBuffer(8000)
    decoder, encoder, upsampler, warp = UlawDecoder(), UlawEncoder(), Upsampler(6), Warp()
    losses, heard = Losses(), Facts(seconds=60.0, received=250, sent=250, mos=4.4)
    ring, sink = SampleRing(24000), np.empty(960, np.float32)
    wide = upsampler.process(tone)

    def buffer(n: int) -> None:
        now = n * PTIME
        jitter.push(n, n * UNITS, UNITS, 0, payload, now)
        while jitter.take(now + 0.03, now, now) is not None:
            pass

    def through_ring(_: int) -> None:
        ring.write(wide)
        ring.read_into(sink)

    def verdict(n: int) -> None:
        quality(losses.counts(n), "PCMU", 80.0)
        judge(heard)

    return srtp_stages(packets) | {
        "parse": measured(lambda n: packet.parse(packets[n])),
        "session (parse, source, statistics)": measured(
            lambda n: session.receive(packets[n], PEER, now=n * PTIME)
        ),
        "jitter buffer": measured(buffer),
        "decode": measured(lambda _: decoder.decode(payload)),
        "8 to 48 kHz": measured(lambda _: upsampler.process(tone)),
        "speed": measured(lambda _: warp.process(wide, 1e-4)),
        "ring in and out": measured(through_ring),
        "encode": measured(lambda _: encoder.encode(tone)),
        "build": measured(lambda n: session.packet(0, payload, UNITS, False)),
        "a packet that is missing": measured(lambda n: losses.miss(n * GMIN)),
        "quality and verdict, once a second": measured(verdict),
    }


def srtp_stages(packets: list[bytes]) -> dict[str, float]:
    """What encryption adds, out and in."""
    found: dict[str, float] = {}
    for suite, key in make_keys(os.urandom).items():
        out, into = Outbound(Keys(suite, key)), Inbound(Keys(suite, key))
        protected = [out.protect(data) or b"" for data in packets]
        again = Outbound(Keys(suite, key))
        found[f"{suite} out"] = measured(lambda n, out=again: out.protect(packets[n]))
        found[f"{suite} in"] = measured(lambda n, i=into, p=protected: i.unprotect(p[n]))
    return found


def parameters(port: int, keys: Keys | None = None) -> MediaParameters:
    keying = None
    if keys is not None:
        keying = SdesKeys(tag=1, suite=keys.suite, ours=keys.key, theirs=keys.key)
    return MediaParameters(
        host=HOST,
        rtp_port=port,
        rtcp_port=port + 1,
        codec="PCMU",
        payload_type=0,
        receive_types={0: "PCMU"},
        event_type=None,
        receive_event_types={},
        ptime_ms=20,
        direction=Direction.SENDRECV,
        on_hold=False,
        keying=keying,
    )


def peers(
    sockets: Sequence[socket.socket], ports: Sequence[int], seconds: float, keys: tuple[str, str]
) -> None:
    """The other process: one sender for each stream, spread over the packet time."""
    suite, key = keys
    out = [Outbound(Keys(suite, Secret(key))) for _ in ports] if suite else []
    payload = UlawEncoder().encode((0.25 * np.sin(np.arange(UNITS) * 0.7)).astype(np.float32))
    started = time.monotonic()
    for number in range(int(seconds / PTIME)):
        for n, (sender, port) in enumerate(zip(sockets, ports, strict=True)):
            due = started + number * PTIME + n / len(ports) * PTIME
            if (wait := due - time.monotonic()) > 0.0002:
                time.sleep(wait)
            data = packet.build(0, False, number & 0xFFFF, number * UNITS, 1000 + n, payload)
            if out:
                data = out[n].protect(data) or b""
            sender.sendto(data, (HOST, port))


async def share(count: int, seconds: float, suite: str = "") -> None:
    """Run that many streams both ways and print what they took."""
    keys = Keys(suite, make_key(suite, os.urandom)) if suite else None
    context = Context(LoopClock(asyncio.get_running_loop()))
    ticker = Ticker(context.clock)
    ports = PortPairs(HOST, START_PORT, context.clock)
    streams = [Stream(context, ports, ticker) for _ in range(count)]
    greeting = (0.1 * np.sin(np.arange(48000 * 60) * 0.05)).astype(np.float32)
    mixer = Mixer()
    channels = [Channel(stream.ring) for stream in streams]
    mixer.plan = MixPlan(tuple(Entry(channel, 0.01) for channel in channels))
    card_only = await cpu_of(mixer, 1.0) / 1.0
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in streams]
    for n, stream in enumerate(streams):
        sockets[n].bind((HOST, 0))
        sockets[n].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # it listens to nothing
        stream.source = Recording(greeting, loop=True)
        stream.start(parameters(sockets[n].getsockname()[1], keys))
    shared = (suite, keys.key.reveal()) if keys is not None else ("", "")
    ports_of_ours = [stream.local_port for stream in streams]
    peer = multiprocessing.get_context("spawn").Process(
        target=peers, args=(sockets, ports_of_ours, seconds + 2.5, shared)
    )
    peer.start()
    while streams[-1].statistics.packets < 50:
        await cpu_of(mixer, 0.1)
    dry = sum(c.underruns for c in channels)
    begun = [stream.statistics for stream in streams]
    latency = context.measures.histogram("packet_to_sound_seconds")
    latency.counts[:] = [0] * len(latency.counts)
    spent = await cpu_of(mixer, seconds)
    now = [stream.statistics for stream in streams]
    ours = spent / seconds - card_only
    packets = sum(s.packets for s in now) - sum(s.packets for s in begun)
    concealed = sum(s.concealed_ms for s in now) - sum(s.concealed_ms for s in begun)
    print(
        f"{count:4d} streams{suite and f', {suite}'}: {100 * spent / seconds:5.1f} % of a core, of "
        "which "
        f"{100 * card_only:4.1f} % for an empty card; {ours * seconds / packets * 1e6:5.1f} µs a "
        f"packet in and one out; {60 * ours / count:.3f} CPU s a call-minute; "
        f"underruns {sum(c.underruns for c in channels) - dry}, lost {sum(s.lost for s in now)}, "
        f"concealed {concealed:.0f} ms; packet to card p50 {1e3 * latency.quantile(0.5):.0f}, "
        f"p99 {1e3 * latency.quantile(0.99):.0f} ms"
    )
    for stream in streams:
        stream.close()
    peer.join()
    for sender in sockets:
        sender.close()


async def cpu_of(mixer: Mixer, seconds: float) -> float:
    """CPU seconds of this process while the card plays that long."""
    before = time.process_time()
    await play(mixer, seconds)
    return time.process_time() - before


async def play(mixer: Mixer, seconds: float) -> None:
    """The card: take a period whenever it is due."""
    out = np.empty(PERIOD, np.float32)
    due = time.monotonic()
    end = due + seconds
    while due < end:
        await asyncio.sleep(due - time.monotonic())
        while due <= time.monotonic():
            mixer.mix(out, due)
            due += PERIOD / 48000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--streams", type=int, nargs="*", default=[1, 10, 100])
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--suites", nargs="*", choices=list(SUITES), default=[])
    chosen = arguments.parse_args()
    print("µs a packet, each stage alone:")
    for name, microseconds in stages().items():
        print(f"  {name:36s} {microseconds:6.2f}")
    for count in chosen.streams:
        for suite in ("", *chosen.suites):
            asyncio.run(share(count, chosen.seconds, suite))


if __name__ == "__main__":
    main()
