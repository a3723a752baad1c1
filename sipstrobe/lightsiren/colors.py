"""The nine colours of the light, by the names that profiles use."""

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


def relative_luminance(color: str) -> float:
    """How bright a colour looks beside white, 0…1 (WCAG 2.2, "relative luminance")."""
    red, green, blue = (_linear(channel / 255) for channel in COLORS[color])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
