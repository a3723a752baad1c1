"""How often a light flashes is known, so that people can be warned where it is chosen (SAF-01)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.colors import COLORS, chromaticity, relative_luminance
from sipstrobe.lightsiren.patterns import animate
from sipstrobe.lightsiren.safety import STILL, differs_from_red, is_red, judge, luminance, safety_of
from sipstrobe.lightsiren.settings import LightPart


@pytest.mark.parametrize(
    ("pattern", "speed", "hertz", "in_a_second", "large", "sides"),
    [
        ("Steady", 1, 0.0, 0, 0, 0),
        ("Blink", 1, 0.5, 1, 1, 4),
        ("Blink", 3, 1.667, 2, 2, 4),
        ("Blink", 4, 2.5, 3, 3, 4),  # three of them begin within 0.8 s
        ("Blink 4x", 4, 3.333, 4, 4, 4),
        ("Flash 3x", 1, 1.5, 3, 3, 4),  # three in 0.36 s, and then none for long
        ("Pulse", 4, 2.0, 2, 2, 4),
        ("Direction A", 4, 2.0, 2, 2, 2),  # only both flanks are lit together
        ("Rotate", 4, 1.667, 2, 0, 1),  # one side after the other: never over a large area
        ("Spin", 4, 2.941, 3, 0, 1),
        ("Random", 4, 2.941, 3, 3, 3),  # the worst that chance can bring
    ],
)
def test_the_rates(
    pattern: str, speed: int, hertz: float, in_a_second: int, large: int, sides: int
) -> None:
    found = judge(pattern, speed, ("white", "blue")[: PATTERNS[pattern].min_colors])

    assert (found.flash_rate_hz, found.flashes_per_second) == (hertz, in_a_second)
    assert (found.large_flashes_per_second, found.sides_at_once) == (large, sides)


def test_more_than_two_flashes_a_second_over_a_large_area_are_warned_of() -> None:
    """ITU-R BT.1702-3: a quarter of the area; three in a second are the limit of WCAG 2.3.1."""
    fast, round_and_round = judge("Blink", 4, ("white",)), judge("Spin", 4, ("white",))

    assert [warned.code for warned in fast.warnings] == ["flash_rate"]
    assert "3 flashes in one second on 4 sides" in fast.warnings[0].words
    assert not round_and_round.warnings
    assert not judge("Blink", 3, ("white",)).warnings


@pytest.mark.parametrize("color", COLORS)
def test_a_lamp_is_as_dangerous_in_any_colour(color: str) -> None:
    """Its own full light is the maximum: a blue lamp is brighter than any screen, too."""
    assert judge("Blink", 4, (color,)).large_flashes_per_second == 3


def test_only_flashing_in_saturated_red_is_warned_of() -> None:
    """WCAG 2.2, "red flash": R/(R+G+B) ≥ 0.8, and 0.2 apart in the CIE 1976 UCS diagram."""
    assert [color for color in COLORS if is_red(color)] == ["red"]
    assert [w.code for w in judge("Blink", 1, ("red",)).warnings] == ["saturated_red"]
    assert judge("Alternate", 1, ("white", "red"), 1).saturated_red
    assert judge("Pulse", 1, ("red",)).saturated_red  # it never goes out
    assert judge("Blink", 1, ("red",), 1).saturated_red  # however dark
    assert not judge("Steady", 1, ("red",)).warnings
    assert not judge("Blink", 1, ("pink",)).warnings


def test_what_red_differs_from() -> None:
    """IEC 61966-2-1: the white point is D65; dark has no colour and counts as it."""
    assert chromaticity("white") == pytest.approx((0.1978, 0.4683), abs=2e-4)
    assert chromaticity("red") == pytest.approx((0.4507, 0.5229), abs=2e-4)
    assert [c for c in COLORS if differs_from_red("red", c)] == [
        c for c in COLORS if c not in ("red", "amber", "pink")
    ]
    assert differs_from_red("red", "")


def test_weak_light_does_not_flash() -> None:
    """Lightness 0.2 is 3 % of the full luminance; a flash is a change by a tenth of it."""
    assert judge("Blink", 4, ("white",), 1) == STILL
    assert judge("Random", 4, ("white",), 1) == STILL
    assert judge("Blink", 4, ("white",), 2).flash_rate_hz == 2.5


def test_a_light_that_leaves_speed_and_colours_to_its_pattern_is_judged_with_those() -> None:
    left_out = LightPart(pattern="Blink 4x", intensity=5)

    assert safety_of(left_out) == judge("Blink 4x", 2, ("red",))
    assert safety_of(None) == STILL
    assert safety_of(LightPart(pattern="Off")) == STILL


# --- held against the definition ----------------------------------------------------------------


@st.composite
def lights(draw: st.DrawFn) -> tuple[str, int, tuple[str, ...], int]:
    pattern = draw(st.sampled_from([p for p in PATTERNS.values() if p.max_colors]))
    count = draw(st.integers(pattern.min_colors, min(pattern.max_colors, 4)))
    colors = draw(st.lists(st.sampled_from(list(COLORS)), min_size=count, max_size=count))
    speed, intensity = draw(st.sampled_from(pattern.speeds)), draw(st.integers(1, 5))
    return pattern.name, speed, tuple(colors), intensity


def sampled(light: tuple[str, int, tuple[str, ...], int], side: int, rounds: int) -> list[float]:
    """What one side shows, looked at every millisecond, without what stays the same."""
    name, speed, colors, intensity = light
    animation = animate(name, colors, speed, intensity)
    brightest = max(map(relative_luminance, colors))
    looks = round(rounds * animation.period * 1000)
    seen = (luminance(animation.at(ms / 1000)[0][side]) / brightest for ms in range(looks))
    return [value for value, _ in groupby(seen)]


def opposing_pairs(curve: Sequence[float]) -> int:
    """The most flashes that can be found in it: rises and falls in turn, taken from anywhere."""
    rises, falls = [0] * len(curve), [0] * len(curve)  # changes of a chain that ends with such
    for i, here in enumerate(curve):
        for j, before in enumerate(curve[:i]):
            if abs(here - before) < 0.1 or min(here, before) >= 0.8:
                continue
            if here > before:
                rises[i] = max(rises[i], falls[j] + 1)
            else:
                falls[i] = max(falls[i], rises[j] + 1)
    return max((*rises, *falls), default=0) // 2


@settings(max_examples=10, deadline=None)
@given(lights())
def test_the_rate_is_that_of_the_definition(light: tuple[str, int, tuple[str, ...], int]) -> None:
    """WCAG 2.2: each further repetition has as many flashes as are said, on the worst side."""
    name, speed, colors, intensity = light
    period = animate(name, colors, speed, intensity).period
    found = judge(name, speed, colors, intensity)

    curves = {tuple(sampled(light, side, 1)): tuple(sampled(light, side, 2)) for side in range(4)}
    more = max(opposing_pairs(two) - opposing_pairs(one) for one, two in curves.items())

    if PATTERNS[name].shuffled:
        assert more / period <= found.flash_rate_hz + 1 / period
    else:
        assert more / period == pytest.approx(found.flash_rate_hz, abs=2e-3)
    assert found.large_flashes_per_second <= found.flashes_per_second


def _all_alike() -> Iterator[str]:
    for name, pattern in PATTERNS.items():
        colors = ("white", "blue")[: max(1, pattern.min_colors)]
        if pattern.max_colors and not pattern.shuffled:
            frames = (animate(name, colors).at(ms / 100)[0] for ms in range(300))
            if all(len(set(frame)) == 1 for frame in frames):
                yield name


@pytest.mark.parametrize("name", list(_all_alike()))
def test_what_all_sides_show_is_large(name: str) -> None:
    found = judge(name)

    assert found.large_flashes_per_second == found.flashes_per_second
    assert found.sides_at_once in (0, 4)
