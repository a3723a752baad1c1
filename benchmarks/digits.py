"""Digits: how soon, how surely, and at what cost: `python -m benchmarks.digits [--quick]`.

1. From the arrival of the first packet of a key to the last audible sample of what it stops: a
   rule, the whole device, and its `null` output, which plays as a card does with periods of 5 ms.
2. Missed and doubled digits per million, of senders that lose packets at random and in bursts
   (Gilbert), beside the floor: the share of digits of which no packet arrives at all.
3. What it costs to listen for tones, for each packet of 20 ms, and how often voices and music
   are taken for keys: Q.24 has no figure; of MITEL's talk-off tape (CM7291, 30 minutes) a good
   receiver makes less than 10.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from benchmarks.calls import HEAD, OFFER, quantiles
from sipstrobe.app import Device
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.tap import LOOK_BACK
from sipstrobe.clock import LoopClock
from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.commands import StartProfile
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.dtmf.event import DIGITS, TelephoneEvent
from sipstrobe.dtmf.inband import ToneReceiver
from sipstrobe.dtmf.receiver import EventReceiver
from sipstrobe.dtmf.settings import DigitSequence
from sipstrobe.events import CallStateChanged, CallStatus, SequenceReceived
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.options import Options
from sipstrobe.rtp import packet
from sipstrobe.rules.actions import StopProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.interop.device import free_port
from tests.support.voices import Samples, key, music, silence, speech

PTIME = 0.020
UNITS = 160
AUDIBLE = 1e-3  # −60 dB of full scale
EVENT_PACKETS = 8  # of 100 ms: five that grow, and the end three times
EVERY = 13  # packets from one key to the next
BURST = 3.0  # packets lost in a row, on average
LOSSES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of each, for a first look")
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--digits", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=60.0, help="of voices, and of music")
    wanted = parser.parse_args()
    if wanted.quick:
        wanted.calls, wanted.digits, wanted.minutes = 4, 20_000, 2.0
    row("first packet → silence, ms, p50 / p99", quantiles(asyncio.run(silenced(wanted.calls))))
    for name, lost in (("random", independent), ("burst", gilbert)):
        for share in LOSSES:
            row(f"{name} loss of {share:.0%}, per million", losses(wanted.digits, share, lost))
    for name, microseconds in tone_costs():
        row(name, f"{microseconds:.1f}")
    for name, made in (("voices", speech), ("music", music)):
        row(f"keys heard in {wanted.minutes:g} min of {name}", false_keys(made, wanted.minutes))


def row(name: str, words: object) -> None:
    print(f"{name:<46} {words:>52}", flush=True)


# --- 1. how soon -----------------------------------------------------------------------------


async def silenced(calls: int, presses: int = 10) -> list[float]:
    """Seconds from the sending of a key's first packet to the last sample of the siren."""
    clock = LoopClock(asyncio.get_running_loop())
    port = free_port()
    ends: list[tuple[float, float]] = []  # of each press: when it was told, when all was silent
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            await _running(clock, Path(folder), port, stack, ends)
            here, there = multiprocessing.Pipe()
            caller = multiprocessing.get_context("spawn").Process(
                target=_press_often, args=(port, calls, presses, there)
            )
            caller.start()
            sent: list[float] = await asyncio.to_thread(here.recv)
            caller.join()
            await asyncio.sleep(0.3)
    assert len(ends) == len(sent), f"{len(sent)} keys were pressed, {len(ends)} heard"
    return [silent - began for began, (_, silent) in zip(sent, ends, strict=True)]


async def _running(
    clock: LoopClock,
    folder: Path,
    port: int,
    stack: AsyncExitStack,
    ends: list[tuple[float, float]],
) -> None:
    """A device on which the key 1 stops a siren that begins with each call, and after each stop."""
    context = Context(clock)
    store = Store.open(folder / "state")
    stack.callback(store.close)
    stopped = Condition(event="call/dtmf", match={"name": "Silence"})
    store.change_now(
        {
            "sip": {"enabled": True, "allow_incoming": True, "port": port},
            "maintenance": {"active": False},
            "profiles": [
                Profile(name="Siren", siren=SirenPart(pattern="Siren: Alternate", intensity=3))
            ],
            "dtmf": {"sequences": [DigitSequence(sequence="1", name="Silence")]},
            "rules": [Rule(name="1", when=stopped, action=StopProfile(profile="Siren"))],
        }
    )
    web = ("127.0.0.1", free_port(socket.SOCK_STREAM))
    options = Options(folder / "state", http=web, sound="null", light="none")
    device = Device(context, store, options)
    await device.start(stack)
    await device.settle()

    def start() -> None:
        context.dispatcher.execute(StartProfile(profile="Siren"))

    def measure(told: float) -> None:
        device.sound.catch_up()
        tap = device.sound.tap
        heard = tap.recent(LOOK_BACK)
        last = int(np.flatnonzero(np.abs(heard) > AUDIBLE)[-1])
        ends.append((told, tap.ends_at - (heard.size - 1 - last) / SAMPLE_RATE))
        start()

    def note(event: CallStateChanged | SequenceReceived) -> None:
        if isinstance(event, SequenceReceived):
            now = clock.now()
            clock.call_at(now + 0.1, lambda: measure(now))
        elif event.state is CallStatus.ACTIVE:
            start()

    context.bus.subscribe(CallStateChanged, note)
    context.bus.subscribe(SequenceReceived, note)


def _press_often(port: int, calls: int, presses: int, done: Connection) -> None:
    """The other process: calls that say something and press 1; sends when each press began."""
    sent: list[float] = []
    random = np.random.default_rng(1)
    for call in range(calls):
        with _line(port) as say:
            time.sleep(float(random.uniform(0, PTIME)))
            due, number = time.monotonic(), 0
            for press in range(presses + 1):
                for n in range(75 if not press else 40):
                    began = _say_one(say, due, number, n if press else -1, number - n, call)
                    if press and not n:
                        sent.append(began)
                    due, number = due + PTIME, number + 1
    done.send(sent)


def _say_one(
    say: Callable[[bytes], object], due: float, number: int, n: int, began: int, call: int
) -> float:
    """A packet of sound, or the n-th of a key; the instant at which it went out."""
    quiet = UlawEncoder().silence(UNITS)
    data = packet.build(0, False, number, number * UNITS, call, quiet)
    if 0 <= n < EVENT_PACKETS:
        event = TelephoneEvent(1, n >= 5, 10, min(n + 1, 5) * UNITS)
        data = packet.build(101, not n, number, began * UNITS, call, bytes(event))
    time.sleep(max(0.0, due - time.monotonic()))
    now = time.monotonic()
    say(data)
    return now


@contextlib.contextmanager
def _line(port: int) -> Generator[Callable[[bytes], object]]:
    """A call, and how to speak in it."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
    ):
        for each in (sip, rtp):
            each.bind(("127.0.0.1", 0))
        sip.connect(("127.0.0.1", port))
        sip.settimeout(5.0)
        own, tag = sip.getsockname()[1], ""

        def ask(method: str, body: str = "", cseq: int = 1) -> bytes:
            call = f"{own}x{rtp.getsockname()[1]}"
            kind = "Content-Type: application/sdp\r\n" if body else ""
            head = {"user": "1001", "port": port, "own": own, "branch": f"{call}{method}"}
            rest = {"call": call, "to": tag, "cseq": cseq, "extra": kind, "length": len(body)}
            sip.send(HEAD.format(method=method, **head, **rest, body=body).encode())
            while method != "ACK":
                answer = sip.recv(65535)
                if not answer.startswith(b"SIP/2.0 1"):
                    assert answer.startswith(b"SIP/2.0 200"), answer
                    return answer
            return b""

        answer = ask("INVITE", OFFER.format(media=rtp.getsockname()[1]))
        found = re.search(rb"\r\nTo: [^\r]*?(;tag=[^\r;]+).*m=audio ([0-9]+)", answer, re.DOTALL)
        assert found, answer
        tag = found[1].decode()
        ask("ACK")
        rtp.connect(("127.0.0.1", int(found[2])))
        yield rtp.send
        ask("BYE", cseq=2)


# --- 2. how surely ---------------------------------------------------------------------------


def independent(count: int, share: float, random: np.random.Generator) -> np.ndarray:
    """Which packets are lost, each for itself."""
    return random.random(count) < share


def gilbert(count: int, share: float, random: np.random.Generator) -> np.ndarray:
    """Which packets are lost: runs of BURST packets on average, and good ones between them."""
    if not share:
        return np.zeros(count, bool)
    good = BURST * (1 - share) / share
    runs = round(count / (good + BURST)) + 1000
    lengths = np.empty(2 * runs, np.int64)
    lengths[0::2] = random.geometric(1 / max(good, 1.0), runs)
    lengths[1::2] = random.geometric(1 / BURST, runs)
    lost = np.repeat(np.tile([False, True], runs), lengths)
    return lost[:count]


def losses(
    digits: int, share: float, lost: Callable[[int, float, np.random.Generator], np.ndarray]
) -> str:
    """Missed and doubled digits, and of how many no packet came, each per million."""
    random = np.random.default_rng(7)
    missed = doubled = never = 0
    receiver = EventReceiver()
    gone = lost(digits * EVERY, share, random).reshape(digits, EVERY)
    codes: list[int] = random.integers(
        0, 3, digits
    ).tolist()  # many that are equal follow one another
    payloads = [
        [bytes(TelephoneEvent(c, n >= 5, 10, min(n + 1, 5) * UNITS)) for n in range(EVENT_PACKETS)]
        for c in range(3)
    ]
    for at, (code, arrives) in enumerate(zip(codes, (~gone).tolist(), strict=True)):
        first = at * EVERY
        told = 0
        for n, payload in enumerate(payloads[code]):
            if arrives[n]:
                timestamp = first * UNITS % 2**32
                sign = receiver.receive(payload, timestamp, n == 0, first + n, 8000)
                told += sign is not None and sign.begins and sign.digit == DIGITS[code]
        missed += told == 0
        doubled += max(0, told - 1)
        never += not any(arrives[:EVENT_PACKETS])
    floor = share**EVENT_PACKETS
    if lost is gilbert:
        floor = share * (1 - 1 / BURST) ** (EVENT_PACKETS - 1)
    million = 1e6 / digits
    return (
        f"missed {missed * million:.4g} (none came: {never * million:.4g}, computed "
        f"{floor * 1e6:.2g}), doubled {doubled * million:.4g}"
    )


# --- 3. tones --------------------------------------------------------------------------------


def tone_costs() -> Iterator[tuple[str, float]]:
    """Microseconds for each packet, by the rate of the codec and what is heard; the median."""
    random = np.random.default_rng(3)
    for rate in (8000, 16000, 48000):
        noise = random.normal(0, 0.1, 5 * rate).astype(np.float32)
        for name, sound in (
            ("silence", silence(5.0, rate)),
            ("noise", noise),
            ("a key", key("5", 5.0, rate)),
        ):
            receiver, count = ToneReceiver(rate), round(rate * PTIME)
            took: list[float] = []
            for at in range(0, sound.size, count):
                began = time.perf_counter()
                receiver.hear(sound[at : at + count])
                took.append(time.perf_counter() - began)
            yield (
                f"listening to {name} at {rate // 1000} kHz, µs a packet",
                1e6 * float(np.median(took)),
            )


def false_keys(made: Callable[[float, int], Samples], minutes: float) -> str:
    found = ""
    for seed in range(round(minutes)):
        receiver, sound = ToneReceiver(8000), made(60.0, 1000 + seed)
        for at in range(0, sound.size, UNITS):
            found += "".join(s.digit for s in receiver.hear(sound[at : at + UNITS]) if s.begins)
    return f"{len(found)} {found}"


if __name__ == "__main__":
    main()
