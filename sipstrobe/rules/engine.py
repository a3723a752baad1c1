"""When rules begin and end: a machine fed with properties and pulses (EVT-01…08).

A rule without a trigger is active exactly while all its conditions hold. With a trigger it begins
when the trigger comes while they hold, and stays active until one fails; without conditions it is
over at once. A property is a trigger when a source newly matches, or inverted, when the last one
has ceased to. Rules that one input touches act in the order of the list.

Too soon after the last time (EVT-03), a trigger is passed over; a rule without one waits, and
begins if its conditions still hold then.

A rule that is changed while it is active ends, and begins again only when its conditions hold
anew, its trigger comes again, or somebody switches it off and on (EVT-08).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from types import MappingProxyType

from sipstrobe.commands import Command
from sipstrobe.rules.actions.base import RULE_NAME
from sipstrobe.rules.explain import MAX_RECORDS, Outcome, Record
from sipstrobe.rules.facts import Changes, Facts, Watch
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.timers import Timers

MAX_DEPTH = 8  # times that a rule may begin because of itself: more is a loop
MAX_BEGUN = 1024  # times that rules may begin for one root cause, as those that set off each other

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Begin:
    """Give this order. active: the rule stays so until its End; else it is over already."""

    rule: Rule
    command: Command
    active: bool


@dataclass(frozen=True, slots=True)
class End:
    """The rule is no longer active: undo what lasts."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Refuse:
    """The rule should begin, and must not."""

    rule: Rule
    reason: str


Output = Begin | End | Refuse

Causes = tuple[int, ...]
"""The serials of the links of an input, from its own back to the root; empty: not known."""


@dataclass(slots=True, eq=False)
class RuleState:
    """One enabled rule as it stands."""

    rule: Rule
    place: int = 0  # in the list
    unmet: int = 0  # bit i: condition i is false
    when: "Watch[RuleState] | None" = None  # on its trigger
    watches: "tuple[Watch[RuleState], ...]" = ()  # on its conditions
    active: bool = False
    spent: bool = False  # must not begin before its conditions hold anew
    begun_at: float | None = None
    root: int = 0  # of the causes in `begun`
    begun: dict[int, int] = field(default_factory=dict[int, int])  # cause -> how deep in itself
    refused: int = 0  # the root cause for which that was said
    records: deque[Record] = field(default_factory=lambda: deque(maxlen=MAX_RECORDS))

    def follow(self, before: "RuleState") -> None:
        """Take over from the rule as it was: the history, and if it was active, the wait."""
        self.spent, self.begun_at, self.records = before.spent, before.begun_at, before.records


@dataclass(frozen=True, slots=True)
class _Came:
    """The input that is being worked on."""

    topic: str
    items: Mapping[str, str]
    causes: Causes
    now: float

    @property
    def cause(self) -> int:
        return self.causes[0] if self.causes else 0

    @property
    def root(self) -> int:
        return self.causes[-1] if self.causes else 0


class Engine:
    """Decide which rules begin and end."""

    def __init__(self) -> None:
        self.outbox: deque[Output] = deque()
        self.rules: dict[str, RuleState] = {}  # the enabled ones by name, in the order of the list
        self._facts: Facts[RuleState] = Facts()
        self._waiting: Timers[str] = Timers()
        self._root = 0  # the root cause that came last, and how many rules have begun for it
        self._begun = 0

    @property
    def deadline(self) -> float | None:
        return self._waiting.deadline

    def hears(self, topic: str) -> bool:
        """Does a pulse of this topic concern any rule?"""
        return self._facts.watched(topic)

    def property(
        self,
        topic: str,
        source: tuple[str, ...],
        items: Mapping[str, str],
        *,
        now: float,
        causes: Causes = (),
    ) -> None:
        """A source of a property has this value now."""
        changes = self._facts.set(topic, source, items)
        if changes:
            self._settle(changes, _Came(topic, items, causes, now))

    def pulse(
        self,
        topic: str,
        items: Mapping[str, str],
        *,
        now: float,
        causes: Causes = (),
    ) -> None:
        """Something has happened."""
        changes = self._facts.pulse(topic, items)
        if changes:
            self._settle(changes, _Came(topic, items, causes, now))

    def apply(self, rules: Iterable[Rule], *, now: float, causes: Causes = ()) -> None:
        """Work by these rules from now on; what is the same as before goes on undisturbed."""
        came = _Came("settings", _NOTHING, causes, now)
        before, self.rules = self.rules, {}
        fresh: list[RuleState] = []
        for place, rule in enumerate(rule for rule in rules if rule.enabled):
            state = before.get(rule.name)
            if state is None or (state.rule is not rule and state.rule != rule):
                state = RuleState(rule)
                fresh.append(state)
            state.place = place
            self.rules[rule.name] = state
        old = [state for name, state in before.items() if self.rules.get(name) is not state]
        for state in old:
            self._waiting.stop(state.rule.name)
            if state.active:
                state.spent = True
                self._end(state)
        self._connect(fresh)
        self._disconnect(old)
        for state in fresh:
            if predecessor := before.get(state.rule.name):
                state.follow(predecessor)
            self._step(state, fired=False, came=came)

    def wake(self, *, now: float) -> None:
        came = _Came("timer", _NOTHING, (), now)
        for name in self._waiting.due(now):
            self._step(self.rules[name], fired=False, came=came)

    # --- from changed facts to rules -----------------------------------------------------------

    def _connect(self, states: Sequence[RuleState]) -> None:
        """Tie new rules to what they watch, and learn which of their conditions hold."""
        watches = self._facts.watch(c for state in states for c in _watched(state.rule))
        for state in states:
            rule = state.rule
            if rule.when is not None:
                state.when = next(watches)
                state.when.triggers[state] = rule.when.invert
            state.watches = tuple(islice(watches, len(rule.conditions)))
            for i, (condition, watch) in enumerate(
                zip(rule.conditions, state.watches, strict=True)
            ):
                watch.conditions[state] = watch.conditions.get(state, 0) | 1 << i
                if watch.holds == condition.invert:
                    state.unmet |= 1 << i

    def _disconnect(self, states: Iterable[RuleState]) -> None:
        """Forget what only these rules watch."""
        for state in states:
            for watch in state.watches:
                watch.conditions.pop(state, None)
                self._facts.release(watch)
            if state.when is not None:
                del state.when.triggers[state]
                self._facts.release(state.when)

    def _settle(self, changes: Changes[RuleState], came: _Came) -> None:
        touched: dict[RuleState, bool] = {}  # and whether its trigger has fired
        for watch in changes.turned:
            for state, bits in watch.conditions.items():
                state.unmet ^= bits
                touched.setdefault(state, False)
            for state, invert in watch.triggers.items():
                if watch.holds != invert:
                    touched[state] = True
        for watch in changes.fresh:
            for state, invert in watch.triggers.items():
                if not invert:
                    touched[state] = True
        states = sorted(touched, key=_by_place) if len(touched) > 1 else touched
        for state in states:
            self._step(state, fired=touched[state], came=came)

    # --- one rule ------------------------------------------------------------------------------

    def _step(self, state: RuleState, *, fired: bool, came: _Came) -> None:
        if state.unmet:
            state.spent = False
            self._waiting.stop(state.rule.name)
            outcome = self._end(state) if state.active else Outcome.UNMET
        elif state.spent and not fired:
            outcome = Outcome.CHANGED
        elif state.rule.when is not None and not fired:
            outcome = Outcome.RUNS if state.active else Outcome.NOT_FIRED
        elif state.active and (state.rule.when is None or state.rule.action.lasting):
            outcome = Outcome.RUNS
        else:
            outcome = self._try_begin(state, came)
        self._record(state, came, outcome)

    def _try_begin(self, state: RuleState, came: _Came) -> Outcome:
        rule = state.rule
        ready_at = -inf if state.begun_at is None else state.begun_at + rule.minimum_interval
        if came.now < ready_at:
            if rule.when is not None:
                return Outcome.TOO_SOON
            self._waiting.start(rule.name, ready_at)
            return Outcome.WAITS
        if came.causes and self._is_loop(state, came):
            state.spent = True
            if state.refused != came.root:  # said once, for the refusal may be a trigger too
                state.refused = came.root
                self.outbox.append(Refuse(rule, Outcome.LOOP))
            return Outcome.LOOP
        repeated = state.active
        state.begun_at = came.now
        state.active = rule.when is None or bool(rule.conditions)
        state.spent = False
        for items in _targets(state, came):
            told = {**items, RULE_NAME: rule.name}
            self.outbox.append(Begin(rule, rule.action.command(told), state.active))
        return Outcome.REPEATED if repeated else Outcome.BEGUN

    def _is_loop(self, state: RuleState, came: _Came) -> bool:
        """Count a rule that is about to begin: has it set itself off too often?"""
        root = came.root
        if self._root != root:
            self._root, self._begun = root, 0
        if state.root != root:
            state.root, state.begun = root, {}
        depth = max([state.begun.get(cause, 0) for cause in came.causes]) + 1
        if depth > MAX_DEPTH or self._begun >= MAX_BEGUN:
            return True
        self._begun += 1
        state.begun[came.cause] = depth
        return False

    def _end(self, state: RuleState) -> Outcome:
        state.active = False
        self.outbox.append(End(state.rule))
        return Outcome.ENDED

    @staticmethod
    def _record(state: RuleState, came: _Came, outcome: Outcome) -> None:
        state.records.append(
            Record(state.rule, came.now, came.cause, came.topic, came.items, state.unmet, outcome)
        )


def _by_place(state: RuleState) -> int:
    return state.place


def _watched(rule: Rule) -> Iterator[Condition]:
    if rule.when is not None:
        yield rule.when
    yield from rule.conditions


def _targets(state: RuleState, came: _Came) -> Iterator[dict[str, str]]:
    """What an action may refer to, once for each that it is meant for."""
    items, name = _items(state, came), state.rule.action.for_each
    others = [] if not name or name in came.items else _holding(state, name)
    yield items
    yield from ({**items, **other} for other in others if other[name] != items[name])


def _holding(state: RuleState, name: str) -> list[Mapping[str, str]]:
    """What the first condition about something of this name holds of, the oldest first."""
    for condition, watch in zip(state.rule.conditions, state.watches, strict=True):
        if not condition.invert and any(name in items for items in watch.holding.values()):
            return list(watch.holding.values())
    return []


def _items(state: RuleState, came: _Came) -> dict[str, str]:
    """What an action may refer to: what came, and what the conditions hold of, first the oldest."""
    items = dict(came.items)
    for condition, watch in zip(state.rule.conditions, state.watches, strict=True):
        if not condition.invert:
            oldest = next(iter(watch.holding.values()), came.items)
            if oldest is not came.items:
                items = {**oldest, **items}
    return items
