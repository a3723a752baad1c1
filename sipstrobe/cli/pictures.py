"""Pictures of sounds and light patterns, written by hand as SVG and PNG."""

import zlib
from base64 import b64encode
from collections.abc import Iterator
from math import log2
from struct import pack

import numpy as np
from numpy.typing import NDArray

from sipstrobe.lightsiren.catalogue import Pattern
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.frame import SIDES, Frame
from sipstrobe.lightsiren.patterns import animate
from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.synthesis import SAMPLE_RATE, Samples

LEFT, WIDTH, RIGHT = 46, 600, 14  # pixels: labels, drawing, margin
WAVE_HEIGHT, SPECTRUM_HEIGHT = 70, 170
LOWEST, HIGHEST = 100.0, 16_000.0  # Hz, bottom and top of a spectrogram
WINDOW = 2048  # samples of one column's spectrum: 43 ms
FLOOR_DB = -75.0  # what is painted black, against the loudest point
SIDE_HEIGHT, SPEED_GAP = 13, 12
LIGHT_SECONDS = 6.0

_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    'viewBox="0 0 {width} {height}" font-family="system-ui,sans-serif" font-size="10" '
    'fill="#9a9da6"><rect width="{width}" height="{height}" fill="#0b0c0e"/>{body}</svg>\n'
)


# --- sounds ------------------------------------------------------------------------------------


def sound_svg(sound: Sound) -> str:
    """One period: the wave above, and its spectrogram with a logarithmic scale of frequency."""
    samples = sound.render()
    top = 8 + WAVE_HEIGHT + 8
    png = b64encode(png_image(spectrogram(samples, WIDTH, SPECTRUM_HEIGHT), HEAT)).decode()
    body = (
        f'<path d="{_wave_path(samples)}" fill="#59c2ff"/>'
        f'<image x="{LEFT}" y="{top}" width="{WIDTH}" height="{SPECTRUM_HEIGHT}" '
        f'href="data:image/png;base64,{png}"/>'
        + "".join(_frequency_scale(top))
        + "".join(_time_scale(sound.seconds, top + SPECTRUM_HEIGHT))
    )
    return _framed(top + SPECTRUM_HEIGHT + 20, body)


def _wave_path(samples: Samples) -> str:
    """The outline of the wave: its highest and lowest sample in each column."""
    middle, scale = 8 + WAVE_HEIGHT / 2, WAVE_HEIGHT / 2
    edges = np.linspace(0, samples.size, WIDTH + 1).astype(np.intp)[:-1]
    highs, lows = np.maximum.reduceat(samples, edges), np.minimum.reduceat(samples, edges)
    above = [f"{LEFT + x} {middle - scale * y - 0.4:.1f}" for x, y in enumerate(highs.tolist())]
    below = [f"{LEFT + x} {middle - scale * y + 0.4:.1f}" for x, y in enumerate(lows.tolist())]
    return "M" + "L".join([*above, *reversed(below)]) + "Z"


def spectrogram(samples: Samples, columns: int, rows: int) -> NDArray[np.uint8]:
    """The loudness of each pitch at each time of a looped sound, 0 … 255, the highest row first."""
    looped = np.pad(samples, WINDOW // 2, mode="wrap")
    starts = np.linspace(0, samples.size - 1, columns).astype(np.intp)
    pieces = looped[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(pieces)) ** 2
    edges = np.geomspace(LOWEST, HIGHEST, rows + 1) * (WINDOW / SAMPLE_RATE)
    image = np.empty((rows, columns))
    for row in range(rows):  # the strongest bin of each band; between two bins, the nearer
        first = round(edges[row])
        image[rows - 1 - row] = power[:, first : max(first + 1, round(edges[row + 1]))].max(axis=1)
    level_db = 10 * np.log10(np.maximum(image / power.max(), 1e-12))
    return np.rint(np.clip(1 - level_db / FLOOR_DB, 0, 1) * 255).astype(np.uint8)


def _heat() -> bytes:
    """256 colours from black over violet and orange to white, as RGB octets."""
    marks = (0, 70, 140, 200, 255)
    channels = ((11, 70, 200, 255, 255), (12, 20, 50, 160, 255), (14, 120, 80, 40, 230))
    levels = np.arange(256)
    table = np.stack([np.interp(levels, marks, channel) for channel in channels], axis=1)
    return np.rint(table).astype(np.uint8).tobytes()


HEAT = _heat()


def png_image(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    """An indexed PNG (ISO/IEC 15948): one octet per pixel into a palette of RGB triples."""
    rows, columns = pixels.shape
    lines = np.zeros((rows, columns + 1), np.uint8)  # each line after its filter octet: none
    lines[:, 1:] = pixels
    header = pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _frequency_scale(top: float) -> Iterator[str]:
    for hertz in (100, 200, 500, 1000, 2000, 5000, 10_000):
        y = top + SPECTRUM_HEIGHT * (1 - log2(hertz / LOWEST) / log2(HIGHEST / LOWEST))
        words = f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
        yield f'<text x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{words}</text>'


# --- light patterns ----------------------------------------------------------------------------


def light_svg(pattern: Pattern) -> str:
    """The sides A to D over the same seconds at each speed, in the default colours."""
    block = len(SIDES) * SIDE_HEIGHT + SPEED_GAP
    body = "".join(
        "".join(_speed_rows(pattern, speed, SPEED_GAP + block * (speed - 1)))
        for speed in pattern.speeds
    )
    bottom = SPEED_GAP + block * len(pattern.speeds) - 6
    scale = "".join(_time_scale(LIGHT_SECONDS, bottom))
    return _framed(bottom + 20, body + scale)


def _speed_rows(pattern: Pattern, speed: int, top: int) -> Iterator[str]:
    yield (
        f'<text x="4" y="{top + 2 * SIDE_HEIGHT + 3}">×{speed}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{4 * SIDE_HEIGHT}" fill="#1a1c21"/>'
    )
    spans = list(_spans(pattern, speed))
    for row, side in enumerate(SIDES):
        y = top + row * SIDE_HEIGHT
        yield f'<text x="{LEFT - 6}" y="{y + 10}" text-anchor="end">{side}</text>'
        for begin, end, frame in spans:
            color, level = frame[row]
            if level:
                x, width = LEFT + begin * WIDTH / LIGHT_SECONDS, (end - begin) * WIDTH
                fill = "#" + bytes(COLORS[color]).hex()
                yield (
                    f'<rect x="{x:.1f}" y="{y}" width="{width / LIGHT_SECONDS:.1f}" '
                    f'height="{SIDE_HEIGHT - 1}" fill="{fill}" opacity="{level:.2f}"/>'
                )


def _spans(pattern: Pattern, speed: int) -> Iterator[tuple[float, float, Frame]]:
    """What is shown, and from when till when."""
    animation = animate(pattern.name, None, speed)
    at = 0.0
    while at < LIGHT_SECONDS:
        frame, following = animation.at(at)
        end = LIGHT_SECONDS if following is None else min(following, LIGHT_SECONDS)
        yield at, end, frame
        at = end


# --- both --------------------------------------------------------------------------------------


def _time_scale(seconds: float, top: float) -> Iterator[str]:
    step = 1.0 if seconds > 3 else 0.5 if seconds > 1.5 else 0.25
    for n in range(int(seconds / step + 1e-9) + 1):
        x = LEFT + n * step / seconds * WIDTH
        yield (
            f'<path d="M{x:.1f} {top}v3" stroke="#9a9da6"/>'
            f'<text x="{x:.1f}" y="{top + 14}" text-anchor="middle">{n * step:g} s</text>'
        )


def _framed(height: float, body: str) -> str:
    return _SVG.format(width=LEFT + WIDTH + RIGHT, height=round(height), body=body)
