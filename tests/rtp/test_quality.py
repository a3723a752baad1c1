"""Bursts of RFC 3611 §4.7.2 and the E-model of ITU-T G.107."""

import random

import pytest

from sipstrobe.rtp.quality import (
    GMIN,
    IMPAIRMENTS,
    MAX_REMEMBERED,
    Bursts,
    Counts,
    Impairment,
    Losses,
    delay_impairment,
    effective_impairment,
    mos,
    quality,
)


def heard(pattern: str) -> tuple[Counts, Bursts]:
    """What comes of a stream in which each x is missing and each dot is played."""
    losses = Losses()
    losses.begin(1000)
    for number, packet in enumerate(pattern, start=1000):
        if packet == "x":
            losses.miss(number)
    upcoming = 1000 + len(pattern)
    return losses.counts(upcoming), losses.bursts(upcoming)


def bursts_of(pattern: str) -> Bursts:
    """The definition of RFC 3611 §4.7.2, packet by packet and without thinking of speed."""
    missing = [n for n, packet in enumerate(pattern) if packet == "x"]
    groups: list[list[int]] = []
    for n in missing:
        if groups and n - groups[-1][-1] - 1 < GMIN:
            groups[-1].append(n)
        else:
            groups.append([n])
    spans = [(group[0], group[-1], len(group)) for group in groups if len(group) > 1]
    packets = sum(last - first + 1 for first, last, _ in spans)
    lost = sum(count for *_, count in spans)
    gap = len(pattern) - packets
    return Bursts(
        lost / packets if packets else 0.0,
        (len(missing) - lost) / gap if gap else 0.0,
        packets / len(spans) if spans else 0.0,
        gap / (len(spans) + 1),
    )


def test_single_losses_far_apart_are_no_burst() -> None:
    counts, bursts = heard(("." * GMIN + "x") * 4)

    assert counts == Counts(expected=4 * (GMIN + 1), missing=4, runs=4)
    assert (bursts.burst_density, bursts.burst_length) == (0.0, 0.0)
    assert bursts.gap_density == pytest.approx(1 / (GMIN + 1))


def test_losses_with_fewer_than_gmin_packets_between_them_are_one_burst() -> None:
    """RFC 3611 §4.7.2: a burst has no Gmin packets in a row that were received."""
    _, bursts = heard("." * 50 + "x" + "." * (GMIN - 1) + "xx" + "." * 50)

    assert bursts.burst_length == GMIN + 2
    assert bursts.burst_density == pytest.approx(3 / (GMIN + 2))
    assert bursts.gap_density == 0.0
    assert bursts.gap_length == 50


def test_the_quick_way_counts_as_the_definition_does() -> None:
    chance = random.Random(7)
    for _ in range(300):
        share = chance.choice([0.0, 0.01, 0.05, 0.3, 0.9])
        pattern = "".join(chance.choices("x.", (share, 1 - share), k=chance.randrange(1, 400)))
        counts, bursts = heard("." + pattern)

        assert counts.missing == pattern.count("x")
        assert counts.runs == sum(1 for run in pattern.split(".") if run)
        assert bursts == pytest.approx(bursts_of("." + pattern))


def test_several_at_once_count_as_one_after_the_other() -> None:
    losses = Losses()
    losses.begin(0)
    losses.miss(10, 5)

    assert losses.counts(20) == Counts(expected=20, missing=5, runs=1)
    assert losses.bursts(20).burst_length == 5


def test_what_comes_late_was_discarded_and_what_comes_twice_was_not() -> None:
    losses = Losses()
    losses.begin(0)
    losses.miss(3)
    losses.discard(3)
    losses.discard(3)
    losses.discard(2)

    assert losses.counts(10) == Counts(expected=10, missing=1, runs=1, discarded=1)


def test_no_number_of_losses_is_remembered_without_bound() -> None:
    losses = Losses()
    losses.begin(0)
    losses.miss(0, 3000)
    for number in range(3000):
        losses.discard(number)

    assert losses.counts(3000).discarded == MAX_REMEMBERED


def test_another_run_of_numbers_goes_on_counting() -> None:
    """A sender that starts anew has lost nothing on the way."""
    losses = Losses()
    losses.begin(100)
    losses.miss(110, 2)
    losses.end(150)
    losses.begin(9_000_000)
    losses.miss(9_000_000)

    assert losses.counts(9_000_050) == Counts(expected=100, missing=3, runs=2)
    assert losses.bursts(9_000_050).burst_length == 2


def test_an_interval_is_the_difference_of_two_counts() -> None:
    then, now = Counts(100, 10, 5, 1), Counts(300, 16, 8, 1)

    assert now.since(then) == Counts(200, 6, 3, 0)
    assert Counts(50, 1, 1).since(then) == Counts(50, 1, 1)


@pytest.mark.parametrize(
    ("r_factor", "expected"), [(93.2, 4.41), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)]
)
def test_the_score_of_a_rating_is_that_of_the_table(r_factor: float, expected: float) -> None:
    """G.107 table B.1 (and its Ro - Is with all defaults)."""
    assert mos(r_factor) == pytest.approx(expected, abs=0.01)


def test_scores_stay_within_their_scale() -> None:
    """G.107 annex B; the polynomial dips below 1 where hardly anything is understood."""
    scores = [mos(r) for r in range(-20, 121)]

    assert min(scores) == 1.0
    assert max(scores) == 4.5
    assert scores == sorted(scores)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 0.0), (1, 3.64), (2, 7.01), (3, 10.14), (5, 15.78), (10, 27.07)]
)
def test_random_loss_impairs_g711_with_concealment_as_g113_says(
    percent: float, expected: float
) -> None:
    """G.107 §7.5 with Ie = 0 and Bpl = 25.1 of G.113 appendix I."""
    lost = round(100 * percent)
    counts = Counts(10_000, lost, lost)  # one by one: BurstR = 1 - share, so 1

    found = effective_impairment(IMPAIRMENTS["PCMU"], counts)

    assert found == pytest.approx(expected, abs=0.01)


def test_loss_in_bursts_is_worse_than_the_same_loss_by_chance() -> None:
    """G.107 §7.5: BurstR."""
    single, bursty = Counts(1000, 20, 20), Counts(1000, 20, 5)

    assert bursty.burst_ratio == pytest.approx(4 * 0.98)
    impairment = Impairment(0.0, 4.3)
    assert effective_impairment(impairment, bursty) > effective_impairment(impairment, single)


def test_delay_disturbs_from_177_ms_on() -> None:
    assert delay_impairment(100.0) == pytest.approx(2.4)
    assert delay_impairment(300.0) == pytest.approx(7.2 + 0.11 * 122.7)


def test_the_conversation_suffers_from_delay_and_the_listener_does_not() -> None:
    near = quality(Counts(500, 5, 5, 2), "PCMA", 40.0)
    far = quality(Counts(500, 5, 5, 2), "PCMA", 400.0)

    assert near is not None
    assert far is not None
    assert near.mos_lq == far.mos_lq
    assert near.mos_cq - far.mos_cq > 1.0
    assert (near.loss, near.discard) == pytest.approx((3 / 500, 2 / 500))


def test_a_third_of_the_sound_missing_is_poor() -> None:
    found = quality(Counts(1000, 300, 210), "PCMU", 60.0)

    assert found is not None
    assert found.mos_cq < 2.5


def test_nothing_is_said_of_a_codec_that_was_never_judged() -> None:
    assert quality(Counts(100), "GSM", 0.0) is None
