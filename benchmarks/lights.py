"""What light outputs cost: from an order to the datagram, and four lamps at 60 pictures a second.

python -m benchmarks.lights
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from itertools import count

from sipstrobe.clock import LoopClock
from sipstrobe.commands import StartOperation, StopAll
from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.io.lights import LightDriver, Picture
from sipstrobe.lightsiren.drive import PixelPainter
from sipstrobe.lightsiren.outputs import E131, ArtNet, Ddp, Output
from sipstrobe.lightsiren.settings import LightsSettings
from sipstrobe.services.light_drivers import LightDrivers
from sipstrobe.services.signals import Signals

PIXELS = 300
RATE = 60  # pictures a second
SECONDS = 5.0
ORDERS = 300
PAUSE = 0.03  # seconds between two orders: longer than a frame
SO_TIMESTAMPNS = 35


def main() -> None:
    asyncio.run(_latency())
    asyncio.run(_cost())
    _paint()


def _ear() -> socket.socket:
    """A lamp that stamps what it receives, and is read by nobody in the meantime."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("127.0.0.1", 0))
    ear.setblocking(False)
    ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return ear


def _outputs(ears: list[socket.socket]) -> tuple[Output, ...]:
    ports = [ear.getsockname()[1] for ear in ears]
    host = "127.0.0.1"
    return (
        Ddp(host=host, port=ports[0], pixels=PIXELS, frame_rate=RATE),
        E131(host=host, port=ports[1], pixels=PIXELS, frame_rate=RATE),
        ArtNet(host=host, port=ports[2], pixels=PIXELS, frame_rate=RATE),
        Ddp(host=host, port=ports[3], pixels=PIXELS, frame_rate=RATE, order="RGBW"),
    )


def _drain(ear: socket.socket) -> list[float]:
    """When each datagram that waits has come, on the calendar of the kernel."""
    stamps: list[float] = []
    while True:
        try:
            _, notes, _, _ = ear.recvmsg(2048, 64)
        except BlockingIOError:
            return stamps
        seconds, nanoseconds = struct.unpack("qq", notes[0][2][:16])
        stamps.append(seconds + nanoseconds / 1e9)


async def _latency() -> None:
    """Orders to change the colour; all four lamps are lit, the last of them counts."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    signals = Signals(context)
    ears = [_ear() for _ in range(4)]
    signals.apply_lights(LightsSettings(outputs=_outputs(ears)))
    first: list[float] = []
    last: list[float] = []
    for i in range(ORDERS):
        color = ("red", "blue")[i % 2]
        await asyncio.sleep(PAUSE)
        for ear in ears:
            _drain(ear)
        order = StartOperation(
            function=Function.SIGNALING_LED, pattern="Steady", colors=(color,), priority=5
        )
        began = time.time()
        context.dispatcher.execute(order)
        stamps = [_drain(ear)[0] - began for ear in ears]
        first.append(min(stamps))
        last.append(max(stamps))
        if i % 50 == 49:
            context.dispatcher.execute(StopAll(functions=(Function.SIGNALING_LED,)))
            await asyncio.sleep(PAUSE)
    signals.close()
    for words, seconds in (("first lamp", first), ("last of four lamps", last)):
        found = sorted(seconds)
        p50, p99 = found[len(found) // 2] * 1e6, found[round(len(found) * 0.99) - 1] * 1e6
        print(f"order → datagram, {words:<20} p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")


async def _cost() -> None:
    """Every picture differs from the one before; what the same wakes cost without is taken off."""
    ears = [_ear() for _ in range(4)]
    context = Context(LoopClock(asyncio.get_running_loop()))
    opened = LightDrivers(context, bytes(16))
    lights: list[LightDriver] = [opened(output, print) for output in _outputs(ears)]
    serials = count(1)

    def show() -> None:
        level = next(serials) % 97 / 97
        sides = (("red", level), ("amber", 1 - level), ("white", level), ("blue", 1 - level))
        for light in lights:
            light.show(Picture(0.0, "SignalingLED", sides, 1))

    spent, datagrams = await _paced(show, ears)
    bare, _ = await _paced(lambda: None, ears)
    for light in lights:
        light.close()
    print(
        f"four lamps of {PIXELS} pixels at {RATE}/s: {(spent - bare) / SECONDS:.2%} of a core"
        f" ({datagrams / SECONDS:.0f} datagrams/s), without the {bare / SECONDS:.2%} that waking"
        " up so often costs in any case"
    )


async def _paced(step: Callable[[], None], ears: list[socket.socket]) -> tuple[float, int]:
    """Processor seconds of the steps with what they cause, and the datagrams."""
    loop = asyncio.get_running_loop()
    began, at, datagrams, drained = time.process_time(), loop.time(), 0, 0.0
    for i in range(round(SECONDS * RATE)):
        await asyncio.sleep(max(0.0, at + i / RATE - loop.time()))
        step()
        before = time.process_time()
        datagrams += sum(len(_drain(ear)) for ear in ears)
        drained += time.process_time() - before
    return time.process_time() - began - drained, datagrams


def _paint() -> None:
    """A picture of pixels from four sides that were not shown before, and of some that were."""
    painter = PixelPainter(Ddp(host="h", pixels=PIXELS))
    limited = PixelPainter(Ddp(host="h", pixels=PIXELS, current_limit_ma=3000))
    for words, used in (("", painter), (" with a current limit", limited)):
        pictures = [
            (("red", i / 5000), ("blue", 1 - i / 5000), ("white", 0.5), ("", 0.0))
            for i in range(5000)
        ]
        times: list[float] = []
        for _ in range(2):
            began = time.thread_time()
            for picture in pictures:
                used.paint("SignalingLED", picture)
            times.append((time.thread_time() - began) / len(pictures) * 1e6)
        print(f"painting {PIXELS} pixels{words}: {times[0]:.1f} µs")


if __name__ == "__main__":
    main()
