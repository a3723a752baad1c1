"""Histograms and counters."""

from sipstrobe.measure import Histogram, Measures


def test_quantiles_are_right_to_within_a_bucket() -> None:
    histogram = Histogram()
    for n in range(1, 1001):
        histogram.record(n * 1e-5)  # 10 µs … 10 ms, evenly

    assert histogram.count == 1000
    assert 0.005 <= histogram.quantile(0.5) <= 0.0064
    assert 0.0099 <= histogram.quantile(0.99) <= 0.01
    assert histogram.quantile(1.0) == histogram.largest == 0.01


def test_an_empty_histogram_says_zero() -> None:
    assert Histogram().quantile(0.99) == 0.0


def test_prometheus_buckets_are_cumulative_and_end_with_infinity() -> None:
    measures = Measures()
    measures.counter("calls_total", "Calls").add(3)
    measures.gauge("up", "Up", lambda: 1.0)
    measures.histogram("x_seconds", "X").record(0.5)
    measures.histogram("x_seconds").record(99.0)

    lines = list(measures.prometheus())

    assert "calls_total 3" in lines
    assert "up 1" in lines
    assert 'x_seconds_bucket{le="0.4"} 0' in lines
    assert 'x_seconds_bucket{le="0.63"} 1' in lines
    assert 'x_seconds_bucket{le="+Inf"} 2' in lines
    assert lines[-1] == "x_seconds_count 2"


def test_families_differ_in_a_label_and_figures_may_have_bounds_of_their_own() -> None:
    measures = Measures()
    measures.family("calls", "Calls", "verdict", lambda: {"ok": 2, "poor": 1})
    measures.family("ended_total", "Ended", "verdict", dict[str, float])
    measures.histogram("mos", "Score", (2.0, 3.0)).record(2.5)

    lines = list(measures.prometheus())

    assert 'calls{verdict="ok"} 2' in lines
    assert 'calls{verdict="poor"} 1' in lines
    assert "# TYPE calls gauge" in lines
    assert "# TYPE ended_total counter" in lines
    assert [line for line in lines if line.startswith("mos_bucket")] == [
        'mos_bucket{le="2"} 0',
        'mos_bucket{le="3"} 1',
        'mos_bucket{le="+Inf"} 1',
    ]
