"""When each sample of a page is wanted, by the reports of its sender: RFC 3550 §6.4.1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.multicast.alignment import FAR, LEAP, MAX_SENDERS, Alignment

DELAY = 0.200
RATE = 8000
EPOCH = 2208988800  # seconds from 1900 to 1970
WALL = 1_900_000_000.0  # of our clock at the monotonic instant 0
DESK, SSRC = "192.0.2.1", 7
WRAP = 1 << 32


def report(
    alignment: Alignment,
    at: float,
    timestamp: int,
    *,
    ahead: float = 0.0,
    transit: float = 0.001,
    host: str = DESK,
    ssrc: int = SSRC,
) -> None:
    """One that was sent at a monotonic instant of ours, by a clock that is ahead of ours."""
    ntp = round((WALL + at + ahead + EPOCH) * WRAP) % (1 << 64)
    now = at + transit
    alignment.report(host, ssrc, ntp, timestamp % WRAP, now=now, wall=WALL + now)


def speaking(at: float = 0.0, timestamp: int = 1000) -> Alignment:
    alignment = Alignment(DELAY)
    report(alignment, at, timestamp)
    alignment.begin(DESK, SSRC, RATE)
    return alignment


def test_a_sample_is_wanted_a_set_delay_after_its_instant() -> None:
    """However long the report has been on its way."""
    alignment = Alignment(DELAY)
    assert not alignment.known
    assert alignment.wanted(1000, now=10.0) is None

    report(alignment, 10.0, 1000, transit=0.03)
    alignment.begin(DESK, SSRC, RATE)

    assert alignment.known
    assert alignment.wanted(1000, now=10.0) == pytest.approx(10.2, abs=1e-5)
    assert alignment.wanted(1160, now=10.02) == pytest.approx(10.22, abs=1e-5)
    assert alignment.problem == ""


def test_two_speakers_that_started_at_different_times_want_the_same_instant() -> None:
    """Their monotonic clocks have nothing to do with each other."""
    one, other = Alignment(DELAY), Alignment(DELAY)
    for alignment, started in ((one, 0.0), (other, -5000.0)):
        ntp = round((WALL + 10.0 + EPOCH) * WRAP) % (1 << 64)
        alignment.report(DESK, SSRC, ntp, 1000, now=10.001 - started, wall=WALL + 10.001)
        alignment.begin(DESK, SSRC, RATE)

    here, there = one.wanted(1160, now=10.02), other.wanted(1160, now=5010.02)

    assert here is not None
    assert there is not None
    assert there - here == pytest.approx(5000.0, abs=1e-5)


def test_timestamps_go_round() -> None:
    alignment = speaking(timestamp=WRAP - 80)

    assert alignment.wanted(80, now=0.02) == pytest.approx(0.22, abs=1e-5)


def test_a_page_of_days_without_another_report_goes_on() -> None:
    """2**32 units are six days."""
    alignment = speaking()
    day = 86400

    for n in range(10):
        timestamp = (1000 + n * day * RATE) % WRAP
        wanted = alignment.wanted(timestamp, now=n * day)
        assert wanted == pytest.approx(n * day + DELAY, abs=1e-3)


def test_the_newest_report_counts() -> None:
    """A sender's sound card drifts against his clock; all speakers go along at once."""
    alignment = speaking()

    report(alignment, 5.0, 1000 + 5 * RATE - 8)  # 1 ms less sound than time

    assert alignment.wanted(1000 + 5 * RATE, now=5.0) == pytest.approx(5.201, abs=1e-4)


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(7200.0, "2 hours ahead"), (-3 * 86400.0, "3 days behind"), (FAR + 0.1, "0.6 seconds ahead")],
)
def test_a_clock_that_is_not_ours_is_not_followed(ahead: float, words: str) -> None:
    alignment = Alignment(DELAY)

    report(alignment, 0.0, 1000, ahead=ahead)
    alignment.begin(DESK, SSRC, RATE)

    assert alignment.wanted(1000, now=0.0) is None
    assert alignment.problem == f"the sender's clock is not ours: it is {words}"
    report(alignment, 5.0, 1000 + 5 * RATE)
    assert alignment.problem == ""
    assert alignment.known


def test_a_clock_that_leaps_is_followed_when_the_next_report_says_the_same() -> None:
    alignment = speaking()

    report(alignment, 5.0, 1000 + 5 * RATE, ahead=0.3)
    assert alignment.wanted(1000 + 5 * RATE, now=5.0) == pytest.approx(5.2, abs=1e-4)
    assert alignment.problem == "the sender's clock has leapt by +300 ms"
    report(alignment, 10.0, 1000 + 10 * RATE, ahead=0.3)

    assert alignment.wanted(1000 + 10 * RATE, now=10.0) == pytest.approx(10.5, abs=1e-4)
    assert alignment.problem == ""


def test_a_single_leap_is_forgotten() -> None:
    alignment = speaking()
    report(alignment, 5.0, 1000 + 5 * RATE, ahead=2 * LEAP)

    report(alignment, 10.0, 1000 + 10 * RATE)

    assert alignment.problem == ""
    assert alignment.wanted(1000 + 10 * RATE, now=10.0) == pytest.approx(10.2, abs=1e-4)


def test_drift_over_a_long_pause_is_no_leap() -> None:
    """200 ppm over ten minutes are 120 ms."""
    alignment = speaking()

    report(alignment, 600.0, 1000 + 600 * RATE, ahead=0.120)

    assert alignment.problem == ""


def test_reports_that_are_about_something_else_than_the_sound_are_told() -> None:
    """The timestamps have begun anew; the next report is believed at once."""
    alignment = speaking()

    assert alignment.wanted(5_000_000, now=1.0) is None
    assert alignment.problem == "the sender's reports do not fit its sound"
    report(alignment, 2.0, 5_008_000)

    assert alignment.wanted(5_008_000, now=2.0) == pytest.approx(2.2, abs=1e-4)
    assert alignment.problem == ""


def test_only_the_talkers_reports_count() -> None:
    alignment = speaking()

    report(alignment, 5.0, 77, host="192.0.2.9")
    report(alignment, 5.0, 77, ssrc=8)
    report(alignment, 5.0, 77, ahead=3600.0, ssrc=8)

    assert alignment.wanted(1000, now=0.0) == pytest.approx(0.2, abs=1e-4)
    assert alignment.problem == ""


def test_who_takes_over_has_reported_before() -> None:
    alignment = speaking()
    report(alignment, 3.0, 50, ssrc=8)

    alignment.begin(DESK, 8, RATE)

    assert alignment.wanted(50, now=3.0) == pytest.approx(3.2, abs=1e-4)


def test_whose_clock_is_wrong_is_not_told_of_the_next_talker() -> None:
    alignment = Alignment(DELAY)
    report(alignment, 0.0, 1000, ahead=3600.0)
    alignment.begin(DESK, SSRC, RATE)
    assert alignment.problem

    alignment.begin(DESK, 8, RATE)

    assert alignment.problem == ""


def test_so_many_senders_are_remembered_and_no_more() -> None:
    alignment = Alignment(DELAY)
    for ssrc in range(MAX_SENDERS + 1):
        report(alignment, 0.0, 1000, ssrc=ssrc)

    alignment.begin(DESK, 0, RATE)
    assert not alignment.known
    alignment.begin(DESK, 1, RATE)

    assert alignment.known


def test_the_era_of_ntp_is_the_one_that_is_nearest() -> None:
    """RFC 5905 §6: in February 2036 the seconds begin again at 0."""
    alignment = Alignment(DELAY)
    wall = WRAP - EPOCH + 5.0
    alignment.report(DESK, SSRC, 5 << 32, 1000, now=0.0, wall=wall)
    alignment.begin(DESK, SSRC, RATE)

    assert alignment.wanted(1000, now=0.0) == pytest.approx(0.2, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, WRAP - 1), st.floats(0, 1e9))))
def test_whatever_is_reported_nothing_is_wanted_far_from_now(
    said: list[tuple[int, int, float]],
) -> None:
    alignment = Alignment(DELAY)
    for ntp, timestamp, now in said:
        alignment.report(DESK, SSRC, ntp, timestamp, now=now, wall=WALL + now)
        alignment.begin(DESK, SSRC, RATE)
        wanted = alignment.wanted(timestamp, now=now)
        assert wanted is None or abs(wanted - now) <= FAR + 2 * DELAY + 1e-3
