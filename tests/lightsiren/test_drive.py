"""Sides become bytes: each pixel shows its side, in its order, with its gamma and its limits."""

import pytest

from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.drive import COLOR_MA, DRIVE, PIXEL_MA, PixelPainter, TowerPainter
from sipstrobe.lightsiren.outputs import Ddp, Order, Stretch, Tower, TowerLine
from tests.support.light_receivers import pixels

MAIN, AUDIO = "SignalingLED", "AudioLED"
DARK = ("", 0.0)
FOUR = (("red", 1.0), ("green", 1.0), ("blue", 1.0), ("white", 1.0))
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3, (0, 0, 0)


def test_four_sides_share_the_pixels_equally_in_their_order() -> None:
    assert pixels(PixelPainter(Ddp(host="h", pixels=8)).paint(MAIN, FOUR)) == (
        [RED] * 2 + [GREEN] * 2 + [BLUE] * 2 + [WHITE] * 2
    )
    assert pixels(PixelPainter(Ddp(host="h", pixels=5)).paint(MAIN, FOUR)) == (
        [RED] * 2 + [GREEN, BLUE, WHITE]
    )
    assert pixels(PixelPainter(Ddp(host="h", pixels=1)).paint(MAIN, FOUR)) == [RED]


def test_stretches_mirror_sides_leave_gaps_and_show_both_lights() -> None:
    wanted = Ddp(
        host="h",
        pixels=7,
        stretches=(
            Stretch(side="B", first=5, count=1),
            Stretch(side="A", first=0, count=1),
            Stretch(side="B", first=1, count=2),
            Stretch(side="C", first=6, count=1, light=AUDIO),
        ),
    )
    painter = PixelPainter(wanted)

    before = painter.paint(MAIN, FOUR)
    both = painter.paint(AUDIO, (DARK, DARK, ("blue", 1.0), DARK))

    assert pixels(before) == [RED, GREEN, GREEN, BLACK, BLACK, GREEN, BLACK]
    assert pixels(both) == [RED, GREEN, GREEN, BLACK, BLACK, GREEN, BLUE]
    assert pixels(painter.filled("red")) == [RED, RED, RED, BLACK, BLACK, RED, RED]
    assert not any(painter.filled(""))


def test_the_other_light_does_not_show() -> None:
    painter = PixelPainter(Ddp(host="h", pixels=4, light=AUDIO))

    assert not any(painter.paint(MAIN, FOUR))
    assert any(painter.paint(AUDIO, FOUR))


@pytest.mark.parametrize(
    ("order", "purple", "white"),
    [
        ("RGB", (79, 0, 255), (255, 255, 255)),
        ("GRB", (0, 79, 255), (255, 255, 255)),
        ("BRG", (255, 79, 0), (255, 255, 255)),
        ("RGBW", (79, 0, 255, 0), (0, 0, 0, 255)),
        ("GRBW", (0, 79, 255, 0), (0, 0, 0, 255)),
    ],
)
def test_a_pixel_takes_its_colours_in_its_order(
    order: Order, purple: tuple[int, ...], white: tuple[int, ...]
) -> None:
    """Where there is a white LED, it makes what is white in a colour."""
    painter = PixelPainter(Ddp(host="h", pixels=4, order=order))

    levels = painter.paint(MAIN, (("purple", 1.0), ("white", 1.0), DARK, DARK))

    assert pixels(levels, len(order))[:2] == [purple, white]


def test_pink_has_a_little_white() -> None:
    painter = PixelPainter(Ddp(host="h", pixels=1, order="RGBW"))

    assert tuple(painter.paint(MAIN, (("pink", 1.0),) * 4)) == (240, 0, 76, 15)


def test_half_the_lightness_is_much_less_than_half_the_power() -> None:
    """0.5 ** 2.2 = 0.218."""
    half = (("red", 0.5),) * 4

    assert PixelPainter(Ddp(host="h", pixels=1)).paint(MAIN, half)[0] == 55
    assert PixelPainter(Ddp(host="h", pixels=1, gamma=1.0)).paint(MAIN, half)[0] == 128
    assert PixelPainter(Ddp(host="h", pixels=1, brightness=50)).paint(MAIN, half)[0] == 28


def test_the_darkest_light_is_still_a_light_and_darkness_is_none() -> None:
    painter = PixelPainter(Ddp(host="h", pixels=4))

    levels = painter.paint(MAIN, (("amber", 0.01), ("white", 0.01), ("amber", 0.0), DARK))

    assert pixels(levels) == [(1, 0, 0), (1, 1, 1), BLACK, BLACK]


def test_a_picture_that_would_take_too_much_current_is_dimmed() -> None:
    limit = 500
    painter = PixelPainter(Ddp(host="h", pixels=100, current_limit_ma=limit))

    white = painter.paint(MAIN, (("white", 1.0),) * 4)
    red = painter.paint(MAIN, (("red", 0.3), DARK, DARK, DARK))

    taken = sum(white) / 255 * COLOR_MA + 100 * PIXEL_MA
    assert limit * 0.95 < taken <= limit
    assert len(set(white)) == 1
    assert red == PixelPainter(Ddp(host="h", pixels=100)).paint(
        MAIN, (("red", 0.3), DARK, DARK, DARK)
    )


def test_a_limit_below_what_the_pixels_take_themselves_leaves_them_dark() -> None:
    painter = PixelPainter(Ddp(host="h", pixels=100, current_limit_ma=50))

    assert not any(painter.paint(MAIN, FOUR))


def test_every_colour_of_a_profile_is_known_and_has_full_power() -> None:
    assert DRIVE.keys() == COLORS.keys()
    assert all(max(value) == 255 for name, value in DRIVE.items() if name != "turquoise")
    linear = {n: tuple(round((c / 255) ** 2.2 * 255) for c in rgb) for n, rgb in COLORS.items()}
    assert all(abs(a - b) <= 1 for n in COLORS for a, b in zip(DRIVE[n], linear[n], strict=True)), (
        "the same as on the page, in linear light"
    )


def test_a_tower_follows_sides_and_colours_above_its_threshold() -> None:
    tower = Tower(
        lines=(
            TowerLine(line=1),
            TowerLine(line=2, side="B"),
            TowerLine(line=3, colors=("red", "amber")),
            TowerLine(line=4, side="A", colors=("green",)),
        ),
        threshold=0.5,
    )
    painter = TowerPainter(tower)

    assert painter.paint(MAIN, (("red", 0.5), DARK, DARK, DARK)) == bytes([1, 0, 1, 0])
    assert painter.paint(MAIN, (("red", 0.49), DARK, DARK, DARK)) == bytes(4)
    assert painter.paint(MAIN, (("green", 1.0), ("blue", 1.0), DARK, DARK)) == bytes([1, 1, 0, 1])
    assert painter.paint(AUDIO, (("red", 1.0),) * 4) == bytes([1, 1, 0, 1])
    assert painter.filled("amber") == bytes([1, 1, 1, 0])
    assert painter.filled("") == bytes(4)
