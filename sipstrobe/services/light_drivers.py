"""Which driver an output of the light has."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import assert_never

from sipstrobe.context import Context
from sipstrobe.io.lights import Lamps, LightDriver, LightLog, NoLight
from sipstrobe.io.lights.artnet import ArtNet
from sipstrobe.io.lights.attached import Attached
from sipstrobe.io.lights.datagrams import LightSocket
from sipstrobe.io.lights.ddp import Ddp
from sipstrobe.io.lights.dmx import parts
from sipstrobe.io.lights.e131 import DISCOVERY_GROUP, E131, group_of
from sipstrobe.io.lights.tower import Tower
from sipstrobe.io.lights.ws2812 import Ws2812
from sipstrobe.lightsiren import outputs
from sipstrobe.lightsiren.drive import PixelPainter, TowerPainter
from sipstrobe.lightsiren.output_specs import name_of
from sipstrobe.lightsiren.outputs import Output
from sipstrobe.services.painted import Painted, Report, resolve

OpenLight = Callable[[Output, Report], LightDriver]
"""Open an output; may raise OSError. What is wrong later is told to the report."""


class LightDrivers:
    """Opens them. cid: who we are in E1.31, 16 bytes (§5.6)."""

    def __init__(self, context: Context, cid: bytes) -> None:
        self._context = context
        self._now = context.clock.now
        self._cid = cid

    def __call__(self, output: Output, report: Report) -> LightDriver:
        match output:
            case outputs.Virtual() | outputs.Nowhere():
                return NoLight()
            case outputs.Log():
                return LightLog(Path(output.path))
            case outputs.Tower():
                return self._painted(output, TowerPainter(output), report)
            case _:
                return self._painted(output, PixelPainter(output), report)

    def _painted(
        self,
        output: outputs.Strip | outputs.Tower,
        painter: PixelPainter | TowerPainter,
        report: Report,
    ) -> Painted:
        safe = safe_levels(painter, output.safe_state)
        return Painted(
            self._context,
            painter,
            lambda again: self._lamps(output, again, safe),
            report,
            frame_rate=output.frame_rate,
            safe=safe,
            name=name_of(output),
        )

    def _lamps(
        self,
        output: outputs.Strip | outputs.Tower,
        again: Callable[[], None],
        safe: bytes | None,
    ) -> Lamps:
        match output:
            case outputs.Ddp():
                return Ddp(self._socket(output.host, output.port, again), len(output.order))
            case outputs.E131():
                return self._e131(output, again)
            case outputs.ArtNet():
                return ArtNet(
                    self._socket(output.host, output.port, again),
                    port_address=output.port_address,
                    channel=output.channel,
                    size=output.pixels * len(output.order),
                    width=len(output.order),
                )
            case outputs.Ws2812(device=device, spi_bits=bits):
                return Attached(device, lambda: Ws2812(device, bits), safe)
            case outputs.Tower(chip=chip, active_low=low):
                lines = [line.line for line in output.lines]
                return Attached(chip, lambda: Tower(_gpiod(), chip, lines, active_low=low), safe)
            case _:
                assert_never(output)

    def _e131(self, output: outputs.E131, again: Callable[[], None]) -> E131:
        width = len(output.order)
        size, port = output.pixels * width, output.port
        count = len(parts(size, width, output.channel))
        if output.host:
            sockets, discovery = [self._socket(output.host, port, again)] * count, None
        else:
            groups = [group_of(output.universe + i) for i in range(count)]
            *sockets, discovery = (
                self._socket(group, port, again, output.interface)
                for group in (*groups, DISCOVERY_GROUP)
            )
        return E131(
            sockets,
            discovery,
            cid=self._cid,
            source_name=output.source_name,
            universe=output.universe,
            channel=output.channel,
            priority=output.priority,
            size=size,
            width=width,
            now=self._now,
        )

    def _socket(
        self, host: str, port: int, again: Callable[[], None], interface: str = ""
    ) -> LightSocket:
        return LightSocket(
            host, port, now=self._now, resolve=resolve, ready=again, interface=interface
        )


def safe_levels(painter: PixelPainter | TowerPainter, safe_state: str) -> bytes | None:
    """What lamps are left with in the end; None: what they show."""
    match safe_state:
        case outputs.LEAVE_STATE:
            return None
        case outputs.DARK_STATE:
            return painter.filled("")
        case color:
            return painter.filled(color)


def _gpiod() -> ModuleType:
    from sipstrobe.io.lines.gpio import gpiod

    return gpiod()
