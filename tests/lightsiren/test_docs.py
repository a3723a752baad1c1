"""The table of the light patterns in the documentation is what the catalogue says."""

from collections.abc import Iterator
from pathlib import Path

from sipstrobe.lightsiren.catalogue import PATTERNS, Pattern
from sipstrobe.lightsiren.patterns import period
from sipstrobe.lightsiren.safety import judge

PAGE = Path(__file__).parents[2] / "docs" / "light-patterns.md"


def rows() -> Iterator[str]:
    for pattern in PATTERNS.values():
        cells = [pattern.name, pattern.words, _colors(pattern), *_speeds(pattern)]
        yield f"| {' | '.join(cells)} |"


def _colors(pattern: Pattern) -> str:
    least, most = pattern.min_colors, pattern.max_colors
    return str(least) if least == most else f"{least}–{most}"


def _speeds(pattern: Pattern) -> Iterator[str]:
    for speed in (1, 2, 3, 4):
        if speed not in pattern.speeds:
            yield "–"
            continue
        colors = ("white", "blue")[: pattern.min_colors]  # what is said of red is said below
        safety = judge(pattern.name, speed, colors)
        mark = " ⚠" if safety.warnings else ""
        yield f"{period(pattern.name, None, speed):g} s, {safety.flashes_per_second}{mark}"


def test_the_page_lists_every_pattern_with_its_periods_and_flashes() -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()

    assert [line for line in page if line.startswith("| ") and "s, " in line] == list(rows())
