"""The engine against a plain reading of the rules that looks at everything each time.

More of it: ``python -m tests.rules.oracle --sets 10000``.
"""

from random import Random

import pytest

from tests.rules.oracle import drawn_rules, drawn_steps, live

SETS = 150


@pytest.mark.parametrize("seeds", [range(SETS // 2), range(SETS // 2, SETS)])
def test_the_engine_does_what_a_plain_reading_says(seeds: range) -> None:
    """EVT-01…08, AMB-13, ACT-02; edits and restarts in between."""
    for seed in seeds:
        random = Random(seed)
        live(drawn_rules(random), drawn_steps(random))
