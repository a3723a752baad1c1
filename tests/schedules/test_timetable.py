"""What is rung, begins, ends and is missed, whatever happens to the clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.schedules.occurrences import BATCH, Batch, Occurrence
from sipstrobe.schedules.timetable import (
    AHEAD,
    GRACE,
    MAX_RUNG,
    Ask,
    Begin,
    End,
    Known,
    Miss,
    Ring,
    Step,
    Timetable,
    Why,
)

HOUR = 3600.0
BASE = 100_800.0  # a whole number of all intervals below


@dataclass
class Bench:
    """A timetable on clocks that are set by hand. wanted: by name, (first, every, length)."""

    wanted: dict[str, tuple[float, float, float]]
    wall: float = 0.0
    now: float = 1000.0
    most: int = BATCH
    known: dict[str, Known] = field(default_factory=dict[str, Known])
    told: list[str] = field(default_factory=list[str])
    misses: list[Miss] = field(default_factory=list[Miss])

    def __post_init__(self) -> None:
        self.table = Timetable()
        self.apply(self.known)

    def apply(self, known: dict[str, Known] | None = None) -> None:
        keys = {name: (wanted, wanted[2]) for name, wanted in self.wanted.items()}
        self.table.apply(keys, known, now=self.now, wall=self.wall)
        self.settle()

    def settle(self) -> None:
        while self.table.outbox:
            match self.table.outbox.popleft():
                case Ask(name, version, after):
                    batch = self.find(name, after)
                    self.table.supply(name, version, batch, now=self.now, wall=self.wall)
                case Ring(name, at, late):
                    self.told.append(f"{name} {at.start:g}" + (f" late {late:g}" if late else ""))
                case Begin(name, at, late, again):
                    more = " again" if again else f" late {late:g}" if late else ""
                    self.told.append(f"{name} on {at.start:g}{more}")
                case End(name):
                    self.told.append(f"{name} off")
                case Miss() as miss:
                    until = "" if miss.until is None else f"…{miss.until:g}"
                    self.told.append(f"{miss.schedule} not {miss.at.start:g}{until} {miss.why}")
                    self.misses.append(miss)
                case Step():
                    pass

    def find(self, name: str, after: float) -> Batch:
        first, every, length = self.wanted[name]
        number = max(0, int((after - first) // every) + 1) if after >= first else 0
        starts = [first + (number + n) * every for n in range(self.most)]
        found = [Occurrence(at, at + length if length else None) for at in starts]
        return Batch(tuple(found), starts[-1])

    def go(self, seconds: float) -> None:
        """Let time pass, looking when it wants to be looked at."""
        end = self.now + seconds
        while (due := max(self.table.deadline, self.now)) < end:
            self.wall += due - self.now
            self.now = due
            self.look()
        self.wall += end - self.now
        self.now = end
        self.look()

    def set(self, wall: float) -> None:
        self.wall = wall
        self.look()

    def sleep(self, seconds: float) -> None:
        """The loop is held up."""
        self.wall += seconds
        self.now += seconds
        self.look()

    def look(self) -> None:
        self.table.look(now=self.now, wall=self.wall)
        self.settle()

    def taken(self) -> list[str]:
        told, self.told = self.told, []
        return told


def bell(every: float = HOUR, **others: float) -> Bench:
    return Bench({"bell": (HOUR, every, 0.0)}, **others)  # type: ignore[arg-type]


def test_a_bell_rings_at_its_hours() -> None:
    bench = bell()

    bench.go(2.5 * HOUR)

    assert bench.taken() == ["bell 3600", "bell 7200"]


def test_an_interval_is_on_from_its_beginning_to_its_end() -> None:
    bench = Bench({"shift": (HOUR, 24 * HOUR, 8 * HOUR)})

    bench.go(HOUR + 1)
    assert bench.table.active("shift")
    bench.go(8 * HOUR)

    assert bench.taken() == ["shift on 3600", "shift off"]


def test_one_second_is_not_too_often() -> None:
    bench = bell(1.0, wall=HOUR - 0.5)

    bench.go(200.0)

    assert len(bench.taken()) == 200


def test_a_clock_put_forward_a_little_rings_late_and_put_forward_far_says_why_not() -> None:
    bench = bell()
    bench.go(HOUR - 5)
    bench.set(bench.wall + 5 + GRACE / 2)
    assert bench.taken() == ["bell 3600 late 5"]

    bench.set(2 * HOUR + 2 * GRACE)

    assert bench.taken() == ["bell not 7200 set"]
    assert bench.misses[0].span == (HOUR + 5, 2 * HOUR + 2 * GRACE)


def test_a_clock_put_back_rings_nothing_twice() -> None:
    """An hour back, past a bell that has rung and one that was missed."""
    bench = bell()
    bench.go(HOUR + 10)
    bench.set(2 * HOUR + 60)
    assert bench.taken() == ["bell 3600", "bell not 7200 set"]

    bench.set(HOUR - 60)
    bench.go(2.5 * HOUR)

    assert bench.taken() == ["bell 7200", "bell 10800"]


def test_an_interval_lasts_no_longer_when_the_clock_is_put_back() -> None:
    bench = Bench({"shift": (HOUR, 24 * HOUR, 600.0)})
    bench.go(HOUR + 100)
    bench.set(HOUR - 1000)

    bench.go(499.0)
    assert bench.table.active("shift")
    bench.go(2.0)
    assert not bench.table.active("shift")
    bench.go(HOUR)

    assert bench.taken() == ["shift on 3600", "shift off"]


def test_a_loop_that_is_held_up_rings_late_or_says_why_not() -> None:
    bench = bell()
    bench.go(HOUR - 1)

    bench.sleep(4.0)
    assert bench.taken() == ["bell 3600 late 3"]
    bench.sleep(HOUR + 30)

    assert bench.taken() == ["bell not 7200 held up"]


def test_what_was_due_while_the_device_was_off_is_missed_once() -> None:
    """Even a moment ago: it may have been rung just before the end."""
    known = {"bell": Known(1.5 * HOUR, (HOUR,))}
    bench = bell(wall=3 * HOUR + 1, known=known)  # type: ignore[arg-type]

    bench.go(HOUR)

    assert bench.taken() == ["bell not 7200 off", "bell not 10800 off", "bell 14400"]
    assert bench.misses[0].why is Why.OFF


def test_what_was_missed_for_long_is_told_in_one() -> None:
    """SECONDLY for a month would be more than anybody reads, or a disk takes."""
    bench = bell(1.0, wall=30 * 86400.0, known={"bell": Known(HOUR + 100)})  # type: ignore[arg-type]
    bench.go(1.5)

    told = bench.taken()
    assert told[:2] == ["bell not 3701 off", "bell not 3702 off"]
    assert len(told) <= BATCH + 15
    assert "bell not 3764…" in told[BATCH]
    assert told[-1] == "bell 2.592e+06" or told[-1].startswith("bell 2592")


def test_an_interval_that_should_be_on_is_so_from_the_start() -> None:
    shift = {"shift": (HOUR, 24 * HOUR, 8 * HOUR)}
    again = Bench(shift, wall=2 * HOUR, known={"shift": Known(1.5 * HOUR, (HOUR,))})
    late = Bench(shift, wall=2 * HOUR, known={"shift": Known(0.5 * HOUR)})
    new = Bench(shift, wall=2 * HOUR)

    assert again.taken() == ["shift on 3600 again"]
    assert late.taken() == ["shift on 3600 late 3600"]
    assert new.taken() == ["shift on 3600 late 3600"]


def test_a_device_without_a_clock_of_its_own_learns_later_what_it_missed() -> None:
    """It starts in 1970, and NTP tells it the time: nothing of the years between was missed."""
    days = 20_000 * 86400.0
    bench = bell(wall=0.0, known={"bell": Known(days + 10, (days,))})  # type: ignore[arg-type]
    bench.go(5.0)

    bench.set(days + HOUR + 60)
    bench.go(HOUR)

    assert bench.taken() == [f"bell not {days + HOUR:g} off", f"bell {days + 2 * HOUR:g}"]


def test_a_change_concerns_only_what_comes() -> None:
    bench = bell()
    bench.go(HOUR + 1)
    bench.wanted["bell"] = (HOUR + 0.5, 1800.0, 0.0)
    bench.apply()

    bench.go(1800.0)

    assert bench.taken() == ["bell 3600", "bell 5400.5"]


def test_what_rang_before_a_change_is_not_rung_again_after_it() -> None:
    bench = bell()
    bench.go(HOUR + 10)
    bench.wanted["bell"] = (HOUR, 1800.0, 0.0)
    bench.apply()

    bench.set(HOUR - 10)
    bench.go(1900.0)

    assert bench.taken() == ["bell 3600", "bell 5400"]


def test_where_nothing_is_known_for_years_more_is_asked_for_in_time() -> None:
    """As of a leap day, or what is not yet as near as one looks."""
    table = Timetable()
    table.apply({"leap": ("leap", 0.0)}, now=0.0, wall=0.0)
    table.outbox.clear()
    table.supply("leap", 1, Batch((), 100 * AHEAD), now=0.0, wall=0.0)

    table.look(now=98 * AHEAD, wall=98 * AHEAD)
    assert not table.outbox
    table.look(now=99.5 * AHEAD, wall=99.5 * AHEAD)
    table.look(now=99.6 * AHEAD, wall=99.6 * AHEAD)

    assert list(table.outbox) == [Ask("leap", 1, 100 * AHEAD)]


def test_an_interval_that_is_changed_goes_on_or_ends() -> None:
    bench = Bench({"shift": (HOUR, 24 * HOUR, 8 * HOUR)})
    bench.go(2 * HOUR)
    bench.wanted["shift"] = (HOUR, 24 * HOUR, 4 * HOUR)
    bench.apply()
    assert bench.taken() == ["shift on 3600"]

    bench.wanted["shift"] = (6 * HOUR, 24 * HOUR, HOUR)
    bench.apply()
    assert bench.taken() == ["shift off"]

    del bench.wanted["shift"]
    bench.apply()
    assert bench.taken() == []


def test_what_is_remembered_is_bounded() -> None:
    bench = bell(1.0, wall=HOUR - 0.5)
    bench.go(MAX_RUNG + 50.0)
    bench.taken()

    bench.set(HOUR - 0.5)
    bench.go(200.0)

    assert len(bench.taken()) == 50  # those of which it is no longer known


# --- against the slow reading of the rules --------------------------------------------------------


def model(every: float, steps: Sequence[tuple[float, float]]) -> tuple[set[float], list[float]]:
    """Second by second. steps: (seconds that pass, by how much the clock is then put).

    All that was rung, in order, and what was passed over.
    """
    wall, rung, passed = BASE, list[float](), set[float]()
    for seconds, put in steps:
        for second in range(1, int(seconds) + 1):
            if (wall + second) % every == 0 and wall + second not in rung:
                rung.append(wall + second)
        before = wall = wall + seconds
        wall += put
        due = (before // every + 1) * every
        while due <= wall:
            if due not in rung:
                if wall - due <= GRACE:
                    rung.append(due)
                else:
                    passed.add(due)
            due += every
    return passed - set(rung), rung


@settings(max_examples=40)
@given(
    st.sampled_from([7.0, 20.0, 60.0]),
    st.lists(st.tuples(st.integers(1, 90), st.integers(-200, 200)), min_size=1, max_size=6),
)
def test_nothing_is_lost_and_nothing_rung_twice(every: float, steps: list[tuple[int, int]]) -> None:
    """NTP, in both directions, at any moment."""
    bench = Bench({"bell": (0.0, every, 0.0)}, wall=BASE)

    for seconds, put in steps:
        bench.go(float(seconds))
        bench.set(bench.wall + put)
    rung = [float(words.split()[1]) for words in bench.told if " not " not in words]
    missed: set[float] = set()
    for miss in bench.misses:
        start, until = miss.at.start, miss.at.start if miss.until is None else miss.until
        missed |= {start + n * every for n in range(int((until - start) // every) + 1)}

    lost, wanted = model(every, [(float(s), float(p)) for s, p in steps])
    assert rung == wanted
    assert missed - set(rung) == lost
