"""How often a pattern flashes is known, so that people can be warned (SAF-01)."""

import pytest

from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.safety import SAFE_FLASHES, flashes_per_second, is_risky, table


def test_only_four_quick_blinks_are_more_than_three_flashes_a_second() -> None:
    """WCAG 2.2, 2.3.1: three flashes in any one second are the limit."""
    risky = {
        (name, speed) for name, rates in table().items() for speed in rates if is_risky(name, speed)
    }

    assert risky == {
        ("Blink 4x", 3),
        ("Blink 4x", 4),
        ("Blink 4x fade", 3),
        ("Blink 4x fade", 4),
    }


@pytest.mark.parametrize(
    ("pattern", "speed", "flashes"),
    [
        ("Off", 1, 0),
        ("Steady", 1, 0),
        ("Blink", 1, 1),
        ("Blink", 4, 3),  # 2.5 Hz: three of them touch one second
        ("Flash 1x", 4, 2),
        ("Flash 3x", 1, 3),
        ("Alternate", 1, 1),
        ("Rotate", 1, 1),
    ],
)
def test_the_rates(pattern: str, speed: int, flashes: int) -> None:
    assert flashes_per_second(pattern, speed) == flashes


def test_the_default_speed_of_every_pattern_is_safe() -> None:
    for name, pattern in PATTERNS.items():
        assert flashes_per_second(name, pattern.default_speed) <= SAFE_FLASHES
