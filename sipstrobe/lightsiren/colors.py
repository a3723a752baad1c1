"""The nine colours of the light, by the names that profiles use."""

from functools import cache

RGB = tuple[int, int, int]

COLORS: dict[str, RGB] = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "amber": (255, 140, 0),
    "yellow": (255, 225, 0),
    "pink": (255, 70, 160),
    "purple": (150, 0, 255),
    "turquoise": (0, 225, 205),
}


@cache
def relative_luminance(color: str) -> float:
    """How bright a colour looks beside white, 0…1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = _light(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def redness(color: str) -> float:
    """The share of red in the light of a colour, 0…1."""
    red, green, blue = _light(color)
    return red / (red + green + blue)


@cache
def chromaticity(color: str) -> tuple[float, float]:
    """u' and v' of a colour in the CIE 1976 UCS diagram (ISO/CIE 11664-5), from sRGB (IEC
    61966-2-1)."""
    red, green, blue = _light(color)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    whole = x + 15 * y + 3 * z
    return 4 * x / whole, 9 * y / whole


def _light(color: str) -> tuple[float, float, float]:
    """The light of each primary, 0…1."""
    red, green, blue = (_linear(channel / 255) for channel in COLORS[color])
    return red, green, blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
