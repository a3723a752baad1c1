"""The outbox: nothing lost, order kept, nobody delayed by others, bounds held."""

from collections import defaultdict
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sipstrobe.sending.outbox import (
    DAY,
    FIRST_WAIT,
    LONGEST_WAIT,
    MAX_BYTES,
    MAX_ITEMS,
    MAX_LANE_BYTES,
    MAX_LANE_ITEMS,
    NO_SUCH_LANE,
    Ended,
    Failed,
    Item,
    Outbox,
    Output,
    Try,
)

LANES = ("mail", "vms", "nas")


def outbox(*lanes: str, spread: float = 0.5) -> Outbox:
    made = Outbox(lambda: spread)
    made.apply(lanes or LANES, (), now=0.0)
    return made


def item(name: str, lane: str = "mail", *, size: int = 100, expires: float = DAY) -> Item:
    return Item(id=name, lane=lane, size_bytes=size, expires=expires)


def out(machine: Outbox) -> list[Output]:
    left = list(machine.outbox)
    machine.outbox.clear()
    return left


def tried(machine: Outbox) -> list[str]:
    return [output.item.id for output in out(machine) if isinstance(output, Try)]


def ended(machine: Outbox) -> list[tuple[str, bool, str]]:
    found = [output for output in out(machine) if isinstance(output, Ended)]
    return [(output.item.id, output.sent, output.words) for output in found]


def test_a_lane_sends_one_after_the_other_in_order() -> None:
    machine = outbox()
    for name in ("a", "b", "c"):
        machine.add(item(name), now=1.0)
    assert tried(machine) == ["a"]

    machine.sent("a", now=2.0)

    assert [type(o).__name__ + ":" + o.item.id for o in out(machine)] == ["Ended:a", "Try:b"]


def test_waits_grow_until_something_is_sent() -> None:
    """Twice as long each time, up to five minutes."""
    machine = outbox()
    machine.add(item("a"), now=0.0)
    waits: list[float] = []
    now = 0.0
    for _ in range(10):
        assert tried(machine) == ["a"]
        machine.failed("a", "no", permanent=False, now=now)
        assert isinstance(out(machine)[0], Failed)
        assert machine.deadline is not None
        waits.append(machine.deadline - now)
        now = machine.deadline
        machine.wake(now=now)

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    machine.sent("a", now=now)
    machine.add(item("b"), now=now)
    machine.failed("b", "no", permanent=False, now=now)
    assert machine.deadline == now + FIRST_WAIT


def test_waits_of_many_devices_are_spread() -> None:
    """A quarter up and down, so that a server that returns is not run over."""
    for spread, wait in ((0.0, 1.5), (1.0, 2.5)):
        machine = outbox(spread=spread)
        machine.add(item("a"), now=0.0)
        machine.failed("a", "no", permanent=False, now=0.0)
        assert machine.deadline == wait


def test_a_dead_receiver_delays_only_its_own() -> None:
    machine = outbox()
    machine.add(item("dead", "nas"), now=0.0)
    machine.failed("dead", "no", permanent=False, now=0.0)
    machine.add(item("slow", "vms"), now=0.1)  # and no answer comes
    out(machine)

    machine.add(item("a", "mail"), now=0.2)

    assert tried(machine) == ["a"]
    assert machine.failing == ["nas"]


def test_a_fault_of_the_message_itself_ends_it_and_not_the_lane() -> None:
    machine = outbox()
    machine.add(item("a"), now=0.0)
    machine.add(item("b"), now=0.0)
    out(machine)

    machine.failed("a", "550 no such user", permanent=True, now=0.1)

    assert list(machine.outbox) == [
        Ended(machine.outbox[0].item, sent=False, words="550 no such user"),
        Try(next(machine.items)),
    ]
    assert tried(machine) == ["b"]


def test_what_is_too_old_is_given_up_with_its_last_failure() -> None:
    machine = outbox()
    machine.add(item("a", expires=100.0), now=0.0)
    machine.add(item("b", expires=500.0), now=90.0)
    machine.failed("a", "refused", permanent=False, now=99.0)
    out(machine)
    assert machine.deadline == 100.0

    machine.wake(now=100.0)

    assert ended(machine) == [("a", False, "too old, and could not be sent before: refused")]
    machine.wake(now=101.0)
    assert tried(machine) == ["b"]


def test_an_attempt_that_runs_may_end_after_the_limit() -> None:
    """It is not broken off; only then is it too late for another."""
    machine = outbox()
    machine.add(item("a", expires=100.0), now=99.0)
    machine.wake(now=120.0)
    assert tried(machine) == ["a"]

    machine.failed("a", "no", permanent=False, now=130.0)

    assert ended(machine) == [("a", False, "too old, and could not be sent before: no")]


def test_bounds_refuse_the_newest() -> None:
    """What was taken is never dropped for what comes later."""
    machine = outbox()
    for n in range(MAX_LANE_ITEMS):
        assert not machine.refusal("mail", 100)
        machine.add(item(f"m{n}"), now=0.0)

    assert machine.refusal("mail", 100) == f"{MAX_LANE_ITEMS} messages to 'mail' wait already"
    assert not machine.refusal("vms", 100)
    assert machine.refusal("vms", MAX_LANE_BYTES + 1) == "what waits for 'vms' fills 4 MiB"
    assert len(machine) == MAX_LANE_ITEMS
    assert machine.refusal("nobody", 1) == NO_SUCH_LANE


def test_bounds_hold_for_all_lanes_together() -> None:
    lanes = [f"lane {n}" for n in range(20)]
    many, large = outbox(*lanes), outbox(*lanes)
    count = size = 0
    for lane in lanes:
        while not many.refusal(lane, 1):
            many.add(item(f"{lane} {count}", lane, size=1), now=0.0)
            count += 1
        while not large.refusal(lane, MAX_LANE_BYTES // 4):
            large.add(item(f"{lane} {size}", lane, size=MAX_LANE_BYTES // 4), now=0.0)
            size += MAX_LANE_BYTES // 4

    assert count == MAX_ITEMS
    assert size == MAX_BYTES


def test_a_recipient_that_is_gone_takes_its_messages_along() -> None:
    machine = outbox()
    machine.add(item("a", "mail"), now=0.0)
    machine.add(item("b", "mail"), now=0.0)
    out(machine)

    machine.apply(("vms",), (), now=1.0)

    assert ended(machine) == [("a", False, NO_SUCH_LANE), ("b", False, NO_SUCH_LANE)]
    machine.sent("a", now=2.0)  # comes too late
    assert not machine.outbox
    assert machine.deadline is None


def test_a_recipient_that_was_changed_is_tried_at_once() -> None:
    machine = outbox()
    machine.add(item("a"), now=0.0)
    machine.failed("a", "wrong password", permanent=False, now=0.0)
    out(machine)

    machine.apply(LANES, ("mail",), now=0.5)

    assert tried(machine) == ["a"]
    assert machine.failing == []


def test_what_is_removed_by_hand_makes_room_for_the_next() -> None:
    machine = outbox()
    for name in ("a", "b"):
        machine.add(item(name), now=0.0)
    out(machine)

    assert machine.remove("a", "removed", now=1.0)

    assert [type(o).__name__ for o in machine.outbox] == ["Ended", "Try"]
    assert not machine.remove("a", "removed", now=1.0)


def test_what_an_earlier_run_left_comes_first_and_in_its_order() -> None:
    machine = outbox()

    machine.restore([item("a"), item("x", "gone"), item("b")], now=5.0)

    assert [o.item.id for o in machine.outbox if isinstance(o, Try)] == ["a"]
    assert ended(machine) == [("x", False, NO_SUCH_LANE)]
    assert [i.id for i in machine.items] == ["a", "b"]


class Story(RuleBasedStateMachine):
    """Anything may come at any time; a plain account of it is kept beside."""

    @initialize()
    def begin(self) -> None:
        self.machine = outbox()
        self.now = 0.0
        self.added: dict[str, list[str]] = defaultdict(list)
        self.trying: dict[str, str] = {}  # by lane
        self.attempts: dict[str, int] = defaultdict(int)
        self.failures: dict[str, int] = defaultdict(int)
        self.ended: dict[str, bool] = {}
        self.first_tries: dict[str, list[str]] = defaultdict(list)

    def look(self) -> None:
        """Take what it wants, as the service does."""
        for output in out(self.machine):
            name, lane = output.item.id, output.item.lane
            match output:
                case Try():
                    assert lane not in self.trying, "one at a time"
                    assert name not in self.ended
                    self.trying[lane] = name
                    self.attempts[name] += 1
                    if name not in self.first_tries[lane]:
                        self.first_tries[lane].append(name)
                case Ended(_, sent, words):
                    assert name not in self.ended, "once"
                    assert sent or words
                    self.ended[name] = sent
                    if self.trying.get(lane) == name:
                        del self.trying[lane]
                case Failed():
                    pass

    @rule(lane=st.sampled_from(LANES), life=st.sampled_from((10.0, 1000.0, DAY)))
    def add(self, lane: str, life: float) -> None:
        name = f"{lane}-{len(self.added[lane])}"
        self.added[lane].append(name)
        self.machine.add(item(name, lane, expires=self.now + life), now=self.now)
        self.look()

    @precondition(lambda self: self.trying)
    @rule(data=st.data(), how=st.sampled_from(("sent", "failed", "permanent")))
    def answer(self, data: st.DataObject, how: str) -> None:
        lane = data.draw(st.sampled_from(sorted(self.trying)))
        name = self.trying.pop(lane)
        if how == "sent":
            self.machine.sent(name, now=self.now)
        else:
            self.failures[name] += 1
            self.machine.failed(name, "no", permanent=how == "permanent", now=self.now)
        self.look()

    @precondition(lambda self: any(self.machine.items))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([i.id for i in self.machine.items]))
        assert self.machine.remove(name, "removed", now=self.now)
        self.look()

    @rule(seconds=st.sampled_from((0.5, 3.0, 100.0, LONGEST_WAIT, DAY)))
    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (deadline := self.machine.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.machine.wake(now=self.now)
            self.look()
        self.now = until

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "machine"):
            return
        waiting = {i.id for i in self.machine.items}
        added = {name for names in self.added.values() for name in names}
        assert waiting | self.ended.keys() == added
        assert waiting.isdisjoint(self.ended)
        assert len(self.machine) == len(waiting)

    @invariant()
    def nothing_is_sent_twice_without_a_failure(self) -> None:
        for name, attempts in getattr(self, "attempts", {}).items():
            assert attempts <= self.failures[name] + 1

    @invariant()
    def order_is_kept(self) -> None:
        for lane, names in getattr(self, "first_tries", {}).items():
            assert names == [n for n in self.added[lane] if n in names]

    @invariant()
    def an_idle_lane_waits_for_something(self) -> None:
        """No message is forgotten: its lane is being tried, or has a deadline to come."""
        if hasattr(self, "machine"):
            idle = [i for i in self.machine.items if i.lane not in self.trying]
            deadline = self.machine.deadline
            assert not idle or (deadline is not None and deadline > self.now - 1e-9)


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=30, stateful_step_count=30)


@given(st.lists(st.booleans(), max_size=30))
def test_a_lane_whose_receiver_answers_in_the_end_delivers_all(answers: list[bool]) -> None:
    """Whatever pattern of failures: each is sent, in order, before the day is over."""
    machine = outbox("mail")
    for n in range(5):
        machine.add(item(str(n), expires=inf), now=0.0)
    sent: list[str] = []
    left = iter(answers)
    now = 0.0
    while len(machine):
        for output in out(machine):
            if isinstance(output, Try):
                if next(left, True):
                    machine.sent(output.item.id, now=now)
                    sent.append(output.item.id)
                else:
                    machine.failed(output.item.id, "no", permanent=False, now=now)
        if not machine.outbox and machine.deadline is not None:
            now = machine.deadline
            machine.wake(now=now)

    assert sent == ["0", "1", "2", "3", "4"]
