"""The agenda hands out what is due, in order, and forgets what is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sip.agenda import Agenda, Entry


class Item:
    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.deadline: float | None = None

    def wake(self, *, now: float) -> None:
        self.deadline = None


Steps = st.lists(
    st.tuples(st.integers(0, 5), st.one_of(st.none(), st.floats(0, 100), st.just("forget")))
)


@given(Steps)
def test_it_always_knows_the_earliest_deadline_and_nothing_else(
    steps: list[tuple[int, float | str | None]],
) -> None:
    agenda, items = Agenda(), [Item() for _ in range(6)]
    noted: set[int] = set()
    for which, what in steps:
        item = items[which]
        if isinstance(what, str):
            agenda.forget(item)
            noted.discard(which)
            continue
        item.deadline = what
        agenda.note(item)
        noted.add(which)

    live = [items[n].deadline for n in noted]
    expected = sorted(at for at in live if at is not None)
    assert agenda.deadline == (expected[0] if expected else None)
    seen: list[float] = []
    for item in agenda.due(1000.0):
        assert isinstance(item, Item)
        assert item.deadline is not None
        seen.append(item.deadline)
        item.wake(now=1000.0)
    assert seen == expected
    assert len(agenda) == 0


def test_what_is_forgotten_takes_no_room() -> None:
    agenda = Agenda()
    for _ in range(10):
        items = [Item() for _ in range(1000)]
        for n, item in enumerate(items):
            item.deadline = 600.0 + n
            agenda.note(item)
        for item in items:
            agenda.forget(item)
    assert len(agenda) == 0
    assert agenda.room < 200
