"""Named timers of a machine."""

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.timers import Timers

steps = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from("ABC"), st.floats(0, 9)),
        st.tuples(st.just("stop"), st.sampled_from("ABC"), st.just(0.0)),
    ),
    max_size=12,
)


@given(steps, st.floats(0, 9))
def test_the_deadline_is_the_earliest_and_due_comes_in_order(
    script: list[tuple[str, str, float]], now: float
) -> None:
    timers: Timers[str] = Timers()
    expected: dict[str, float] = {}
    for what, key, at in script:
        if what == "start":
            timers.start(key, at)
            expected[key] = at
        else:
            timers.stop(key)
            expected.pop(key, None)

    assert timers.deadline == min(expected.values(), default=None)

    due = list(timers.due(now))

    assert sorted(due) == sorted(k for k, at in expected.items() if at <= now)
    assert [expected[k] for k in due] == sorted(expected[k] for k in due)
    assert timers.deadline == min((a for a in expected.values() if a > now), default=None)


def test_a_timer_stopped_while_others_are_handed_out_stays_silent() -> None:
    timers: Timers[str] = Timers()
    timers.start("A", 1.0)
    timers.start("B", 2.0)

    seen: list[str] = []
    for key in timers.due(5.0):
        seen.append(key)
        timers.stop("B")

    assert seen == ["A"]
