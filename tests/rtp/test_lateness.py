"""How late packets are against the most punctual ones."""

import pytest

from sipstrobe.rtp.lateness import HALF_WINDOW, Lateness, RecentLeast


def test_the_least_of_the_last_seconds_is_kept_and_then_forgotten() -> None:
    least = RecentLeast()
    least.update(1.0, 0.0)

    assert least.update(5.0, 1.0) == 1.0
    assert least.update(4.0, HALF_WINDOW + 1) == 1.0
    assert least.update(6.0, 2 * HALF_WINDOW + 2) == 4.0
    assert least.update(6.0, 9 * HALF_WINDOW) == 6.0


def test_lateness_is_counted_from_the_most_punctual_packet() -> None:
    lateness = Lateness()

    late = [
        lateness.update(n * 0.02 + delay, n * 0.02)
        for n, delay in enumerate([0.05, 0.03, 0.04, 0.03])
    ]

    assert late == pytest.approx([0.0, 0.0, 0.01, 0.0])


def test_the_quantile_passes_over_single_outliers() -> None:
    lateness = Lateness()
    for n in range(500):
        lateness.update(n * 0.02 + (0.1 if n == 250 else 0.004 * (n % 2)), n * 0.02)

    assert lateness.quantile == pytest.approx(0.004)


def test_timestamps_that_jump_begin_a_new_count() -> None:
    lateness = Lateness()
    lateness.update(1.0, 0.0)

    assert lateness.update(1.02, 5000.0) == 0.0
    assert lateness.punctual == pytest.approx(1.02 - 5000.0)
