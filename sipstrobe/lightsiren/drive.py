"""From sides to what lamps are driven with: bytes for each pixel, or on and off.

The level of a side is its lightness as the eye sees it; a LED's light follows its duty cycle.
Between the two stands the gamma. The colours are nominal: what the page shows (sRGB), as shares of
light; no LED was measured, and those of each maker differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from sipstrobe.lightsiren.frame import SIDES
from sipstrobe.lightsiren.outputs import Pixels, Tower

DRIVE: Final[Mapping[str, tuple[int, int, int]]] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "amber": (255, 68, 0),
    "yellow": (255, 194, 0),
    "pink": (255, 15, 91),
    "purple": (79, 0, 255),
    "turquoise": (0, 194, 158),
}
"""Duty cycles of red, green and blue at full lightness, of 255 (nominal)."""
COLOR_MA: Final = 20.0  # one colour of a pixel at full power (nominal, WS2812)
PIXEL_MA: Final = 1.0  # its controller, lit or not (nominal)
MAX_KEPT: Final = 4096  # pixels ready for use

Sides = Sequence[tuple[str, float]]
_Key = tuple[str, int]  # light, index of the side


class PixelPainter:
    """What a strip is sent: the values of all its pixels, one after the other.

    It remembers what each light shows, so that one strip can show two of them.
    """

    def __init__(self, output: Pixels) -> None:
        self._order = output.order
        self._gamma = output.gamma
        self._share = output.brightness / 100
        self._limit = output.current_limit_ma
        self._runs = list(_runs(output))
        self._dark = bytes(len(output.order))
        self._shown: dict[_Key, tuple[str, float]] = {}
        self._idle_ma = output.pixels * PIXEL_MA
        self._kept: dict[tuple[str, float], bytes] = {}

    def paint(self, light: str, sides: Sides) -> bytes:
        """The strip from now on, since this light shows these sides."""
        for i, side in enumerate(sides):
            self._shown[light, i] = side
        return self._strip(
            [self._pixel(self._shown.get(key) if key else None) for key, _ in self._runs]
        )

    def filled(self, color: str) -> bytes:
        """Every pixel that shows a side, in this colour; empty: dark."""
        side = (color, 1.0) if color else None
        return self._strip([self._pixel(side if key else None) for key, _ in self._runs])

    def _strip(self, pixels: list[bytes]) -> bytes:
        counts = [count for _, count in self._runs]
        if self._limit:
            pixels = self._limited(pixels, counts)
        return b"".join([pixel * count for pixel, count in zip(pixels, counts, strict=True)])

    def _pixel(self, side: tuple[str, float] | None) -> bytes:
        if side is None or side[1] <= 0 or side[0] not in DRIVE:
            return self._dark
        if (pixel := self._kept.get(side)) is None:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[side] = pixel = self._made(*side)
        return pixel

    def _made(self, color: str, level: float) -> bytes:
        """Something is seen of every colour that takes part, however dark it is."""
        duty = min(1.0, level) ** self._gamma * self._share
        red, green, blue = DRIVE[color]
        white = min(red, green, blue) if "W" in self._order else 0
        values = {"R": red - white, "G": green - white, "B": blue - white, "W": white}
        strongest = max(values.values())
        return bytes(
            max(round(value * duty), 1 if value == strongest else 0)
            for value in (values[name] for name in self._order)
        )

    def _limited(self, pixels: list[bytes], counts: list[int]) -> list[bytes]:
        wanted = COLOR_MA / 255 * sum(sum(p) * n for p, n in zip(pixels, counts, strict=True))
        left = max(0.0, self._limit - self._idle_ma)
        if wanted <= left:
            return pixels
        share = left / wanted
        return [bytes(int(value * share) for value in pixel) for pixel in pixels]


def _runs(output: Pixels) -> Iterator[tuple[_Key | None, int]]:
    """Which side each run of pixels shows, in order; None: dark."""
    keys: list[_Key | None] = [None] * output.pixels
    if output.stretches:
        for stretch in output.stretches:
            key = stretch.light or output.light, SIDES.index(stretch.side)
            keys[stretch.first : stretch.first + stretch.count] = [key] * stretch.count
    else:
        count = len(SIDES)
        keys = [(output.light, i * count // output.pixels) for i in range(output.pixels)]
    for key, run in groupby(keys):
        yield key, len(list(run))


class TowerPainter:
    """What the lines of a tower light are set to: a byte for each, 1 for a lamp that is on."""

    def __init__(self, output: Tower) -> None:
        self._light = output.light
        self._threshold = output.threshold
        self._lamps = [
            (None if line.side is None else SIDES.index(line.side), frozenset(line.colors))
            for line in output.lines
        ]
        self._shown = self.filled("")

    def paint(self, light: str, sides: Sides) -> bytes:
        """The lamps from now on, since this light shows these sides."""
        if light == self._light:
            lit = [(i, color) for i, (color, level) in enumerate(sides) if level >= self._threshold]
            self._shown = bytes(self._on(lamp, lit) for lamp in self._lamps)
        return self._shown

    def filled(self, color: str) -> bytes:
        """The lamps that this colour lights on any side; empty: none."""
        lit = [(i, color) for i in range(len(SIDES))] if color else []
        return bytes(self._on(lamp, lit) for lamp in self._lamps)

    def _on(self, lamp: tuple[int | None, frozenset[str]], lit: list[tuple[int, str]]) -> bool:
        side, colors = lamp
        return any(
            (side is None or side == i) and (not colors or color in colors) for i, color in lit
        )
