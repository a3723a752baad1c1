"""The running operations of one function, and which of them is shown (checklist MIX-01…07).

There is one operation for each priority: a start at an occupied one replaces it (MIX-02, GAP-02).
The highest is shown, all others are hidden; hidden ones keep their place in time, may expire unseen
(GAP-03) and are shown again when what hid them has ended (MIX-03).
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from msgspec import Struct

from sipstrobe.events import Function, OperationPhase
from sipstrobe.lightsiren.settings import PRIORITIES
from sipstrobe.priority import Claim, arbitrate
from sipstrobe.trace import Cause


class Activity(Struct, frozen=True, kw_only=True):
    """What a function is wanted to do. seconds: how long, None = until stopped."""

    pattern: str
    priority: int  # 1…10, or one of the system's ranks
    intensity: int
    speed: int = 1  # of a light
    colors: tuple[str, ...] = ()  # of a light
    seconds: float | None = None
    profile: str = ""  # which profile wants it


@dataclass(frozen=True, slots=True)
class Operation:
    """An activity that runs."""

    function: Function
    id: int
    activity: Activity
    started: float
    ends: float | None
    cause: Cause | None = field(default=None, compare=False, repr=False)

    @property
    def of_system(self) -> bool:
        """Maintenance, identify or health check: not for users to stop (MIX-04)."""
        return self.activity.priority > PRIORITIES[-1]

    def seconds_left(self, now: float) -> float | None:
        return None if self.ends is None else max(0.0, self.ends - now)


class Show(Struct, frozen=True):
    """The function shows another operation from now on; None: nothing."""

    function: Function
    operation: Operation | None


class Changed(Struct, frozen=True):
    """What has become of an operation."""

    operation: Operation
    phase: OperationPhase


class Operations:
    """A machine: starts and stops go in, `Show` and `Changed` come out, what shows first.

    running holds what runs, the highest priority first; the first is the one that is shown.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self.outbox: deque[Show | Changed] = deque()
        self.running: list[Operation] = []
        self.deadline: float | None = None
        self._claims: dict[int, Claim[Operation]] = {}
        self._order = 0

    @property
    def shown(self) -> Operation | None:
        return self.running[0] if self.running else None

    def find(self, id: int) -> Operation | None:  # noqa: A002
        return next((operation for operation in self.running if operation.id == id), None)

    def start(
        self,
        id: int,  # noqa: A002
        activity: Activity,
        *,
        now: float,
        cause: Cause | None = None,
    ) -> None:
        """Start an activity under an id that no other has; what runs at its priority ends.

        One of no length (GAP-10) begins and ends at once, so that what it sets off has its cause.
        """
        ends = None if activity.seconds is None else now + activity.seconds
        new = Operation(self.function, id, activity, now, ends, cause)
        self._step(lambda old: old.activity.priority == activity.priority, new, now)
        if ends is not None and ends <= now:
            self._step(lambda old: False, None, now)

    def stop(self, ids: Collection[int], *, now: float) -> None:
        """Stop users' operations by id; the others of these ids go on."""
        self._step(lambda old: old.id in ids and not old.of_system, None, now)

    def stop_profile(self, profile: str, *, now: float) -> None:
        """Stop what this profile has started."""
        self._step(lambda old: old.activity.profile == profile and not old.of_system, None, now)

    def stop_all(self, *, now: float) -> None:
        """Stop all that users have started."""
        self._step(lambda old: not old.of_system, None, now)

    def stop_rank(self, rank: int, *, now: float) -> None:
        """Stop what runs at this priority, the system's included."""
        self._step(lambda old: old.activity.priority == rank, None, now)

    def wake(self, *, now: float) -> None:
        self._step(lambda old: False, None, now)

    def _step(self, ending: Callable[[Operation], bool], new: Operation | None, now: float) -> None:
        """End these and whatever has run out, start the new one, and say what has changed."""
        ended = [
            old for old in self.running if (old.ends is not None and old.ends <= now) or ending(old)
        ]
        if new is None and not ended:
            return
        for old in ended:
            del self._claims[old.activity.priority]
        if new is not None:
            self._order += 1
            rank = new.activity.priority
            self._claims[rank] = Claim(new, rank, self._order)
        before = self.shown
        self.running = [claim.owner for claim in arbitrate(self._claims.values())]
        self.deadline = min((o.ends for o in self.running if o.ends is not None), default=None)
        self._report(before, ended, new)

    def _report(
        self, before: Operation | None, ended: list[Operation], new: Operation | None
    ) -> None:
        shown = self.shown
        if shown is not before:
            self.outbox.append(Show(self.function, shown))
        self.outbox.extend(Changed(old, OperationPhase.ENDED) for old in ended)
        if shown is not before and before is not None and before not in ended:
            self.outbox.append(Changed(before, OperationPhase.HIDDEN))
        if new is not None and new is not shown:
            self.outbox.append(Changed(new, OperationPhase.HIDDEN))
        if shown is not None and shown is not before:
            self.outbox.append(Changed(shown, OperationPhase.SHOWN))
