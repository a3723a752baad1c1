"""Reception statistics: RFC 3550 §6.4.1, appendices A.3 and A.8."""

import pytest

from sipstrobe.rtp.statistics import Reception


def received(numbers: list[int], *, jitter: float = 0.0) -> Reception:
    source = Reception(1, numbers[0], 8000)
    for turn, n in enumerate(numbers):
        late = jitter if turn % 2 else 0.0
        source.update(n, n * 160, n * 0.020 + late)
    return source


def test_nothing_lost_and_no_jitter() -> None:
    source = received(list(range(100)))

    report = source.report(2.0)

    assert (report.fraction_lost, report.lost, report.jitter) == (0, 0, 0)
    assert report.highest_sequence == 99


def test_the_fraction_lost_counts_since_the_last_report() -> None:
    source = received([n for n in range(100) if n % 4])
    first = source.report(2.0)

    for n in range(100, 200):
        source.update(n, n * 160, n * 0.020)
    second = source.report(4.0)

    assert first.lost == 24  # the one before the first packet is not missed
    assert first.fraction_lost == 24 * 256 // 99
    assert (second.fraction_lost, second.lost) == (0, 24)


def test_duplicates_make_the_loss_negative() -> None:
    source = received([1, 2, 3])
    source.update(3, 480, 0.06)

    assert source.report(1.0).lost == -1
    assert source.lost == -1


def test_jitter_is_the_smoothed_mean_deviation() -> None:
    """Every spacing is 5 ms off; each packet takes the estimate 1/16 of the way there."""
    source = received(list(range(400)), jitter=0.005)

    assert source.jitter == pytest.approx(0.005, rel=0.01)


def test_a_jump_of_the_timestamps_is_no_jitter() -> None:
    source = received(list(range(50)))

    source.update(50, 0x90000000, 1.0)

    assert source.jitter == pytest.approx(0.0)


def test_the_delay_since_the_sender_report_is_told() -> None:
    source = received([1])
    source.sender_report(0x12345678, now=10.0)

    report = source.report(10.5)

    assert report.last_sender_report == 0x12345678
    assert report.delay == 32768


def test_a_restart_of_the_sender_begins_the_count_anew() -> None:
    source = received(list(range(1000, 1100)))
    source.update(9, 0, 3.0)
    source.update(10, 160, 3.02)
    source.update(11, 320, 3.04)

    assert source.received == 2
    assert source.lost == 0
