"""Counters and histograms, cheap enough to be always on."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

# Upper bounds in seconds: 10 µs … 10 s, five to a decade.
BOUNDS: tuple[float, ...] = (
    *(round(m * 10.0**e, 9) for e in range(-5, 1) for m in (1.0, 1.6, 2.5, 4.0, 6.3)),
    10.0,
)


class Histogram:
    """How long something took, in logarithmic buckets; with other bounds, any other figure."""

    __slots__ = ("bounds", "counts", "largest", "total")

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self.largest = 0.0

    def record(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        if value > self.largest:
            self.largest = value

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, q: float) -> float:
        """The upper bound of the bucket in which quantile q (0…1) lies; 0 when empty."""
        wanted = q * self.count
        seen = 0
        for bound, n in zip((*self.bounds, self.largest), self.counts, strict=True):
            seen += n
            if n and seen >= wanted:
                return min(bound, self.largest)
        return 0.0


class Counter:
    """Something that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def add(self, n: int = 1) -> None:
        self.value += n


class Measures:
    """All figures of the device by name; names follow Prometheus (``…_seconds``, ``…_total``)."""

    def __init__(self) -> None:
        self.histograms: dict[str, tuple[str, Histogram]] = {}
        self.counters: dict[str, tuple[str, Counter]] = {}
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.families: dict[str, tuple[str, str, Callable[[], Mapping[str, float]]]] = {}

    def histogram(
        self, name: str, words: str = "", bounds: tuple[float, ...] = BOUNDS
    ) -> Histogram:
        """The histogram of this name, made on first use; words say what it measures."""
        return self.histograms.setdefault(name, (words, Histogram(bounds)))[1]

    def counter(self, name: str, words: str = "") -> Counter:
        return self.counters.setdefault(name, (words, Counter()))[1]

    def gauge(self, name: str, words: str, read: Callable[[], float]) -> None:
        self.gauges[name] = (words, read)

    def family(
        self, name: str, words: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Gauges, or counters by their name, that differ in one label; read gives each there is."""
        self.families[name] = (words, label, read)

    def prometheus(self) -> Iterator[str]:
        """The lines of the Prometheus text format."""
        for name, (words, counter) in self.counters.items():
            yield from (f"# HELP {name} {words}", f"# TYPE {name} counter")
            yield f"{name} {counter.value}"
        for name, (words, read) in self.gauges.items():
            yield from (f"# HELP {name} {words}", f"# TYPE {name} gauge", f"{name} {read():g}")
        for name, (words, label, read) in self.families.items():
            kind = "counter" if name.endswith("_total") else "gauge"
            yield from (f"# HELP {name} {words}", f"# TYPE {name} {kind}")
            yield from (f'{name}{{{label}="{key}"}} {value:g}' for key, value in read().items())
        for name, (words, histogram) in self.histograms.items():
            yield from (f"# HELP {name} {words}", f"# TYPE {name} histogram")
            seen = 0
            for bound, n in zip((*histogram.bounds, None), histogram.counts, strict=True):
                seen += n
                yield f'{name}_bucket{{le="{"+Inf" if bound is None else f"{bound:g}"}"}} {seen}'
            yield f"{name}_sum {histogram.total:.9f}"
            yield f"{name}_count {seen}"
