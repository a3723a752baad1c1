"""The operations of a function against a naive model of the rules, over any history."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sipstrobe.events import Function, OperationPhase
from sipstrobe.lightsiren.operations import Activity, Operations, Show

PROFILES = ("", "Gate", "Fire")


@dataclass
class Row:
    """One operation as a person would write it on a list."""

    id: int
    priority: int
    profile: str
    ends: float


class Model(RuleBasedStateMachine):
    """A plain list, searched from the beginning for everything."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.ids = count(1)
        self.rows: list[Row] = []
        self.operations = Operations(Function.AUDIO_SPEAKER)
        self.shown: int | None = None
        self.phases: dict[int, OperationPhase] = {}

    @rule(
        priority=st.integers(1, 13),
        seconds=st.none() | st.integers(0, 20),
        profile=st.sampled_from(PROFILES),
    )
    def start(self, priority: int, seconds: int | None, profile: str) -> None:
        id_ = next(self.ids)
        self.operations.start(
            id_,
            Activity(pattern="x", priority=priority, intensity=1, seconds=seconds, profile=profile),
            now=self.now,
        )
        self.forget(lambda row: row.priority == priority)
        ends = float("inf") if seconds is None else self.now + seconds
        self.rows.append(Row(id_, priority, profile, ends))
        self.forget(lambda row: False)
        self.listen()

    @rule(ids=st.sets(st.integers(0, 14)))
    def stop(self, ids: set[int]) -> None:
        newest = max((row.id for row in self.rows), default=0)
        ids = {newest - back for back in ids}
        self.operations.stop(ids, now=self.now)
        self.forget(lambda row: row.id in ids and row.priority <= 10)
        self.listen()

    @rule(profile=st.sampled_from(PROFILES[1:]))
    def stop_profile(self, profile: str) -> None:
        self.operations.stop_profile(profile, now=self.now)
        self.forget(lambda row: row.profile == profile and row.priority <= 10)
        self.listen()

    @rule()
    def stop_all(self) -> None:
        self.operations.stop_all(now=self.now)
        self.forget(lambda row: row.priority <= 10)
        self.listen()

    @rule(rank=st.integers(11, 13))
    def stop_rank(self, rank: int) -> None:
        self.operations.stop_rank(rank, now=self.now)
        self.forget(lambda row: row.priority == rank)
        self.listen()

    @rule(seconds=st.integers(1, 8))
    def time_passes(self, seconds: int) -> None:
        until = self.now + seconds
        while (at := self.operations.deadline) is not None and at <= until:
            assert at >= self.now
            self.now = at
            self.operations.wake(now=at)
            self.forget(lambda row: False)
            self.listen()
        self.now = until

    def forget(self, gone: Callable[[Row], bool]) -> None:
        """Strike out these, and whatever has run out."""
        self.rows = [row for row in self.rows if row.ends > self.now and not gone(row)]

    def listen(self) -> None:
        """Follow what is said, as a page or a rule would."""
        for output in self.operations.outbox:
            if isinstance(output, Show):
                self.shown = output.operation.id if output.operation else None
            elif output.phase is OperationPhase.ENDED:
                del self.phases[output.operation.id]
            else:
                assert self.phases.get(output.operation.id) != output.phase
                self.phases[output.operation.id] = output.phase
        self.operations.outbox.clear()

    @invariant()
    def agrees(self) -> None:
        wanted = [row.id for row in sorted(self.rows, key=lambda row: -row.priority)]
        assert [operation.id for operation in self.operations.running] == wanted
        assert self.shown == (wanted[0] if wanted else None)
        expected = dict.fromkeys(wanted, OperationPhase.HIDDEN)
        if wanted:
            expected[wanted[0]] = OperationPhase.SHOWN
        assert self.phases == expected


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
